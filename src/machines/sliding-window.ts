import * as check from '../core/check.js';
import type { Runtime } from '../core/runtime.js';
import type { AcquireOptions, Limiter, LimiterSnapshot } from './limiter.js';
import { LimiterLine } from './limiter-line.js';
import { WindowCounter } from './sliding-window-counter.js';
import { WindowLog } from './sliding-window-log.js';

export interface SlidingWindowOptions {
  /** Permits in any window, a whole number >= 0; Infinity: no limit. */
  readonly limit: number;
  /** The length of the window, in ms, > 0. @default 1_000 */
  readonly windowMs?: number | undefined;
  /** `true`: keeps the time of each permit, 8 bytes × limit; `false`: two counters, and an estimate. @default true */
  readonly exact?: boolean | undefined;
  /** Whose clock counts. @default the system's, or that of the first client which uses it */
  readonly runtime?: Runtime | undefined;
}

/**
 * At most `limit` in any window of `windowMs`, wherever it begins: for a provider that counts so and blocks who exceeds it.
 * Use `tokenBucket()` where a steady rate with bursts is meant: it is as cheap, and lets nobody wait for a whole window.
 *
 * With `exact: false` time and memory are O(1), for limits in the millions or one limiter for each of very many keys. Then what
 * came in the window before counts as if it had come evenly. Its error: even traffic is counted right; where all of the last
 * window came at its end, a window may hold up to twice the limit; where it came at its beginning, up to as much is refused
 * that the limit would allow.
 *
 * Throws a TypeError or RangeError that names the option when one is wrong.
 *
 * ```ts
 * const search = slidingWindow({ limit: 60, windowMs: 60_000 });
 * if (!search.tryAcquire()) console.log(`again in ${search.delayMs()} ms`);
 * ```
 */
export const slidingWindow = (options: SlidingWindowOptions): SlidingWindow => {
  const hint = '; write slidingWindow({ limit: 100, windowMs: 1_000 })';
  const given = check.object('slidingWindow', options, { known: ['limit', 'windowMs', 'exact', 'runtime'], hint });
  if (given['limit'] === undefined) throw new TypeError(`slidingWindow: expected limit${hint}`);
  checkLimit(options.limit, options.exact ?? true);
  check.number('slidingWindow.windowMs', options.windowMs, { min: 0, above: true });
  check.ofType('slidingWindow.exact', options.exact, 'boolean');
  check.hasMethods('slidingWindow.runtime', options.runtime, ['now', 'sleep']);
  return new SlidingWindow(options);
};

/** 80 MB of times. */
const MOST_EXACT = 10_000_000;

const checkLimit = (limit: unknown, exact: boolean): void => {
  if (limit === Infinity) return;
  check.number('slidingWindow.limit', limit, { min: 0, integer: true });
  if (exact) check.number('slidingWindow.limit of an exact window', limit, { min: 0, max: MOST_EXACT });
};

/** Made by `slidingWindow()`. */
export class SlidingWindow implements Limiter {
  readonly windowMs: number;
  readonly exact: boolean;
  readonly #quota: WindowLog | WindowCounter;
  readonly #line: LimiterLine;

  /** @internal */
  constructor({ limit, windowMs = 1_000, exact = true, runtime }: SlidingWindowOptions) {
    this.windowMs = windowMs;
    this.exact = exact;
    this.#quota = exact ? new WindowLog(limit, windowMs) : new WindowCounter(limit, windowMs);
    this.#line = new LimiterLine(this.#quota, runtime);
  }

  get limit(): number {
    return this.#quota.most;
  }

  get rule(): string {
    return this.limit === Infinity ? 'no limit' : `${this.limit} in ${this.windowMs} ms`;
  }

  tryAcquire(n = 1, now = this.#line.now()): boolean {
    return this.#line.tryAcquire(n, now);
  }

  acquire(n = 1, options: AcquireOptions = {}): Promise<void> {
    return this.#line.acquire(n, this.rule, options);
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

  /** Another limit from now on. What was taken counts on. */
  update({ limit }: { readonly limit: number }): void {
    checkLimit(limit, this.exact);
    this.#quota.most = limit;
    this.#line.review(this.#line.now());
  }

  snapshot(now = this.#line.now()): LimiterSnapshot {
    const free = this.limit - this.#quota.used(now);
    const available = this.limit === Infinity ? null : Math.max(0, Math.floor(free));
    return { rule: this.rule, available, waiting: this.#line.waiting, keys: null };
  }

  adopt(runtime: Runtime): boolean {
    return this.#line.adopt(runtime);
  }
}
