import type { Budget } from '../core/budget.js';
import { shared } from '../core/shared.js';
import { LayeredBudget } from '../machines/layered-budget.js';
import { RetryBudget, type RetryBudgetOptions } from '../machines/retry-budget.js';
import { isBudget, resolveBudget, type BudgetPolicy } from './options/retry.js';

/**
 * A budget to hand to several clients as `retry.budget`: what they repeat together stays within it. For clients that
 * reach the same servers under several names.
 *
 * ```ts
 * const budget = retryBudget({ ratio: 0.1 });
 * const users = createServiceClient({ service: 'users', registry, retry: { budget } });
 * const orders = createServiceClient({ service: 'orders', registry, retry: { budget } });
 * ```
 * @throws TypeError or RangeError that names the option
 */
export const retryBudget = (options: RetryBudgetOptions = {}): Budget => {
  const budget = made(resolveBudget('retryBudget', options));
  if (budget === undefined) throw new TypeError('retryBudget: expected options such as { ratio: 0.2 }, got false');
  return budget;
};

/**
 * Sets a budget above those of all clients of this process, ESM and CJS copies alike: a retry or hedge is sent only if both
 * its client's and this one pay. `false` takes it away. Applies at once, to clients that were made before, too.
 * There is none by default.
 *
 * @throws TypeError or RangeError that names the option
 */
export const limitProcessRetries = (budget: RetryBudgetOptions | Budget | false): void => {
  if (budget === undefined) throw new TypeError('limitProcessRetries: expected a budget or its options, or false');
  shared.processBudget = made(resolveBudget('limitProcessRetries', budget));
};

/** What a client pays from. */
export const layeredBudget = (policy: BudgetPolicy | Budget | false): Budget =>
  new LayeredBudget(made(policy), () => shared.processBudget);

const made = (policy: BudgetPolicy | Budget | false): Budget | undefined => {
  if (policy === false) return undefined;
  return isBudget(policy) ? policy : new RetryBudget(policy);
};
