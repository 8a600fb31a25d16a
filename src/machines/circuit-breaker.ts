import { refused, type FairleadError } from '../core/errors.js';
import { REFUSED, type Gate } from '../core/gate.js';
import { guard, type Guarded } from '../core/guard.js';
import type { Outcome } from '../core/outcome.js';
import { rejectedSoon } from '../core/rejected-soon.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import { Breaker } from './breaker.js';
import type { BreakerCounts } from './breaker-rules.js';
import type { BreakerKind, BreakerMemory } from './breaker-state.js';
import { checkCircuitSnapshot } from './circuit-breaker-snapshot.js';
import { resolvePolicy, type CircuitBreakerSettings } from './circuit-breaker-options.js';
import { ExactTally, type TallyMemory } from './exact-tally.js';

/** A `CircuitBreaker` at one moment, as plain JSON, to be restored in another process. */
export interface CircuitSnapshot extends BreakerMemory {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly calls: number;
  readonly failures: number;
  readonly window: TallyMemory;
}

/**
 * A circuit breaker for use alone, around anything: refuses calls while what they call fails, and tries with a few whether it
 * works again. `createServiceClient` has one for its service already.
 *
 * Throws a TypeError or RangeError that names the option when one is wrong. It has no timer and nothing to close.
 *
 * ```ts
 * const circuit = new CircuitBreaker({ name: 'mail', consecutiveFailures: 5, openMs: 30_000 });
 * await circuit.execute(() => sendMail(message)); // rejects with CIRCUIT_OPEN while it is open
 * ```
 *
 * Where a promise is not at hand, ask and tell: `enter()` gives a ticket or `REFUSED`, and `leave(ticket, outcome)` ends it,
 * once. What began before the circuit changed its state has no say in the new one.
 */
export class CircuitBreaker implements Gate {
  readonly name: string;
  readonly #settings: CircuitBreakerSettings;
  readonly #runtime: Pick<Runtime, 'now' | 'wallNow'>;
  readonly #breaker: Breaker;
  readonly #tally: ExactTally;
  readonly #guarded: Guarded;

  constructor(settings: CircuitBreakerSettings = {}) {
    const policy = resolvePolicy(settings);
    const { name = 'circuit', runtime = systemRuntime, tripWhen, onStateChange } = settings;
    this.name = name;
    this.#settings = settings;
    this.#runtime = runtime;
    this.#guarded = guard(`a function given to the CircuitBreaker ${name}`);
    this.#tally = new ExactTally(policy, settings.windowCalls ?? false);
    const trip = (counts: BreakerCounts): string | undefined =>
      this.#guarded(() => tripWhen!(counts)) === true
        ? `${counts.failures} of ${counts.calls} calls failed`
        : undefined;
    this.#breaker = new Breaker(
      {
        policy,
        tally: this.#tally,
        tripWhen: tripWhen && trip,
        changed: ({ from, to, reason }) => this.#guarded(() => onStateChange?.({ name, from, to, reason })),
      },
      runtime.now(),
    );
  }

  /** Now: an open circuit whose time is up is half-open. */
  get state(): BreakerKind {
    return this.#breaker.kind(this.#runtime.now());
  }

  /** What the rules judge by: the window, since it closed last. */
  get counts(): BreakerCounts {
    return this.#breaker.counts(this.#runtime.now());
  }

  get availableAt(): number {
    return this.#breaker.availableAt(this.#runtime.now());
  }

  /** Claims a place: a ticket >= 0 to be handed to `leave`, or `REFUSED`. `now` is the runtime's clock. */
  enter(now = this.#runtime.now()): number {
    return this.#breaker.enter(now);
  }

  /** Reports how it ended, once per ticket. `overload` and `ignored` count as neither success nor failure. */
  leave(ticket: number, outcome: Outcome, now = this.#runtime.now()): void {
    this.#breaker.leave(ticket, { outcome }, now);
  }

  /**
   * Runs `fn` if the circuit admits it, and reports how it ended. Passes on what it gives or throws; rejects with
   * `CIRCUIT_OPEN`, and `retryAfterMs`, where it is refused.
   */
  execute<T>(fn: () => T | PromiseLike<T>): Promise<T> {
    const ticket = this.enter();
    return ticket === REFUSED ? rejectedSoon(this.refusal()) : this.#run(ticket, fn);
  }

  /** The error for who was refused by `enter`. */
  refusal(): FairleadError {
    const { state, availableInMs, reason } = this.#breaker.remember(this.#runtime.now());
    const retryAfterMs = state === 'open' && availableInMs !== null ? Math.ceil(availableInMs) : undefined;
    const when = retryAfterMs === undefined ? 'until it is closed by hand' : `retry in ${retryAfterMs} ms`;
    const what = state === 'half-open' ? 'half-open, its probes are in flight' : `open, ${when} (${reason})`;
    return refused('CIRCUIT_OPEN', `${this.name}: circuit ${what}`, { service: this.name, retryAfterMs });
  }

  /** Opens it for its time, as a rule would; then it tries. Nothing where it is open. */
  open(): void {
    this.#breaker.open('opened by hand', this.#runtime.now());
  }

  /** Opens it until `close()`. */
  isolate(): void {
    this.#breaker.isolate('isolated', this.#runtime.now());
  }

  /** Closes it, and counts anew. */
  close(): void {
    this.#breaker.close('closed by hand', this.#runtime.now());
  }

  /** For another process to go on from: kept between the runs of a function that is frozen or started anew for each call. */
  snapshot(): CircuitSnapshot {
    const now = this.#runtime.now();
    const { calls, failures } = this.#breaker.counts(now);
    const window = this.#tally.remember(this.#breaker.clock.at(now));
    return { ...this.#breaker.remember(now), at: this.#runtime.wallNow(), calls, failures, window };
  }

  /**
   * Goes on where a snapshot was taken; the time since then, by the wall clock, counts. Calls that are under way here have no
   * say any more. Throws a TypeError for what is no snapshot, and changes nothing then.
   */
  restore(snapshot: CircuitSnapshot): void {
    const { at, window, ...memory } = checkCircuitSnapshot(snapshot);
    const now = this.#runtime.now();
    const sinceMs = Math.max(0, this.#runtime.wallNow() - at);
    const { availableInMs, forMs } = memory;
    const leftMs = availableInMs === null ? null : availableInMs - sinceMs;
    this.#tally.recall(window, this.#breaker.clock.at(now), sinceMs);
    this.#breaker.recall({ ...memory, forMs: forMs + sinceMs, availableInMs: leftMs }, now);
  }

  async #run<T>(ticket: number, fn: () => T | PromiseLike<T>): Promise<T> {
    let result: T;
    try {
      result = await fn();
    } catch (error) {
      this.leave(ticket, this.#outcomeOf({ failed: true, error }));
      throw error;
    }
    this.leave(ticket, this.#outcomeOf({ failed: false, result }));
    return result;
  }

  #outcomeOf(ended: { failed: true; error: unknown } | { failed: false; result: unknown }): Outcome {
    const usual = ended.failed ? 'failure' : 'success';
    const { isSuccessful } = this.#settings;
    if (isSuccessful === undefined) return usual;
    const said = this.#guarded(() =>
      ended.failed ? isSuccessful(ended.error, undefined) : isSuccessful(undefined, ended.result),
    );
    if (said === 'ignored') return said;
    return said === undefined ? usual : said ? 'success' : 'failure';
  }
}
