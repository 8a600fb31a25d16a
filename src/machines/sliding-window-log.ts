import { SET_BACK_MS, type Quota } from './limiter.js';

/** Places at first; doubled as needed, up to the limit. */
const FIRST_SIZE = 16;

/**
 * The exact sliding window: the time of each permit of the last `windowMs`, in a ring. No window of that length, wherever it
 * begins, ever holds more than `limit`. O(1) for one permit; 8 bytes for each that counts, 8 × limit at most.
 */
export class WindowLog implements Quota {
  readonly #windowMs: number;
  #limit: number;
  /** A ring of times, oldest first: its length is a power of two, so that a mask wraps. */
  #times = new Float64Array(FIRST_SIZE);
  #first = 0;
  #count = 0;
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

  /** Permits that count at `now`. */
  used(now: number): number {
    this.#expire(now);
    return this.#count;
  }

  take(n: number, now: number): boolean {
    if (this.#limit === Infinity) return true;
    const at = this.#expire(now);
    if (this.#count + n > this.#limit) return false;
    while (this.#count + n > this.#times.length) this.#grow();
    for (let left = n; left > 0; left -= 1) this.#put(this.#count++, at);
    return true;
  }

  delayMs(n: number, now: number): number {
    if (this.#limit === Infinity || n === 0) return 0;
    if (this.#limit === 0) return Infinity;
    const at = this.#expire(now);
    // What is taken in a first round of `limit` is free again one window later, in the same order.
    const rounds = Math.floor((n - 1) / this.#limit);
    const over = this.#count + (n - rounds * this.#limit) - this.#limit;
    const ownMs = over <= 0 ? 0 : this.#time(over - 1) + this.#windowMs - at;
    return ownMs + rounds * this.#windowMs;
  }

  /** Looks for permits of that time from the newest on: mostly they are. */
  giveBack(n: number, takenAt: number, now: number): void {
    this.#expire(now);
    for (let left = n; left > 0; left -= 1) {
      let index = this.#count - 1;
      while (index >= 0 && this.#time(index) > takenAt) index -= 1;
      if (index < 0) return;
      this.#count -= 1;
      for (; index < this.#count; index += 1) this.#put(index, this.#time(index + 1));
    }
  }

  freshAt(now: number): number {
    const at = this.#expire(now);
    return this.#count === 0 ? at : this.#time(this.#count - 1) + this.#windowMs;
  }

  #time(index: number): number {
    return this.#times[(this.#first + index) & (this.#times.length - 1)]!;
  }

  #put(index: number, time: number): void {
    this.#times[(this.#first + index) & (this.#times.length - 1)] = time;
  }

  /** Drops what is a window old, and returns the time that counts as now. */
  #expire(now: number): number {
    if (now < this.#newest) {
      if (now >= this.#newest - SET_BACK_MS) now = this.#newest;
      else this.#moveBack(this.#newest - now);
    }
    this.#newest = now;
    const mask = this.#times.length - 1;
    const until = now - this.#windowMs;
    while (this.#count > 0 && this.#times[this.#first]! <= until) {
      this.#first = (this.#first + 1) & mask;
      this.#count -= 1;
    }
    return now;
  }

  /** The clock was set back: what was taken is as old as it was. */
  #moveBack(ms: number): void {
    for (let index = 0; index < this.#count; index += 1) this.#put(index, this.#time(index) - ms);
  }

  #grow(): void {
    const larger = new Float64Array(this.#times.length * 2);
    for (let index = 0; index < this.#count; index += 1) larger[index] = this.#time(index);
    this.#times = larger;
    this.#first = 0;
  }
}
