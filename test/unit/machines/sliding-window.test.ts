import { describe, expect, it } from 'vitest';
import { slidingWindow, type SlidingWindowOptions } from 'fairlead';
import { testRuntime } from 'fairlead/testing';

const HOUR = 3_600_000;
const T = 5 * HOUR;

type Row = readonly [at: number, n: number, ok: boolean, delayMs: number];

/** `delayMs`: for one more, right after. */
const check = (options: SlidingWindowOptions, rows: readonly Row[]): void => {
  const window = slidingWindow({ ...options, runtime: testRuntime() });
  for (const [at, n, ok, delayMs] of rows)
    expect([at, window.tryAcquire(n, at), window.delayMs(1, at)]).toEqual([at, ok, expect.closeTo(delayMs, 6)]);
};

describe('slidingWindow, exact', () => {
  it.each<[string, SlidingWindowOptions, readonly Row[]]>([
    [
      'a permit is free again exactly one window later',
      { limit: 2, windowMs: 1_000 },
      [
        [0, 1, true, 0],
        [400, 1, true, 600],
        [999, 1, false, 1],
        [1_000, 1, true, 400],
        [1_399, 1, false, 1],
        [1_400, 1, true, 600],
      ],
    ],
    [
      'several at once, or none',
      { limit: 3, windowMs: 1_000 },
      [
        [0, 2, true, 0],
        [0, 2, false, 0],
        [500, 1, true, 500],
        [1_000, 3, false, 0],
        [1_000, 2, true, 500],
        [1_000, 0, true, 500],
      ],
    ],
    [
      'a reading that comes late counts as the newest',
      { limit: 1, windowMs: 1_000 },
      [
        [500, 1, true, 1_000],
        [400, 1, false, 1_000],
        [1_400, 1, false, 100],
        [1_500, 1, true, 1_000],
      ],
    ],
    [
      'a clock that was set back by an hour: as old as it was',
      { limit: 2, windowMs: 1_000 },
      [
        [T, 1, true, 0],
        [T + 400, 1, true, 600],
        [T - HOUR, 1, false, 600],
        [T - HOUR + 600, 1, true, 400],
        [T - HOUR + 1_000, 1, true, 600],
      ],
    ],
    [
      'an hour asleep',
      { limit: 2, windowMs: 1_000 },
      [
        [0, 2, true, 1_000],
        [HOUR, 2, true, 1_000],
      ],
    ],
    ['limit 0: never', { limit: 0, windowMs: 1_000 }, [[0, 1, false, Infinity]]],
    ['no limit', { limit: Infinity, windowMs: 1_000 }, [[0, 1e9, true, 0]]],
    ['a second, if nothing is said', { limit: 1 }, [[0, 1, true, 1_000]]],
  ])('%s', (_name, options, rows) => check(options, rows));

  it('gives back what was taken then, and nothing younger', () => {
    const window = slidingWindow({ limit: 3, windowMs: 1_000, runtime: testRuntime() });
    for (const at of [0, 300, 600]) window.tryAcquire(1, at);
    window.giveBack(1, 300);
    expect([window.tryAcquire(1, 700), window.tryAcquire(1, 700)]).toEqual([true, false]);
    expect([1_000, 1_600, 1_700].map(at => window.snapshot(at).available)).toEqual([1, 2, 3]);
  });

  it('a limit that changes: what was taken counts on', () => {
    const window = slidingWindow({ limit: 100, windowMs: 1_000, runtime: testRuntime() });
    expect(window.tryAcquire(60, 0)).toBe(true);
    window.update({ limit: 50 });
    expect([window.tryAcquire(1, 0), window.delayMs(1, 0), window.snapshot(0).available]).toEqual([false, 1_000, 0]);
    window.update({ limit: 1_000 });
    expect([window.tryAcquire(940, 500), window.tryAcquire(1, 999), window.tryAcquire(60, 1_000)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe('slidingWindow, counted', () => {
  it.each<[string, SlidingWindowOptions, readonly Row[]]>([
    [
      'the window before counts by the share that is still covered',
      { limit: 10, windowMs: 1_000, exact: false },
      [
        [0, 10, true, 1_100],
        [999, 1, false, 101],
        [1_000, 1, false, 100],
        [1_100, 1, true, 100],
        [1_500, 4, true, 100],
        [1_500, 1, false, 100],
        [1_600, 1, true, 100],
      ],
    ],
    [
      'two windows later nothing counts',
      { limit: 10, windowMs: 1_000, exact: false },
      [
        [0, 10, true, 1_100],
        [2_000, 10, true, 1_100],
      ],
    ],
    [
      'a clock that was set back by an hour: as old as it was',
      { limit: 10, windowMs: 1_000, exact: false },
      [
        [T, 10, true, 1_100],
        [T - HOUR + 100, 1, false, 1_100],
        [T - HOUR + 1_200, 1, true, 100],
      ],
    ],
    ['limit 0: never', { limit: 0, windowMs: 1_000, exact: false }, [[0, 1, false, Infinity]]],
    ['no limit', { limit: Infinity, windowMs: 1_000, exact: false }, [[0, 1e9, true, 0]]],
  ])('%s', (_name, options, rows) => check(options, rows));

  it('errs as its documentation says: up to twice the limit, where all of the last window came at its end', () => {
    const window = slidingWindow({ limit: 100, windowMs: 1_000, exact: false, runtime: testRuntime() });
    window.tryAcquire(1, 0);
    expect(window.tryAcquire(99, 999)).toBe(true);
    let taken = 99;
    for (let at = 1_000; at < 1_999; at += 1) while (window.tryAcquire(1, at)) taken += 1;
    expect(taken).toBeGreaterThan(190);
    expect(taken).toBeLessThanOrEqual(200);
  });

  it('counts even traffic right', () => {
    const window = slidingWindow({ limit: 100, windowMs: 1_000, exact: false, runtime: testRuntime() });
    let taken = 0;
    for (let at = 0; at < 60_000; at += 5) if (window.tryAcquire(1, at)) taken += 1;
    expect(taken).toBeGreaterThan(0.94 * 100 * 60);
    expect(taken).toBeLessThan(1.02 * 100 * 60);
  });

  it('gives back to the window that it was taken in', () => {
    const window = slidingWindow({ limit: 10, windowMs: 1_000, exact: false, runtime: testRuntime() });
    window.tryAcquire(4, 0);
    window.tryAcquire(4, 1_000);
    window.giveBack(4, 0);
    expect(window.snapshot(1_000).available).toBe(6);
    window.giveBack(4, 1_000);
    expect(window.snapshot(1_000).available).toBe(10);
  });
});

it.each<[string, unknown, RegExp]>([
  ['no limit', {}, /slidingWindow: expected limit; write slidingWindow\(\{ limit: 100/],
  ['half a permit', { limit: 1.5 }, /slidingWindow\.limit: expected a whole number >= 0, got 1\.5/],
  ['an exact window of a billion', { limit: 1e9 }, /slidingWindow\.limit of an exact window: .*<= 10000000/],
  ['no window', { limit: 1, windowMs: 0 }, /slidingWindow\.windowMs: expected a number > 0, got 0/],
  ['exact as a number', { limit: 1, exact: 1 }, /slidingWindow\.exact: expected a boolean, got 1/],
])('options: %s', (_name, options, message) => {
  expect(() => slidingWindow(options as SlidingWindowOptions)).toThrow(message);
});
