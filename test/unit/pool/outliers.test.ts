import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../../src/client/defaults.js';
import { resolveEjection } from '../../../src/client/options/ejection.js';
import { FAILURE, SUCCESS } from '../../../src/core/outcome.js';
import { Ejection } from '../../../src/pool/ejection.js';
import type { OutlierPolicy } from '../../../src/pool/ejection-policy.js';
import { Outliers } from '../../../src/pool/outliers.js';

const POLICY = { stdevFactor: 1.9, minInstances: 5, minCalls: 100, intervalMs: 10_000 } satisfies OutlierPolicy;
/** No bound of its own takes anybody out. */
const LENIENT = { ...DEFAULTS.ejection, consecutiveFailures: false, failureRatio: 1 } as const;

/** A fleet whose instances failed so many of so many calls. */
const fleetOf = (failed: readonly number[], { of = 100, at = 9_999, most = Infinity } = {}) => {
  const fleet: { health: Ejection }[] = [];
  const host = {
    policy: LENIENT,
    random: () => 1,
    changed: () => undefined,
    probed: () => undefined,
    mayEject: () => fleet.filter(({ health }) => health.kind !== 'serving').length < most,
  };
  for (const count of failed) {
    const health = new Ejection(host, 0);
    fleet.push({ health });
    for (let call = 0; call < of; call += 1)
      health.leave({ ticket: health.enter(), durationMs: 1 }, call < of - count ? SUCCESS : FAILURE, at);
  }
  const out = (): number[] => fleet.flatMap(({ health }, index) => (health.kind === 'out' ? [index] : []));
  return { fleet, out };
};

describe('who fails much more often than the fleet', () => {
  it.each<[string, number[], number[]]>([
    ['one of ten with 20 % failures', [20, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0]],
    ['one of ten with 4 % where the others have 1 %', [1, 1, 1, 4, 1, 1, 1, 1, 1, 1], [3]],
    ['nobody, where all fail alike', [30, 30, 30, 30, 30, 30], []],
    ['nobody, where failures are spread', [10, 12, 14, 16, 18, 20], []],
    ['nobody of four: too few to say what is usual', [99, 0, 0, 0], []],
    // One of n deviates by √(n − 1) deviations at most: 2 of five, which is more than 1.9.
    ['one of five, if it is the only one', [50, 0, 0, 0, 0], [0]],
    ['two of twenty', [50, 40, ...Array.from({ length: 18 }, () => 0)], [0, 1]],
  ])('%s', (_name, failed, expected) => {
    const { fleet, out } = fleetOf(failed);
    new Outliers(POLICY, 0).review(fleet.values(), 10_000);
    expect(out()).toEqual(expected);
  });

  it('counts instances with enough calls only', () => {
    const few = fleetOf([50, 0, 0, 0, 0, 0, 0, 0], { of: 99 });
    new Outliers(POLICY, 0).review(few.fleet.values(), 10_000);
    expect(few.out()).toEqual([]);
  });

  it('and calls of the window only', () => {
    const old = fleetOf([50, 0, 0, 0, 0, 0, 0, 0], { at: 0 });
    new Outliers(POLICY, 0).review(old.fleet.values(), 10_000);
    expect(old.out()).toEqual([]);
  });

  it('takes the worst first, where not all of them may be out', () => {
    const { fleet, out } = fleetOf([40, 60, 50, ...Array.from({ length: 40 }, () => 0)], { most: 1 });
    new Outliers(POLICY, 0).review(fleet.values(), 10_000);
    expect(out()).toEqual([1]);
    expect(fleet[1]!.health.reason).toBe("40 % succeeded, the fleet's mean is 96.51 %");
  });

  it('is looked at once in an interval, when an attempt ends', () => {
    const outliers = new Outliers(POLICY, 0);
    const { fleet, out } = fleetOf([50, 0, 0, 0, 0, 0, 0], { at: 9_999 });
    outliers.review(fleet.values(), 9_999);
    expect(out()).toEqual([]);
    outliers.review(fleet.values(), 10_000);
    expect(out()).toEqual([0]);
    const next = fleetOf([50, 0, 0, 0, 0, 0, 0], { at: 19_000 });
    outliers.review(next.fleet.values(), 19_999);
    expect(next.out()).toEqual([]);
  });
});

describe('options', () => {
  it('are off unless asked for, and have the numbers of Envoy', () => {
    expect(resolveEjection(undefined)).toMatchObject({ outliers: false, slowCallMs: false, slowCallRatio: 1 });
    expect(resolveEjection({ outliers: {} })).toMatchObject({ outliers: POLICY });
    expect(resolveEjection({ outliers: { minCalls: 20 } })).toMatchObject({ outliers: { ...POLICY, minCalls: 20 } });
    expect(resolveEjection({ outliers: false })).toMatchObject({ outliers: false });
  });

  it.each([
    [{ outliers: true }, 'ejection.outliers: expected an object, got true; write {} for the defaults, or false'],
    [{ outliers: { stdev: 2 } }, 'ejection.outliers.stdev: no such option'],
    [{ outliers: { stdevFactor: 0 } }, 'ejection.outliers.stdevFactor: expected a number >= 0.1'],
    [{ outliers: { minInstances: 1 } }, 'ejection.outliers.minInstances: expected a whole number >= 2'],
    [{ slowCallMs: 0 }, 'ejection.slowCallMs: expected a number >= 1 and <= 600000, or false, got 0'],
    [{ slowCallMs: true }, 'ejection.slowCallMs: expected a number'],
    [{ slowCallRatio: 0 }, 'ejection.slowCallRatio: expected a number > 0 and <= 1, got 0'],
    [{ slowCallRatio: NaN }, 'ejection.slowCallRatio: expected'],
  ])('%j is refused', (options, message) => {
    expect(() => resolveEjection(options as never)).toThrow(message);
  });
});
