import { describe, expect, it } from 'vitest';
import { RollingWindow } from '../../../src/machines/rolling-window.js';

type Row = readonly [now: number, record: 'ok' | 'failed' | undefined, total: number, ratio: number];

describe('RollingWindow of 1 000 ms in 10 buckets', () => {
  it.each<[string, readonly Row[]]>([
    ['starts empty', [[0, undefined, 0, 0]]],
    [
      'counts',
      [
        [0, 'ok', 1, 0],
        [50, 'failed', 2, 0.5],
        [99, 'failed', 3, 2 / 3],
      ],
    ],
    [
      'forgets by buckets',
      [
        [0, 'failed', 1, 1],
        [100, 'ok', 2, 0.5],
        [999, undefined, 2, 0.5],
        [1_000, undefined, 1, 0],
        [1_100, undefined, 0, 0],
      ],
    ],
    [
      'forgets all after a long pause',
      [
        [0, 'failed', 1, 1],
        [3_600_000, 'ok', 1, 0],
      ],
    ],
    [
      'survives a clock that goes back',
      [
        [5_000, 'failed', 1, 1],
        [0, 'failed', 2, 1],
        [5_999, undefined, 2, 1],
        [6_000, undefined, 0, 0],
      ],
    ],
  ])('%s', (_name, rows) => {
    const window = new RollingWindow(1_000);
    for (const [now, record, total, ratio] of rows) {
      if (record !== undefined) window.record(record === 'failed', now);
      expect([now, window.total(now), window.failureRatio(now)]).toEqual([now, total, ratio]);
    }
  });
});

it('counts slow ones apart, and forgets them with their bucket', () => {
  const window = new RollingWindow(1_000);
  window.record(false, 0, true);
  window.record(true, 0, true);
  window.record(false, 500);
  window.record(true, 500);
  expect([window.slowRatio(500), window.failureRatio(500)]).toEqual([0.5, 0.5]);
  expect([window.slowRatio(1_000), window.failureRatio(1_000)]).toEqual([0, 0.5]);
  window.record(false, 1_000, true);
  window.clear();
  expect(window.slowRatio(1_000)).toBe(0);
});
