import type { EjectionPolicy } from '../../pool/ejection.js';
import * as check from '../check.js';

export interface EjectionOptions {
  /** An instance is out after so many failures in a row, 1–1 000; `false`: by ratio only. @default 5 (Envoy) */
  readonly consecutiveFailures?: number | false | undefined;
  /** … or when this share of its attempts failed, 0–1. @default 0.5 (Hystrix) */
  readonly failureRatio?: number | undefined;
  /** … of at least so many, 1–100 000. @default 20 (Hystrix) */
  readonly minCalls?: number | undefined;
  /** … within this time, in ms, 1 000–600 000. @default 10_000 */
  readonly windowMs?: number | undefined;
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
  baseMs: 5_000,
  maxMs: 10_000,
  maxEjectedRatio: 0.5,
  panicRatio: 0.3,
  probes: 1,
  successesToClose: 2,
});

const EJECTION_RANGES: Record<keyof EjectionPolicy, check.Range> = {
  consecutiveFailures: { min: 1, max: 1_000, integer: true, orFalse: true },
  failureRatio: { min: 0, max: 1, above: true },
  minCalls: { min: 1, max: 100_000, integer: true },
  windowMs: { min: 1_000, max: 600_000 },
  baseMs: { min: 10, max: 600_000 },
  maxMs: { min: 10, max: 600_000 },
  maxEjectedRatio: { min: 0, max: 1 },
  panicRatio: { min: 0, max: 1 },
  probes: { min: 1, max: 100, integer: true },
  successesToClose: { min: 1, max: 100, integer: true },
};

export const resolveEjection = (given: EjectionOptions | false | undefined): EjectionPolicy | false => {
  if (given === false) return false;
  const hint = '; write { consecutiveFailures: 5 }, or false';
  const values = check.object('ejection', given, { known: Object.keys(EJECTION_RANGES), hint });
  for (const [key, range] of Object.entries(EJECTION_RANGES)) check.number(`ejection.${key}`, values[key], range);
  return check.filled(EJECTION_DEFAULTS, given);
};
