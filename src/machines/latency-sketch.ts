/**
 * Which time do a share q of the attempts stay below? In bounded memory, and forgetting: use it to say what "unusually slow"
 * is now. Not for totals or for exact figures: answers are within 2.5 % of a real one.
 *
 * Source of the shape: DDSketch (Masson, Rim, Lee, VLDB 2019): buckets that grow by a constant factor, so that the error is
 * relative. Each count halves in `halfLifeMs`, so that yesterday's latency does not speak for today's.
 */
const ACCURACY = 0.025;
const GROWTH = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GROWTH = Math.log(GROWTH);
/** 0.05 ms to 16 minutes. */
const SMALLEST_MS = 0.05;
const BUCKETS = Math.ceil(Math.log(1_000_000 / SMALLEST_MS) / LOG_GROWTH) + 1;
/** How often counts are aged: each time costs one pass over the buckets. */
const STEP_MS = 1_000;

export class LatencySketch {
  readonly #halfLifeMs: number;
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #agedAt = -Infinity;

  constructor({ halfLifeMs }: { readonly halfLifeMs: number }) {
    this.#halfLifeMs = halfLifeMs;
  }

  observe(ms: number, now: number): void {
    this.#age(now);
    const bucket = ms <= SMALLEST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / SMALLEST_MS) / LOG_GROWTH));
    this.#counts[bucket]! += 1;
    this.#total += 1;
  }

  /** How many observations it still remembers; old ones count in part. */
  count(now: number): number {
    this.#age(now);
    return this.#total;
  }

  /** In ms; 0 before the first observation. `q` is 0–1. */
  quantile(q: number, now: number): number {
    this.#age(now);
    const rank = q * this.#total;
    let seen = 0;
    let reached = -1;
    for (let bucket = 0; bucket < BUCKETS && (reached < 0 || seen < rank); bucket += 1) {
      const count = this.#counts[bucket]!;
      seen += count;
      if (count > 0) reached = bucket;
    }
    // The middle of the bucket: as far from its lower as from its upper end, relatively.
    return reached < 0 ? 0 : (SMALLEST_MS * GROWTH ** reached * 2) / (GROWTH + 1);
  }

  #age(now: number): void {
    const passedMs = now - this.#agedAt;
    // A clock that went back ages nothing.
    if (passedMs < STEP_MS) return;
    this.#agedAt = now;
    if (this.#total === 0) return;
    const kept = 0.5 ** (passedMs / this.#halfLifeMs);
    // Summed anew, so that rounding errors cannot add up.
    this.#total = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) this.#total += this.#counts[bucket]! *= kept;
  }
}
