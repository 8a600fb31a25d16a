import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemRuntime } from '../../../src/core/runtime.js';

afterEach(() => {
  vi.useRealTimers();
});

describe('the real clock', () => {
  it('never goes back', () => {
    const readings = Array.from({ length: 1_000 }, () => systemRuntime.now());
    expect(readings).toEqual(readings.toSorted((a, b) => a - b));
  });

  it('is that of a user who fakes the timers, as long as they are faked', () => {
    vi.useFakeTimers();
    const from = systemRuntime.now();
    let fired = -1;
    systemRuntime.after(5_000, () => (fired = systemRuntime.now()));
    vi.advanceTimersByTime(60_000);
    expect([fired - from, systemRuntime.now() - from]).toEqual([5_000, 60_000]);
    vi.useRealTimers();
    expect(systemRuntime.now()).toBeCloseTo(performance.now(), -3);
  });
});
