import type { FairleadError } from '../core/errors.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import { SharedAborts } from './shared-aborts.js';
import { checkPermits, rateLimited, type AcquireOptions, type Quota } from './limiter.js';

/** Somebody in the line. */
export interface Waiter {
  readonly n: number;
  /** Monotonic ms after which it is of no use. */
  readonly latestAt: number;
  granted(now: number): void;
  refused(waitMs: number): void;
}

/** A wait below the resolution of any clock would not move it on. */
const SHORTEST_WAIT_MS = 0.001;

/**
 * A quota, and the line of those who wait for it: first come, first served, nobody overtakes. One timer at most, for the
 * head. Whatever makes the wait of somebody shorter (who is before him gives up, permits come back, a higher rate) takes
 * effect at once.
 */
export class LimiterLine {
  readonly #quota: Quota;
  /** A Set keeps the order of arrival and gives up any waiter in O(1). */
  readonly #waiting = new Set<Waiter>();
  readonly #aborts = new SharedAborts();
  #runtime: Runtime | undefined;
  #wanted = 0;
  /** Somebody waits: asked by each call, and cheaper than the size of a Set. */
  #busy = false;
  #alarm: { readonly at: number; readonly off: AbortController } | undefined;

  constructor(quota: Quota, runtime: Runtime | undefined) {
    this.#quota = quota;
    this.#runtime = runtime;
  }

  /** True if it runs on `runtime` now. */
  adopt(runtime: Runtime): boolean {
    return (this.#runtime ??= runtime) === runtime;
  }

  now(): number {
    return (this.#runtime ?? systemRuntime).now();
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  tryAcquire(n: number, now: number): boolean {
    checkPermits(n);
    return !this.#busy && this.#quota.take(n, now);
  }

  delayMs(n: number, now: number): number {
    checkPermits(n);
    return n > this.#quota.most ? Infinity : this.#quota.delayMs(this.#wanted + n, now);
  }

  giveBack(n: number, takenAt: number): void {
    checkPermits(n);
    const now = this.now();
    this.#quota.giveBack(n, takenAt, now);
    this.serve(now);
  }

  acquire(n: number, rule: string, { signal, maxWaitMs = Infinity }: AcquireOptions): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const now = this.now();
      if (this.tryAcquire(n, now)) return resolve();
      const refuse = (waitMs: number): void => reject(tooLong(`${n} of ${rule}`, waitMs));
      const waitMs = this.delayMs(n, now);
      if (n > this.#quota.most || waitMs > maxWaitMs) return refuse(waitMs);
      const waiter: Waiter = {
        n,
        latestAt: now + maxWaitMs,
        granted: () => {
          forget?.();
          resolve();
        },
        refused: ms => {
          forget?.();
          refuse(ms);
        },
      };
      const aborted = (reason: unknown): void => {
        this.leave(waiter);
        reject(reason);
      };
      const forget = signal && this.#aborts.add(signal, aborted);
      this.join(waiter, now);
    });
  }

  join(waiter: Waiter, now: number): void {
    this.#waiting.add(waiter);
    this.#busy = true;
    this.#wanted += waiter.n;
    if (this.#waiting.size === 1) this.#arm(now);
  }

  /** Gives up its place; false if it was served already. */
  leave(waiter: Waiter): boolean {
    const [head] = this.#waiting;
    if (!this.#waiting.has(waiter)) return false;
    this.#drop(waiter);
    if (waiter === head) this.serve(this.now());
    return true;
  }

  /** Hands out what there is, from the head. */
  serve(now: number): void {
    if (this.#waiting.size === 0 && this.#alarm === undefined) return;
    for (const waiter of this.#waiting) {
      if (!this.#quota.take(waiter.n, now)) break;
      this.#drop(waiter);
      waiter.granted(now);
    }
    this.#arm(now);
  }

  /** The quota changed: who would now wait longer than he can is told so at once. */
  review(now: number): void {
    let before = 0;
    for (const waiter of this.#waiting) {
      const waitMs = waiter.n > this.#quota.most ? Infinity : this.#quota.delayMs(before + waiter.n, now);
      if (waiter.n > this.#quota.most || now + waitMs > waiter.latestAt) {
        this.#drop(waiter);
        waiter.refused(waitMs);
      } else before += waiter.n;
    }
    this.serve(now);
  }

  #drop(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    this.#busy = this.#waiting.size > 0;
    this.#wanted -= waiter.n;
  }

  /** Somebody awaits this: the timer keeps the process alive, other than one of the background. */
  #arm(now: number): void {
    const [head] = this.#waiting;
    const delayMs = head === undefined ? Infinity : Math.max(SHORTEST_WAIT_MS, this.#quota.delayMs(head.n, now));
    if (this.#alarm !== undefined && Math.abs(now + delayMs - this.#alarm.at) < SHORTEST_WAIT_MS) return;
    // An abort without a reason would make an error with a stack.
    this.#alarm?.off.abort('moved');
    this.#alarm = undefined;
    if (delayMs === Infinity) return;
    const runtime = this.#runtime ?? systemRuntime;
    const alarm = (this.#alarm = { at: now + delayMs, off: new AbortController() });
    const ring = (): void => {
      if (this.#alarm !== alarm) return;
      this.#alarm = undefined;
      this.serve(runtime.now());
    };
    runtime.sleep(delayMs, alarm.off.signal).then(ring, () => undefined);
  }
}

const tooLong = (what: string, waitMs: number): FairleadError => {
  const when = waitMs === Infinity ? 'would never be free' : `would be free in ${Math.ceil(waitMs)} ms`;
  return rateLimited(`rate limited: ${what} ${when}`, waitMs);
};
