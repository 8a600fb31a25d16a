import type { Budget } from '../../core/budget.js';
import type { Jitter, RetryRules, ShouldRetry } from '../../core/policy.js';
import type { RetryBudgetOptions } from '../../machines/retry-budget.js';
import * as check from '../../core/check.js';

/** What one call may say of its retries; what it leaves out is as the client is set. */
export interface CallRetryOptions {
  /** Attempts of one call, the first included and hedges not, 1–10. @default 3 */
  readonly maxAttempts?: number | undefined;
  /** The first wait is drawn from 0 up to this, in ms, 0–60 000; it doubles each time. @default 25 (Envoy) */
  readonly baseMs?: number | undefined;
  /** No wait is longer, in ms, 0–60 000. @default 250 (Envoy) */
  readonly maxMs?: number | undefined;
  /**
   * How a wait is drawn: `'full'` from 0 up to all of it, `'equal'` from half of it, `'decorrelated'` from `baseMs` up to
   * three times the last one. @default 'full' (AWS)
   */
  readonly jitter?: Jitter | undefined;
  /**
   * Your own rule, asked after each attempt, a successful one included: `true` tries again what may be sent twice,
   * `false` does not try again. Attempts, budget and deadline stay in force, and it has no say in what the attempt means for
   * its instance: that is `classify`. Synchronous: it cannot read a body. @default none
   */
  readonly shouldRetry?: ShouldRetry | undefined;
}

export interface RetryOptions extends CallRetryOptions {
  /**
   * How many retries and hedges the traffic carries; or a budget made by `retryBudget()`, shared by several clients;
   * `false`: as many as there are reasons. @default { ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 } (Finagle)
   */
  readonly budget?: RetryBudgetOptions | Budget | false | undefined;
}

export interface BudgetPolicy {
  readonly ratio: number;
  readonly minPerSecond: number;
  readonly ttlMs: number;
}

export interface RetryPolicy extends RetryRules {
  readonly maxAttempts: number;
  readonly budget: BudgetPolicy | Budget | false;
}

export const RETRY_DEFAULTS = Object.freeze({
  maxAttempts: 3,
  baseMs: 25,
  maxMs: 250,
  jitter: 'full',
  shouldRetry: undefined,
  budget: Object.freeze({ ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 }),
} as const) satisfies RetryPolicy;

export const resolveRetry = (given: RetryOptions | false | undefined): RetryPolicy | false => {
  if (given === false) return false;
  checkRetry('retry', given, Object.keys(RETRY_DEFAULTS));
  const { budget, ...rest } = given ?? {};
  return { ...check.filled<RetryPolicy>(RETRY_DEFAULTS, rest), budget: resolveBudget('retry.budget', budget) };
};

export const checkCallRetry = (path: string, given: CallRetryOptions | false | undefined): void => {
  if (given === false) return;
  checkRetry(
    path,
    given,
    Object.keys(RETRY_DEFAULTS).filter(key => key !== 'budget'),
  );
};

const checkRetry = (path: string, given: CallRetryOptions | undefined, known: readonly string[]): void => {
  check.object(path, given, { known, hint: '; write { maxAttempts: 3 }, or false' });
  check.number(`${path}.maxAttempts`, given?.maxAttempts, { min: 1, max: 10, integer: true });
  check.number(`${path}.baseMs`, given?.baseMs, { min: 0, max: 60_000 });
  check.number(`${path}.maxMs`, given?.maxMs, { min: 0, max: 60_000 });
  check.oneOf(`${path}.jitter`, given?.jitter, ['full', 'equal', 'decorrelated']);
  check.ofType(`${path}.shouldRetry`, given?.shouldRetry, 'function');
};

/** A budget has methods, options have none: by that they are told apart, whichever copy of fairlead made the budget. */
export const isBudget = (given: object): given is Budget => 'withdraw' in given;

export const resolveBudget = (
  path: string,
  given: RetryBudgetOptions | Budget | false | undefined,
): BudgetPolicy | Budget | false => {
  if (given === false) return false;
  if (typeof given === 'object' && given !== null && isBudget(given)) {
    check.hasMethods(path, given, ['deposit', 'withdraw', 'balance']);
    return given;
  }
  const hint = '; write { ratio: 0.2 }, or retryBudget({ ratio: 0.2 })';
  check.object(path, given, { known: Object.keys(RETRY_DEFAULTS.budget), hint });
  check.number(`${path}.ratio`, given?.ratio, { min: 0, max: 1_000 });
  check.number(`${path}.minPerSecond`, given?.minPerSecond, { min: 0, max: 1_000_000 });
  check.number(`${path}.ttlMs`, given?.ttlMs, { min: 1_000, max: 60_000 });
  return check.filled<BudgetPolicy>(RETRY_DEFAULTS.budget, given);
};
