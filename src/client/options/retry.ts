import type { RetryBudgetOptions } from '../../machines/retry-budget.js';
import * as check from '../check.js';

export interface RetryOptions {
  /** Attempts of one call, the first included, 1–10. @default 3 */
  readonly maxAttempts?: number | undefined;
  /** The first wait is drawn from 0 up to this, in ms, 0–60 000; it doubles each time. @default 25 (Envoy) */
  readonly baseMs?: number | undefined;
  /** No wait is longer, in ms, 0–60 000. @default 250 (Envoy) */
  readonly maxMs?: number | undefined;
  /** How many retries the traffic carries. @default { ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 } (Finagle) */
  readonly budget?: RetryBudgetOptions | undefined;
}

export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly budget: { readonly ratio: number; readonly minPerSecond: number; readonly ttlMs: number };
}

export const RETRY_DEFAULTS: RetryPolicy = Object.freeze({
  maxAttempts: 3,
  baseMs: 25,
  maxMs: 250,
  budget: Object.freeze({ ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 }),
});

export const resolveRetry = (given: RetryOptions | false | undefined): RetryPolicy | false => {
  if (given === false) return false;
  check.object('retry', given, { known: Object.keys(RETRY_DEFAULTS), hint: '; write { maxAttempts: 3 }, or false' });
  check.number('retry.maxAttempts', given?.maxAttempts, { min: 1, max: 10, integer: true });
  check.number('retry.baseMs', given?.baseMs, { min: 0, max: 60_000 });
  check.number('retry.maxMs', given?.maxMs, { min: 0, max: 60_000 });
  const hint = '; write { ratio: 0.2 }';
  check.object('retry.budget', given?.budget, { known: Object.keys(RETRY_DEFAULTS.budget), hint });
  check.number('retry.budget.ratio', given?.budget?.ratio, { min: 0, max: 1_000 });
  check.number('retry.budget.minPerSecond', given?.budget?.minPerSecond, { min: 0, max: 1_000_000 });
  check.number('retry.budget.ttlMs', given?.budget?.ttlMs, { min: 1_000, max: 60_000 });
  const { budget, ...rest } = given ?? {};
  return { ...check.filled(RETRY_DEFAULTS, rest), budget: check.filled(RETRY_DEFAULTS.budget, budget) };
};
