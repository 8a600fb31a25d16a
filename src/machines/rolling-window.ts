/**
 * Counts of the last `windowMs`, kept in buckets that expire by arithmetic on `now`: no timer, no growth with traffic.
 * The window is exact to one bucket. Pure: time is an argument; a clock that goes back counts into the newest bucket.
 */
export class RollingWindow {
  readonly #bucketMs: number;
  readonly #counts: Float64Array;
  readonly #failures: Float64Array;
  readonly #slows: Float64Array;
  #total = 0;
  #failed = 0;
  #slow = 0;
  /** Number of the newest bucket since time 0. */
  #newest = -Infinity;

  constructor(windowMs: number, buckets = 10) {
    this.#bucketMs = windowMs / buckets;
    this.#counts = new Float64Array(buckets);
    this.#failures = new Float64Array(buckets);
    this.#slows = new Float64Array(buckets);
  }

  /** `slow` is counted apart: what failed may have been slow too. */
  record(failed: boolean, now: number, slow = false): void {
    this.#advance(now);
    const slot = this.#newest % this.#counts.length;
    this.#counts[slot]! += 1;
    this.#total += 1;
    if (slow) {
      this.#slows[slot]! += 1;
      this.#slow += 1;
    }
    if (!failed) return;
    this.#failures[slot]! += 1;
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
    return this.#total === 0 ? 0 : this.#failed / this.#total;
  }

  /** Share that was slow, 0–1; 0 when nothing was recorded. */
  slowRatio(now: number): number {
    this.#advance(now);
    return this.#total === 0 ? 0 : this.#slow / this.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#failures.fill(0);
    this.#slows.fill(0);
    this.#total = 0;
    this.#failed = 0;
    this.#slow = 0;
  }

  #advance(now: number): void {
    const bucket = Math.floor(now / this.#bucketMs);
    if (bucket <= this.#newest) return;
    const length = this.#counts.length;
    if (bucket - this.#newest >= length) this.clear();
    else for (let passed = this.#newest + 1; passed <= bucket; passed += 1) this.#expire(passed % length);
    this.#newest = bucket;
  }

  #expire(slot: number): void {
    this.#total -= this.#counts[slot]!;
    this.#failed -= this.#failures[slot]!;
    this.#slow -= this.#slows[slot]!;
    this.#counts[slot] = 0;
    this.#failures[slot] = 0;
    this.#slows[slot] = 0;
  }
}
