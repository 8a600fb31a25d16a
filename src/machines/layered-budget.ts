import type { Budget } from '../core/budget.js';

/** Less than this is not worth a try: see the rounding of RetryBudget. */
const ALMOST_ONE = 1 - 1e-6;

/**
 * A client's own budget under one that stands above several clients: both are fed, and both pay. Use it where one limit
 * is for a service, and another for what all callers of this process repeat together.
 */
export class LayeredBudget implements Budget {
  readonly #own: Budget | undefined;
  readonly #above: () => Budget | undefined;

  /** `own`: `undefined` pays for everything. `above` is asked each time: it may come and go. */
  constructor(own: Budget | undefined, above: () => Budget | undefined) {
    this.#own = own;
    this.#above = above;
  }

  deposit(now: number): void {
    this.#own?.deposit(now);
    this.#other()?.deposit(now);
  }

  withdraw(now: number): boolean {
    const other = this.#other();
    // Asked first, since what one has paid cannot be given back.
    if (other !== undefined && other.balance(now) < ALMOST_ONE) return false;
    if (this.#own?.withdraw(now) === false) return false;
    return other?.withdraw(now) ?? true;
  }

  /** Of the tighter one; Infinity without any. */
  balance(now: number): number {
    return Math.min(this.#own?.balance(now) ?? Infinity, this.#other()?.balance(now) ?? Infinity);
  }

  /** One budget may be given to a client and set above all: it still pays once. */
  #other(): Budget | undefined {
    const above = this.#above();
    return above === this.#own ? undefined : above;
  }
}
