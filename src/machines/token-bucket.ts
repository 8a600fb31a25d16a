import * as check from '../core/check.js';
import type { Runtime } from '../core/runtime.js';
import type { AcquireOptions, Limiter, LimiterSnapshot } from './limiter.js';
import { LimiterLine, type Waiter } from './limiter-line.js';
import { BucketQuota } from './token-bucket-quota.js';

export interface TokenBucketOptions {
  /** Permits that flow in each second, >= 0; 0: none but the first `burst`, Infinity: no limit. */
  readonly perSecond: number;
  /** The most that can be saved up, and taken at once, >= 0. @default what flows in in a second, at least 1 */
  readonly burst?: number | undefined;
  /** Whose clock counts. @default the system's, or that of the first client which uses it */
  readonly runtime?: Runtime | undefined;
}

/** Permits promised for a moment to come. */
export interface Reservation {
  /** False: they will never be there, since they are more than `burst`, or nothing flows in. Then nothing is held. */
  readonly ok: boolean;
  /** How long to wait before acting, in ms; 0 = act now, Infinity where it is not `ok`. */
  delayMs(now?: number): number;
  /** Nobody will act: gives the permits back, but for those that were reserved behind them. Too late once they were due. */
  cancel(now?: number): void;
}

/**
 * At most `perSecond` in the long run, and `burst` at once: for a quota that a provider publishes, or a rate that a service can
 * bear. Use it where calls may come in bursts; use `slidingWindow()` where no window of time may ever hold more than so many.
 *
 * - `tryAcquire`: take it or leave it. Most use this.
 * - `acquire`: wait in line, with an abort signal and a bound.
 * - `reserve`: learn when to act, and wait by your own means.
 *
 * Works as Go's `golang.org/x/time/rate` does, with one line for all who wait. Throws a TypeError or RangeError that names the
 * option when one is wrong.
 *
 * ```ts
 * const mails = tokenBucket({ perSecond: 10, burst: 20 });
 * await mails.acquire(1, { maxWaitMs: 1_000 });
 * ```
 */
export const tokenBucket = (options: TokenBucketOptions): TokenBucket => {
  const hint = '; write tokenBucket({ perSecond: 100, burst: 20 })';
  const given = check.object('tokenBucket', options, { known: ['perSecond', 'burst', 'runtime'], hint });
  if (given['perSecond'] === undefined) throw new TypeError(`tokenBucket: expected perSecond${hint}`);
  check.number('tokenBucket.perSecond', options.perSecond, { min: 0 });
  check.number('tokenBucket.burst', options.burst, { min: 0 });
  check.hasMethods('tokenBucket.runtime', options.runtime, ['now', 'sleep']);
  return new TokenBucket(options);
};

/** Made by `tokenBucket()`. */
export class TokenBucket implements Limiter {
  readonly #quota: BucketQuota;
  readonly #line: LimiterLine;
  #rule: string;

  /** @internal */
  constructor({ perSecond, burst = Math.max(1, perSecond), runtime }: TokenBucketOptions) {
    this.#quota = new BucketQuota(perSecond, burst);
    this.#line = new LimiterLine(this.#quota, runtime);
    this.#rule = ruleOf(perSecond, burst);
  }

  get perSecond(): number {
    return this.#quota.perSecond;
  }

  get burst(): number {
    return this.#quota.burst;
  }

  get rule(): string {
    return this.#rule;
  }

  tryAcquire(n = 1, now = this.#line.now()): boolean {
    return this.#line.tryAcquire(n, now);
  }

  acquire(n = 1, options: AcquireOptions = {}): Promise<void> {
    return this.#line.acquire(n, this.#rule, options);
  }

  /** Permits for later, behind those who wait. They count as taken from now on. */
  reserve(n = 1, now = this.#line.now()): Reservation {
    const delayMs = this.#line.delayMs(n, now);
    if (delayMs === Infinity) return NEVER;
    return this.#line.waiting === 0 ? this.#reserveNow(n, now) : this.#reserveBehind(n, now, now + delayMs);
  }

  delayMs(n = 1, now = this.#line.now()): number {
    return this.#line.delayMs(n, now);
  }

  giveBack(n = 1, takenAt = this.#line.now()): void {
    this.#line.giveBack(n, takenAt);
  }

  freshAt(now = this.#line.now()): number {
    return this.#line.waiting > 0 ? Infinity : this.#quota.freshAt(now);
  }

  /** Another rate or burst from now on. Who waits is served by the new ones; what was reserved keeps its time. */
  update({ perSecond = this.perSecond, burst = this.burst }: Partial<Omit<TokenBucketOptions, 'runtime'>>): void {
    check.number('tokenBucket.perSecond', perSecond, { min: 0 });
    check.number('tokenBucket.burst', burst, { min: 0 });
    const now = this.#line.now();
    this.#quota.change(perSecond, burst, now);
    this.#rule = ruleOf(perSecond, burst);
    this.#line.review(now);
  }

  snapshot(now = this.#line.now()): LimiterSnapshot {
    const tokens = this.#quota.tokens(now);
    const available = Number.isFinite(tokens) ? Math.max(0, Math.floor(tokens)) : null;
    return { rule: this.#rule, available, waiting: this.#line.waiting, keys: null };
  }

  adopt(runtime: Runtime): boolean {
    return this.#line.adopt(runtime);
  }

  #reserveNow(n: number, now: number): Reservation {
    const { perSecond } = this;
    const dueAt = this.#quota.reserve(n, now);
    const cancel = (at: number): void => {
      this.#quota.cancel({ n, dueAt, perSecond }, at);
      this.#line.serve(at);
    };
    return this.#reservation(dueAt, cancel);
  }

  /** It stands in line as one who waits would, though nobody is called when its turn comes. */
  #reserveBehind(n: number, now: number, dueAt: number): Reservation {
    const { perSecond } = this;
    const waiter: Waiter = { n, latestAt: Infinity, granted: () => undefined, refused: () => undefined };
    this.#line.join(waiter, now);
    this.#quota.promised(dueAt);
    const cancel = (at: number): void => {
      if (this.#line.leave(waiter)) return;
      this.#quota.cancel({ n, dueAt, perSecond }, at);
      this.#line.serve(at);
    };
    return this.#reservation(dueAt, cancel);
  }

  #reservation(dueAt: number, undo: (at: number) => void): Reservation {
    let held = true;
    return {
      ok: true,
      delayMs: (now = this.#line.now()) => Math.max(0, dueAt - now),
      cancel: (now = this.#line.now()) => {
        if (held) undo(now);
        held = false;
      },
    };
  }
}

const NEVER: Reservation = Object.freeze({ ok: false, delayMs: () => Infinity, cancel: () => undefined });

const ruleOf = (perSecond: number, burst: number): string =>
  perSecond === Infinity ? 'no limit' : `${perSecond}/s, burst ${burst}`;
