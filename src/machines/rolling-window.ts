const CELLS = 3;
const FAILED = 1;
const SLOW = 2;

/**
 * Counts of the last `windowMs`, kept in buckets that expire by arithmetic on `now`: no timer, no growth with traffic.
 * The window is exact to one bucket. Pure: time is an argument; a clock that goes back counts into the newest bucket.
 */
export class RollingWindow {
  readonly #bucketMs: number;
  readonly #buckets: number;
  /** Three numbers a bucket: all, failed, slow. One array for all, since each endpoint has a window. */
  readonly #cells: Uint32Array;
  #total = 0;
  #failed = 0;
  #slow = 0;
  /** Number of the newest bucket since time 0, and when the next begins. */
  #newest = -Infinity;
  #nextAt = -Infinity;
  /** Where its numbers begin: a remainder of a double is a call into C, too dear for each attempt. */
  #cell = 0;

  constructor(windowMs: number, buckets = 10) {
    this.#bucketMs = windowMs / buckets;
    this.#buckets = buckets;
    this.#cells = new Uint32Array(buckets * CELLS);
  }

  /** `slow` is counted apart: what failed may have been slow too. */
  record(failed: boolean, now: number, slow = false): void {
    this.#advance(now);
    const cell = this.#cell;
    this.#cells[cell]! += 1;
    this.#total += 1;
    if (slow) {
      this.#cells[cell + SLOW]! += 1;
      this.#slow += 1;
    }
    if (!failed) return;
    this.#cells[cell + FAILED]! += 1;
    this.#failed += 1;
  }

  /** How many were recorded in the window. */
  total(now: number): number {
    this.#advance(now);
    return this.#total;
  }

  /** Share that failed, 0–1; 0 when nothing was recorded. */
  failureRatio(now: number): number {
    this.#advance(now);
    return this.#failed === 0 ? 0 : this.#failed / this.#total;
  }

  /** Share that was slow, 0–1; 0 when nothing was recorded. */
  slowRatio(now: number): number {
    this.#advance(now);
    return this.#total === 0 ? 0 : this.#slow / this.#total;
  }

  clear(): void {
    this.#cells.fill(0);
    this.#total = 0;
    this.#failed = 0;
    this.#slow = 0;
  }

  #advance(now: number): void {
    // Most often nothing is to be done: no division then.
    if (now < this.#nextAt) return;
    const bucket = Math.floor(now / this.#bucketMs);
    if (bucket <= this.#newest) return;
    const length = this.#buckets;
    if (bucket - this.#newest >= length) this.clear();
    else for (let passed = this.#newest + 1; passed <= bucket; passed += 1) this.#expire(passed % length);
    this.#newest = bucket;
    this.#nextAt = (bucket + 1) * this.#bucketMs;
    this.#cell = (bucket % length) * CELLS;
  }

  #expire(bucket: number): void {
    const cell = bucket * CELLS;
    this.#total -= this.#cells[cell]!;
    this.#failed -= this.#cells[cell + FAILED]!;
    this.#slow -= this.#cells[cell + SLOW]!;
    this.#cells.fill(0, cell, cell + CELLS);
  }
}
