import type { Ejection } from './ejection.js';
import type { OutlierPolicy } from './ejection-policy.js';

/** Means of equal numbers differ by so much. */
const ROUNDING = 1e-9;

interface Measured {
  readonly health: Ejection;
  readonly successRatio: number;
}

/**
 * Ejects who fails much more often than the fleet does: the success-rate rule of Envoy's outlier detection and gRPC's A50.
 * For what absolute bounds do not see: 4 % failures where all others have 0.1 %. It needs some instances and some calls of
 * each to mean anything, and is looked at when an attempt ends, once in an interval: no timer.
 */
export class Outliers {
  readonly #policy: OutlierPolicy;
  /** Monotonic ms of the next look. */
  dueAt: number;

  constructor(policy: OutlierPolicy, now: number) {
    this.#policy = policy;
    this.dueAt = now + policy.intervalMs;
  }

  /** Looks, if it is time to. */
  review(endpoints: Iterable<{ readonly health: Ejection }>, now: number): void {
    if (now < this.dueAt) return;
    this.dueAt = now + this.#policy.intervalMs;
    const { minCalls, minInstances, stdevFactor } = this.#policy;
    const measured: Measured[] = [];
    for (const { health } of endpoints)
      if (health.kind === 'serving' && health.window.total(now) >= minCalls)
        measured.push({ health, successRatio: 1 - health.window.failureRatio(now) });
    if (measured.length < minInstances) return;
    const mean = measured.reduce((sum, { successRatio }) => sum + successRatio, 0) / measured.length;
    const variance = measured.reduce((sum, { successRatio }) => sum + (successRatio - mean) ** 2, 0) / measured.length;
    const least = mean - stdevFactor * Math.sqrt(variance) - ROUNDING;
    // Worst first: not all of them may be out at once.
    for (const { health, successRatio } of measured.sort((a, b) => a.successRatio - b.successRatio)) {
      if (successRatio >= least) return;
      health.eject(`${percent(successRatio)} succeeded, the fleet's mean is ${percent(mean)}`, now);
    }
  }
}

const percent = (ratio: number): string => `${Math.round(ratio * 10_000) / 100} %`;
