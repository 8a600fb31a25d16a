/** One tenth of opossum's window; the newest stands first and is counted into. */
export interface OpossumBucket {
  fires: number;
  successes: number;
  readonly failures: number;
  latencyTimes: readonly number[];
}

export interface OpossumWindowParts {
  readonly windowMs: number;
  /** Drops the oldest bucket and begins a new one. */
  rotate(): void;
  buckets(): readonly OpossumBucket[];
}

export const BUCKETS = 10;

/** Takes latencies and keeps none: opossum would store one for each call of the window, and sort them for each failure. */
const SINK: readonly number[] = Object.freeze(Object.assign([], { push: () => 0 }));

/**
 * Opossum's window on another clock than its own: its buckets are turned by arithmetic whenever somebody counts or looks, so
 * that no timer is needed and virtual time works. Reads the counts since the circuit closed last, which opossum does not
 * keep apart. Exact to one bucket.
 */
export class OpossumWindow {
  readonly #parts: OpossumWindowParts;
  readonly #bucketMs: number;
  #buckets: readonly OpossumBucket[] = [];
  /** Number of the newest bucket since time 0. */
  #newest: number;
  /** When the next one begins. */
  #nextAt: number;
  /** The bucket in which counting began anew, and what it held by then. */
  #first: number;
  #before: Readonly<Omit<OpossumBucket, 'latencyTimes'>> = { fires: 0, successes: 0, failures: 0 };

  constructor(parts: OpossumWindowParts, now: number) {
    this.#parts = parts;
    this.#bucketMs = parts.windowMs / BUCKETS;
    this.#newest = this.#first = Math.floor(now / this.#bucketMs);
    this.#nextAt = (this.#newest + 1) * this.#bucketMs;
    this.#look();
  }

  /** Lets the time pass. Time never goes back here. */
  advance(now: number): void {
    if (now < this.#nextAt) return;
    const bucket = Math.floor(now / this.#bucketMs);
    if (bucket <= this.#newest) return;
    for (let turns = Math.min(BUCKETS, bucket - this.#newest); turns > 0; turns -= 1) this.#parts.rotate();
    this.#newest = bucket;
    this.#nextAt = (bucket + 1) * this.#bucketMs;
    this.#look();
  }

  /** What opossum itself does when it hears of a `fire`. */
  fired(now: number): void {
    this.advance(now);
    this.#buckets[0]!.fires += 1;
  }

  /** The same for a `success`. */
  succeeded(now: number): void {
    this.advance(now);
    this.#buckets[0]!.successes += 1;
  }

  /** Counts of the window since the last restart. What began before and ended since makes a call too. */
  count(into: { calls: number; failures: number }, now: number): void {
    this.advance(now);
    const age = this.#newest - this.#first;
    const before = age < BUCKETS ? this.#before : NONE;
    let fires = -before.fires;
    let failures = -before.failures;
    let ended = -before.successes - before.failures;
    for (let nth = 0; nth < BUCKETS && nth <= age; nth += 1) {
      const bucket = this.#buckets[nth]!;
      fires += bucket.fires;
      failures += bucket.failures;
      ended += bucket.successes + bucket.failures;
    }
    into.calls = Math.max(fires, ended);
    into.failures = failures;
  }

  restart(now: number): void {
    this.advance(now);
    this.#first = this.#newest;
    const { fires, successes, failures } = this.#buckets[0]!;
    this.#before = { fires, successes, failures };
  }

  #look(): void {
    this.#buckets = this.#parts.buckets();
    this.#buckets[0]!.latencyTimes = SINK;
  }
}

const NONE = { fires: 0, successes: 0, failures: 0 };
