import type { Budget } from '../core/budget.js';

/**
 * How many retries the traffic can carry: a leaky bucket that successes fill and retries empty. Use it above any retry:
 * "three attempts" triples the load of a service that is down, a budget of 0.2 adds a fifth. Retries and hedges of one
 * service share one budget.
 *
 * Source of the shape and of the numbers: Finagle's RetryBudget (20 %, 10 per second, 10 s), but fed when a first attempt
 * succeeds, so that an outage cannot earn its own retries.
 */
export interface RetryBudgetOptions {
  /** Retries earned by one success, 0–1000. @default 0.2 */
  readonly ratio?: number | undefined;
  /** Retries per second that are granted without any success, >= 0: for clients with little traffic. @default 10 */
  readonly minPerSecond?: number | undefined;
  /** How long a success counts, in ms, 1 000–60 000. @default 10_000 */
  readonly ttlMs?: number | undefined;
}

const BUCKETS = 10;
/** Five deposits of 0.2 make one retry, whatever binary fractions say. */
const ROUNDING = 1e-6;

export class RetryBudget implements Budget {
  readonly #ratio: number;
  readonly #reserve: number;
  readonly #bucketMs: number;
  /** Deposits minus withdrawals of each part of the window: the balance of a part leaves with it, spent or not. */
  readonly #parts = new Float64Array(BUCKETS);
  #sum = 0;
  /** When the newest part ends. */
  #nextAt = -Infinity;
  #newest = -Infinity;
  /** Which part that is: a remainder of a double is a call into C, too dear for each call. */
  #part = 0;

  constructor({ ratio, minPerSecond, ttlMs }: { ratio: number; minPerSecond: number; ttlMs: number }) {
    this.#ratio = ratio;
    this.#reserve = (minPerSecond * ttlMs) / 1_000;
    this.#bucketMs = ttlMs / BUCKETS;
  }

  /** A first attempt succeeded. */
  deposit(now: number): void {
    this.#add(this.#ratio, now);
  }

  /** Pays for one retry; false if there is not enough left, and then nothing is taken. */
  withdraw(now: number): boolean {
    if (this.balance(now) < 1 - ROUNDING) return false;
    this.#add(-1, now);
    return true;
  }

  /** Whole and part retries that could be paid now. */
  balance(now: number): number {
    this.#advance(now);
    return this.#sum + this.#reserve;
  }

  #add(amount: number, now: number): void {
    this.#advance(now);
    this.#parts[this.#part]! += amount;
    this.#sum += amount;
  }

  #advance(now: number): void {
    if (now < this.#nextAt) return;
    const bucket = Math.floor(now / this.#bucketMs);
    if (bucket <= this.#newest) return;
    if (bucket - this.#newest >= BUCKETS) this.#parts.fill(0);
    else for (let passed = this.#newest + 1; passed <= bucket; passed += 1) this.#parts[passed % BUCKETS] = 0;
    this.#newest = bucket;
    this.#nextAt = (bucket + 1) * this.#bucketMs;
    this.#part = bucket % BUCKETS;
    // Summed anew, so that rounding errors of millions of deposits cannot add up.
    this.#sum = this.#parts.reduce((sum, part) => sum + part, 0);
  }
}
