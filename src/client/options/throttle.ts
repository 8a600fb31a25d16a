import type { ThrottlePolicy } from '../../machines/adaptive-throttle.js';
import * as check from '../../core/check.js';

export interface ThrottleOptions {
  /** So many times what the service accepted lately is sent, 1–100: the smaller, the sooner it refuses. @default 2 (SRE) */
  readonly k?: number | undefined;
  /** What is lately, in ms, 1 000–600 000. @default 10_000 (go-zero) */
  readonly windowMs?: number | undefined;
  /** Fewer attempts than that in the window are never throttled, 1–100 000. @default 20 */
  readonly minCalls?: number | undefined;
  /** No more than this share is ever refused, 0–1 without 1. @default 0.9 (failsafe-go) */
  readonly maxRejectRatio?: number | undefined;
}

/** With `throttle: true`. */
export const THROTTLE_DEFAULTS: ThrottlePolicy = Object.freeze({
  k: 2,
  windowMs: 10_000,
  minCalls: 20,
  maxRejectRatio: 0.9,
});

const RANGES: Record<keyof ThrottlePolicy, check.Range> = {
  k: { min: 1, max: 100 },
  windowMs: { min: 1_000, max: 600_000 },
  minCalls: { min: 1, max: 100_000, integer: true },
  maxRejectRatio: { min: 0, max: 0.999 },
};

export const resolveThrottle = (given: ThrottleOptions | boolean | undefined): ThrottlePolicy | false => {
  if (given === undefined || given === false) return false;
  if (given === true) return THROTTLE_DEFAULTS;
  const values = check.object('throttle', given, { known: Object.keys(RANGES), hint: '; write true, or { k: 2 }' });
  for (const [key, range] of Object.entries(RANGES)) check.number(`throttle.${key}`, values[key], range);
  return check.filled(THROTTLE_DEFAULTS, given);
};
