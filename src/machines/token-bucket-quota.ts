import { SET_BACK_MS, type Quota } from './limiter.js';

/** Tokens that are missing by less than this are there: ten times a tenth is one, whatever binary fractions say. */
const ROUNDING = 1e-6;

/**
 * The arithmetic of a token bucket, after Go's `golang.org/x/time/rate`: `perSecond` tokens flow in, up to `burst`; who takes
 * more than there are by a reservation leaves a debt. O(1), a few numbers, no timer.
 */
export class BucketQuota implements Quota {
  #perMs: number;
  #burst: number;
  /**
   * [0]: tokens, below 0 where more are reserved; [1]: when they were counted, monotonic ms. An array of doubles is written in
   * place, where a field may get a new number object each time; indices by name would be loads from the module.
   */
  readonly #level: Float64Array;
  /** When the latest reservation is due, monotonic ms. */
  #lastDueAt = -Infinity;

  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
    this.#level = Float64Array.of(burst, -Infinity);
  }

  get perSecond(): number {
    return this.#perMs * 1_000;
  }

  get burst(): number {
    return this.#burst;
  }

  /** An infinite rate takes no notice of the burst. */
  get most(): number {
    return this.#perMs === Infinity ? Infinity : this.#burst;
  }

  take(n: number, now: number): boolean {
    if (this.#perMs === Infinity) return true;
    const level = this.#level;
    if (now !== level[1]) this.#advance(now);
    const tokens = level[0]!;
    if ((n > tokens && n > tokens + ROUNDING) || n > this.#burst) return false;
    level[0] = tokens - n;
    return true;
  }

  delayMs(n: number, now: number): number {
    const missing = n - this.tokens(now);
    if (missing <= ROUNDING) return 0;
    return this.#perMs === 0 ? Infinity : missing / this.#perMs;
  }

  tokens(now: number): number {
    this.#advance(now);
    return this.#perMs === Infinity ? Infinity : this.#level[0]!;
  }

  giveBack(n: number, _takenAt: number, now: number): void {
    this.#level[0] = Math.min(this.#burst, this.tokens(now) + n);
  }

  freshAt(now: number): number {
    return now + this.delayMs(this.#perMs === Infinity ? 0 : this.#burst, now);
  }

  /** Takes n whether they are there or not, and returns when they will be, monotonic ms. */
  reserve(n: number, now: number): number {
    const delayMs = this.delayMs(n, now);
    this.#lastDueAt = this.#level[1]! + delayMs;
    if (this.#perMs !== Infinity) this.#level[0] = this.#level[0]! - n;
    return this.#lastDueAt;
  }

  /** A place behind those who wait was promised for then: what is taken later comes after it. */
  promised(dueAt: number): void {
    this.#lastDueAt = dueAt;
  }

  /**
   * Takes a reservation back, as Go does: but for the tokens that were reserved after it, since those reservations stay where
   * they are, and all would act together. `perSecond` is the rate at which it was made.
   */
  cancel({ n, dueAt, perSecond }: { n: number; dueAt: number; perSecond: number }, now: number): void {
    if (this.#perMs === Infinity || n === 0 || dueAt < now) return;
    const reservedLater = Math.max(0, ((this.#lastDueAt - dueAt) * perSecond) / 1_000);
    const restored = n - (Number.isNaN(reservedLater) ? 0 : reservedLater);
    if (restored <= 0) return;
    this.giveBack(restored, now, now);
    const previousDueAt = dueAt - (n * 1_000) / perSecond;
    if (dueAt === this.#lastDueAt && previousDueAt >= now) this.#lastDueAt = previousDueAt;
  }

  /** The tokens that flowed in so far stay; those above a lower burst go with the next ones. */
  change(perSecond: number, burst: number, now: number): void {
    this.#advance(now);
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
  }

  #advance(now: number): void {
    const level = this.#level;
    const passedMs = now - level[1]!;
    if (passedMs < 0 && passedMs >= -SET_BACK_MS) return;
    level[1] = now;
    const tokens = level[0]!;
    // Of a clock that was set back, and of a rate of 0 over the time before the first reading, nothing flows in.
    const more = passedMs > 0 && this.#perMs > 0 ? tokens + passedMs * this.#perMs : tokens;
    level[0] = more < this.#burst ? more : this.#burst;
  }
}
