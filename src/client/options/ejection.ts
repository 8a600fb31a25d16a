import type { EjectionPolicy, OutlierPolicy } from '../../pool/ejection-policy.js';
import * as check from '../../core/check.js';

/**
 * The success-rate rule of Envoy's outlier detection and gRPC's A50, over the calls of the last `windowMs`: out is who
 * succeeds less often than the mean of all, less `stdevFactor` standard deviations. (Their failure-percentage rule is
 * `failureRatio` with `minCalls`.)
 */
export interface OutlierOptions {
  /** Standard deviations below the mean, 0.1–10. @default 1.9 (Envoy) */
  readonly stdevFactor?: number | undefined;
  /** Instances with enough calls, or the rule rests, 2–10 000. @default 5 (Envoy) */
  readonly minInstances?: number | undefined;
  /** Calls of an instance within `windowMs` that are enough, 1–1 000 000. @default 100 (Envoy) */
  readonly minCalls?: number | undefined;
  /** How often the instances are compared, in ms, 100–600 000. @default 10_000 (Envoy) */
  readonly intervalMs?: number | undefined;
}

export interface EjectionOptions {
  /** An instance is out after so many failures in a row, 1–1 000; `false`: by ratio only. @default 5 (Envoy) */
  readonly consecutiveFailures?: number | false | undefined;
  /** … or when this share of its attempts failed, 0–1. @default 0.5 (Hystrix) */
  readonly failureRatio?: number | undefined;
  /** … of at least so many, 1–100 000. @default 20 (Hystrix) */
  readonly minCalls?: number | undefined;
  /** … within this time, in ms, 1 000–600 000. @default 10_000 */
  readonly windowMs?: number | undefined;
  /** An attempt that takes so long counts as slow, in ms, 1–600 000; `false`: none does. @default false */
  readonly slowCallMs?: number | false | undefined;
  /** … and this share of slow ones, of at least `minCalls`, is a reason to be out, 0–1. @default 1 (resilience4j) */
  readonly slowCallRatio?: number | undefined;
  /** An instance is out if it fails much more often than the fleet does; `false`: that is no reason. @default false */
  readonly outliers?: OutlierOptions | false | undefined;
  /** How long it is out the first time, in ms, 10–600 000; doubles each time. @default 5_000 */
  readonly baseMs?: number | undefined;
  /** … and at most, in ms, 10–600 000. @default 10_000 */
  readonly maxMs?: number | undefined;
  /** No more than this share of the instances is out at once, 0–1; never the last one. @default 0.5 */
  readonly maxEjectedRatio?: number | undefined;
  /** When fewer than this share may serve, all do, 0–1; 0 = never. @default 0.3 */
  readonly panicRatio?: number | undefined;
  /** Attempts at once that try a returning instance, 1–100. @default 1 */
  readonly probes?: number | undefined;
  /** How many of them have to succeed, 1–100. @default 2 */
  readonly successesToClose?: number | undefined;
}

export const EJECTION_DEFAULTS: EjectionPolicy = Object.freeze({
  consecutiveFailures: 5,
  failureRatio: 0.5,
  minCalls: 20,
  windowMs: 10_000,
  slowCallMs: false,
  slowCallRatio: 1,
  outliers: false,
  baseMs: 5_000,
  maxMs: 10_000,
  maxEjectedRatio: 0.5,
  panicRatio: 0.3,
  probes: 1,
  successesToClose: 2,
});

const OUTLIER_DEFAULTS: OutlierPolicy = Object.freeze({
  stdevFactor: 1.9,
  minInstances: 5,
  minCalls: 100,
  intervalMs: 10_000,
});

const OUTLIER_RANGES: Record<keyof OutlierPolicy, check.Range> = {
  stdevFactor: { min: 0.1, max: 10 },
  minInstances: { min: 2, max: 10_000, integer: true },
  minCalls: { min: 1, max: 1_000_000, integer: true },
  intervalMs: { min: 100, max: 600_000 },
};

const EJECTION_RANGES: Record<Exclude<keyof EjectionPolicy, 'outliers'>, check.Range> = {
  consecutiveFailures: { min: 1, max: 1_000, integer: true, orFalse: true },
  failureRatio: { min: 0, max: 1, above: true },
  minCalls: { min: 1, max: 100_000, integer: true },
  windowMs: { min: 1_000, max: 600_000 },
  slowCallMs: { min: 1, max: 600_000, orFalse: true },
  slowCallRatio: { min: 0, max: 1, above: true },
  baseMs: { min: 10, max: 600_000 },
  maxMs: { min: 10, max: 600_000 },
  maxEjectedRatio: { min: 0, max: 1 },
  panicRatio: { min: 0, max: 1 },
  probes: { min: 1, max: 100, integer: true },
  successesToClose: { min: 1, max: 100, integer: true },
};

const checkRanges = (path: string, values: Record<string, unknown>, ranges: Record<string, check.Range>): void => {
  for (const [key, range] of Object.entries(ranges)) check.number(`${path}.${key}`, values[key], range);
};

const resolveOutliers = (given: OutlierOptions | false | undefined): OutlierPolicy | false => {
  if (given === undefined || given === false) return false;
  const hint = '; write {} for the defaults, or false';
  const values = check.object('ejection.outliers', given, { known: Object.keys(OUTLIER_RANGES), hint });
  checkRanges('ejection.outliers', values, OUTLIER_RANGES);
  return check.filled(OUTLIER_DEFAULTS, given);
};

export const resolveEjection = (given: EjectionOptions | false | undefined): EjectionPolicy | false => {
  if (given === false) return false;
  const hint = '; write { consecutiveFailures: 5 }, or false';
  const known = [...Object.keys(EJECTION_RANGES), 'outliers'];
  checkRanges('ejection', check.object('ejection', given, { known, hint }), EJECTION_RANGES);
  return { ...check.filled(EJECTION_DEFAULTS, given), outliers: resolveOutliers(given?.outliers) };
};
