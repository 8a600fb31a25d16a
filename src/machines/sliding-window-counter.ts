import { SET_BACK_MS, type Quota } from './limiter.js';

/** An estimate that is over by less than this is not: fractions of a window are not exact in binary. */
const ROUNDING = 1e-6;

/**
 * The sliding window of two counters: what was taken in the window before counts by the share of it that the sliding one still
 * covers, as if it had come evenly. O(1) in time and memory, whatever the limit. For its error see `slidingWindow`.
 */
export class WindowCounter implements Quota {
  readonly #windowMs: number;
  #limit: number;
  #startedAt = -Infinity;
  #previous = 0;
  #current = 0;
  #newest = -Infinity;

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  get most(): number {
    return this.#limit;
  }

  set most(limit: number) {
    this.#limit = limit;
  }

  /** Permits that count at `now`, as estimated. */
  used(now: number): number {
    const at = this.#advance(now);
    return this.#current + this.#previous * (1 - (at - this.#startedAt) / this.#windowMs);
  }

  take(n: number, now: number): boolean {
    if (this.#limit === Infinity) return true;
    if (this.used(now) + n > this.#limit + ROUNDING) return false;
    this.#current += n;
    return true;
  }

  delayMs(n: number, now: number): number {
    if (this.#limit === Infinity || n === 0) return 0;
    if (this.#limit === 0) return Infinity;
    // What is taken in a first round of `limit` keeps the next round waiting for a window, more or less.
    const rounds = Math.floor((n - 1) / this.#limit);
    return this.#ownDelayMs(n - rounds * this.#limit, now) + rounds * this.#windowMs;
  }

  giveBack(n: number, takenAt: number, now: number): void {
    this.#advance(now);
    if (takenAt >= this.#startedAt) this.#current = Math.max(0, this.#current - n);
    else if (takenAt >= this.#startedAt - this.#windowMs) this.#previous = Math.max(0, this.#previous - n);
  }

  freshAt(now: number): number {
    const at = this.#advance(now);
    if (this.#current > 0) return this.#startedAt + 2 * this.#windowMs;
    return this.#previous > 0 ? this.#startedAt + this.#windowMs : at;
  }

  /** When what counts has shrunk enough: in this window, or in the next one, where what is current now shrinks. */
  #ownDelayMs(n: number, now: number): number {
    if (this.used(now) + n <= this.#limit + ROUNDING) return 0;
    const free = this.#limit - n;
    const windows = free >= this.#current ? 1 - (free - this.#current) / this.#previous : 2 - free / this.#current;
    return Math.max(0, this.#startedAt + this.#windowMs * windows - this.#newest);
  }

  /** Moves to the window of `now`, and returns the time that counts as now. */
  #advance(now: number): number {
    if (now < this.#newest) {
      if (now >= this.#newest - SET_BACK_MS) now = this.#newest;
      else this.#startedAt -= this.#newest - now;
    }
    this.#newest = now;
    const passed = now - this.#startedAt;
    if (passed < this.#windowMs) return now;
    this.#previous = passed < 2 * this.#windowMs ? this.#current : 0;
    this.#current = 0;
    this.#startedAt = passed < 2 * this.#windowMs ? this.#startedAt + this.#windowMs : now;
    return now;
  }
}
