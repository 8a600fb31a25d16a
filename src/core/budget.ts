/**
 * What pays for attempts beyond the first: each retry and each hedge takes one. Shared by whatever repeats calls, so that
 * all of it together stays a share of the traffic. Never throws.
 */
export interface Budget {
  /** A first attempt succeeded. `now` is monotonic ms. */
  deposit(now: number): void;
  /** Pays for one more attempt; false if there is not enough left, and then nothing is taken. */
  withdraw(now: number): boolean;
  /** Whole and part attempts that could be paid now. */
  balance(now: number): number;
}
