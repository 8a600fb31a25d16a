import { describe, expect, it } from 'vitest';
import { backoff } from '../../../src/machines/backoff.js';
import type { Jitter } from '../../../src/core/policy.js';

const bounds = { baseMs: 100, maxMs: 1_000 };
const wait = (jitter: Jitter, nth: number, chance: number, previousMs = 100): number =>
  backoff({ ...bounds, jitter }, { nth, previousMs, chance });

describe('backoff', () => {
  it.each<[Jitter, number, number, number, number]>([
    // jitter, nth, the wait before, least, most
    ['full', 1, 100, 0, 100],
    ['full', 3, 100, 0, 400],
    ['full', 9, 100, 0, 1_000],
    ['equal', 1, 100, 50, 100],
    ['equal', 3, 100, 200, 400],
    ['equal', 9, 100, 500, 1_000],
    ['decorrelated', 1, 100, 100, 300],
    ['decorrelated', 2, 250, 100, 750],
    ['decorrelated', 3, 900, 100, 1_000],
    // The wait before was 0: a first retry at once.
    ['decorrelated', 2, 0, 100, 100],
  ])('%s, wait %i after %i ms: from %i to %i ms', (jitter, nth, previousMs, least, most) => {
    expect(wait(jitter, nth, 0, previousMs)).toBe(least);
    expect(wait(jitter, nth, 1 - 2 ** -53, previousMs)).toBeCloseTo(most, 6);
  });

  it('waits for nothing with baseMs 0, however it is drawn', () => {
    const none = { baseMs: 0, maxMs: 1_000 };
    for (const jitter of ['full', 'equal', 'decorrelated'] as const)
      expect(backoff({ ...none, jitter }, { nth: 5, previousMs: 0, chance: 0.5 })).toBe(0);
  });
});
