import { describe, expect, it } from 'vitest';
import type { Budget } from '../../../src/core/budget.js';
import { LayeredBudget } from '../../../src/machines/layered-budget.js';

/** A purse that counts. */
const purse = (coins: number): Budget & { coins: number } => ({
  coins,
  deposit() {
    this.coins += 1;
  },
  withdraw() {
    if (this.coins < 1) return false;
    this.coins -= 1;
    return true;
  },
  balance() {
    return this.coins;
  },
});

describe('LayeredBudget', () => {
  it.each<[own: number, above: number, paid: boolean, ownLeft: number, aboveLeft: number]>([
    [2, 2, true, 1, 1],
    [0, 2, false, 0, 2],
    // What the one above cannot pay must not be taken from the own one.
    [2, 0, false, 2, 0],
    [0, 0, false, 0, 0],
  ])('%i and %i: paid %s, %i and %i left', (ownCoins, aboveCoins, paid, ownLeft, aboveLeft) => {
    const own = purse(ownCoins);
    const above = purse(aboveCoins);
    const budget = new LayeredBudget(own, () => above);
    expect([budget.withdraw(0), own.coins, above.coins]).toEqual([paid, ownLeft, aboveLeft]);
  });

  it('feeds both, and says the smaller balance', () => {
    const own = purse(5);
    const above = purse(1);
    const budget = new LayeredBudget(own, () => above);
    budget.deposit(0);
    expect([own.coins, above.coins, budget.balance(0)]).toEqual([6, 2, 2]);
  });

  it('pays once where both are the same', () => {
    const one = purse(2);
    const budget = new LayeredBudget(one, () => one);
    budget.deposit(0);
    budget.withdraw(0);
    expect(one.coins).toBe(2);
  });

  it('pays for everything without any, and heeds one that comes later', () => {
    const process: { budget?: Budget } = {};
    const budget = new LayeredBudget(undefined, () => process.budget);
    expect([budget.withdraw(0), budget.balance(0)]).toEqual([true, Infinity]);
    process.budget = purse(0);
    expect(budget.withdraw(0)).toBe(false);
  });
});
