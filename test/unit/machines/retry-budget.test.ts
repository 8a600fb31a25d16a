import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../src/machines/retry-budget.js';

const drain = (budget: RetryBudget, now: number): number => {
  let paid = 0;
  while (budget.withdraw(now)) paid += 1;
  return paid;
};

describe('RetryBudget', () => {
  it('grants minPerSecond × ttl without any success, and again when the window has passed', () => {
    const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 });
    expect(drain(budget, 0)).toBe(100);
    expect(drain(budget, 9_999)).toBe(0);
    expect(drain(budget, 10_000)).toBe(100);
  });

  it('earns a fifth of a retry by each success', () => {
    const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 0, ttlMs: 10_000 });
    for (let success = 0; success < 1_000; success += 1) budget.deposit(success);
    expect(drain(budget, 1_000)).toBe(200);
  });

  it('forgets what was earned too long ago', () => {
    const budget = new RetryBudget({ ratio: 1, minPerSecond: 0, ttlMs: 10_000 });
    budget.deposit(0);
    expect(budget.balance(9_999)).toBe(1);
    expect(budget.balance(10_000)).toBe(0);
  });

  it('takes nothing when it refuses', () => {
    const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0, ttlMs: 10_000 });
    budget.deposit(0);
    expect(budget.withdraw(0)).toBe(false);
    budget.deposit(0);
    expect(budget.withdraw(0)).toBe(true);
  });

  it('never grants more than ratio × successes + minPerSecond × time in any run', () => {
    const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 });
    let paid = 0;
    let earned = 0;
    for (let now = 0; now < 120_000; now += 37) {
      if (now < 30_000) {
        budget.deposit(now);
        earned += 0.2;
      }
      paid += drain(budget, now);
    }
    expect(paid).toBeLessThanOrEqual(earned + 10 * (120 + 10));
  });
});
