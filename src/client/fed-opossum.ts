import { EventEmitter } from 'node:events';
import Opossum from 'opossum';
import { guard, type Guarded } from '../core/guard.js';
import type { Runtime } from '../core/runtime.js';
import { Breaker } from '../machines/breaker.js';
import { isSlow, type BreakerPolicy } from '../machines/breaker-rules.js';
import type { BreakerChange, BreakerKind, Ended, Tally, TallyCounts } from '../machines/breaker-state.js';
import { RollingWindow } from '../machines/rolling-window.js';
import { liveStatus, unrefreshed } from './opossum-status.js';
import { BUCKETS, OpossumWindow } from './opossum-window.js';

export interface FedOpossumParts {
  readonly service: string;
  readonly policy: BreakerPolicy;
  readonly runtime: Runtime;
  readonly works: () => boolean;
  changed(change: BreakerChange): void;
}

const NO_ARGUMENTS: readonly unknown[] = Object.freeze([]);

/**
 * An opossum that is told what happened instead of being asked to do it: it holds the window, the state and the listeners;
 * the machine decides, on the runtime's clock. The one file that imports opossum.
 *
 * Its own `fire` is not used: there one success closes the circuit, a probe that hangs wedges it, a call begun before it
 * opened closes it, refusals dilute the ratio, and one of them costs 5 µs.
 */
export class FedOpossum extends Opossum implements Tally {
  readonly machine: Breaker;
  readonly #parts: FedOpossumParts;
  readonly #window: OpossumWindow;
  readonly #slow: RollingWindow;
  readonly #guarded: Guarded;
  readonly #disarm: () => void;
  readonly #changes: BreakerChange[] = [];
  /** Somebody besides opossum listens, or did, to what each attempt emits. */
  #overheard = false;
  /** What the attempt that is reported next rejected with. */
  #error: unknown;

  constructor(parts: FedOpossumParts) {
    const rotateBucketController = new EventEmitter();
    const { service, policy, runtime, works } = parts;
    super(useTheClient(service), { ...opossumOptions(policy), name: service, rotateBucketController });
    this.#parts = parts;
    this.#guarded = guard(`a listener of the breaker for ${service}`);
    const now = runtime.now();
    const { status } = this;
    const { windowMs } = policy;
    const rotate = (): void => void rotateBucketController.emit('rotate');
    this.#window = new OpossumWindow({ windowMs, rotate, buckets: () => unrefreshed(status, 'window') }, now);
    this.#slow = new RollingWindow(windowMs, BUCKETS);
    this.machine = new Breaker({ policy, tally: this, works, changed: change => this.#follow(change) }, now);
    // Opossum closes at the first success of a trial, and arms a timer that ends the open time: both are the machine's.
    this.removeAllListeners('success').on('success', () => status.increment('successes'));
    this.removeAllListeners('open').on('open', () => status.open());
    for (const change of ['newListener', 'removeListener']) this.on(change, name => this.#noticed(name));
    const refresh = (): void => void this.machine.counts(runtime.now());
    this.#disarm = liveStatus(status, { refresh, runtime, everyMs: windowMs / BUCKETS, guarded: this.#guarded });
  }

  override get closed(): boolean {
    return !this.isShutdown && this.#kind() === 'closed';
  }

  override get opened(): boolean {
    return !this.isShutdown && this.#kind() === 'open';
  }

  override get halfOpen(): boolean {
    return !this.isShutdown && this.#kind() === 'half-open';
  }

  override get pendingClose(): boolean {
    return this.halfOpen && this.machine.availableAt(this.#parts.runtime.now()) === 0;
  }

  override open(): void {
    this.machine.open('opened by hand', this.#parts.runtime.now());
  }

  override close(): void {
    this.machine.close('closed by hand', this.#parts.runtime.now());
  }

  override shutdown(): void {
    this.#disarm();
    this.#guarded(() => super.shutdown());
    if (this.isShutdown) return;
    // A listener of `shutdown` threw.
    this.removeAllListeners('shutdown');
    super.shutdown();
  }

  override call(): Promise<never> {
    return Promise.reject(useTheClient(this.name)());
  }

  /** What the attempt that is reported next rejected with: for listeners of `failure`. */
  about(error: unknown): void {
    this.#error = error;
  }

  admitted(now: number): void {
    if (!this.#overheard) return this.#window.fired(now);
    this.#window.advance(now);
    this.#tell('fire', NO_ARGUMENTS, undefined);
  }

  ended({ outcome, timedOut }: Ended, ms: number, now: number): void {
    const { policy, service } = this.#parts;
    const error = this.#error;
    this.#error = undefined;
    if (isSlow(policy, ms)) this.#slow.record(true, now);
    if (outcome === 'success' && !this.#overheard) return this.#window.succeeded(now);
    this.#window.advance(now);
    if (outcome === 'success') return this.#tell('success', undefined, ms);
    // The first listener is opossum's own counter: only the others want to know why.
    const heard = this.listenerCount('failure') > 1;
    const reason = error ?? (heard ? new Error(`${service}: the answer was a failure`) : undefined);
    if (timedOut) this.#tell('timeout', reason, ms);
    this.#tell('failure', reason, ms);
  }

  count(into: TallyCounts, now: number): void {
    this.#window.count(into, now);
    into.slowCalls = this.#parts.policy.slowCallMs === false ? 0 : this.#slow.total(now);
  }

  restart(now: number): void {
    this.#window.restart(now);
    this.#slow.clear();
  }

  rejected(error: unknown): void {
    this.#tell('reject', error, undefined);
  }

  /** Emitting to opossum alone costs three times what counting for it does. */
  #noticed(name: unknown): void {
    if (name === 'fire' || name === 'success') this.#overheard = true;
  }

  #kind(): BreakerKind {
    return this.machine.kind(this.#parts.runtime.now());
  }

  /** The machine changed its state: all are told in order, also where one who is told changes it again. */
  #follow(change: BreakerChange): void {
    if (this.#changes.push(change) > 1) return;
    for (; this.#changes.length > 0; this.#changes.shift()) this.#pass(this.#changes[0]!);
  }

  #pass(change: BreakerChange): void {
    const { from, to } = change;
    if (to === 'half-open') this.#tell('halfOpen', this.#parts.policy.openMs, undefined);
    else if (to === 'closed') this.#guarded(() => super.close());
    // Opossum itself was never half-open, so for it nothing would change.
    else if (from === 'half-open') this.#tell('open', undefined, undefined);
    else this.#guarded(() => super.open());
    this.#parts.changed(change);
  }

  /** A listener that throws must not fail the call that it is told of. */
  #tell(event: string, subject: unknown, ms: number | undefined): void {
    try {
      this.emit(event, subject, ms);
    } catch (error) {
      this.#guarded(() => {
        throw error;
      });
    }
  }
}

const useTheClient = (service: string) => (): Error =>
  new TypeError(`${service}: this breaker is fed by its client; make calls with client.fetch() or client.call()`);

const opossumOptions = ({ windowMs, openMs, failureRatio }: BreakerPolicy): Record<string, unknown> => ({
  timeout: false,
  resetTimeout: openMs,
  rollingCountTimeout: windowMs,
  rollingCountBuckets: BUCKETS,
  // They would store each latency, and sort all of them for each failure.
  rollingPercentilesEnabled: false,
  // An interval that somebody has to pay for, listener or not: see liveStatus().
  enableSnapshots: false,
  errorThresholdPercentage: failureRatio === false ? 100 : failureRatio * 100,
});
