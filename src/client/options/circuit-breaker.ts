import type { BreakerPolicy } from '../../machines/breaker-rules.js';
import * as check from '../../core/check.js';

export interface CircuitBreakerOptions {
  /** The circuit opens when at least this share of the window's attempts failed, 0–1; `false`: never for this. @default 0.5 (Hystrix) */
  readonly failureRatio?: number | false | undefined;
  /** … of at least so many attempts, 1–100 000. @default 20 (Hystrix) */
  readonly minCalls?: number | undefined;
  /** The window, in ms, 1 000–600 000: at least twice what an attempt may take. @default 10_000 (Hystrix) */
  readonly windowMs?: number | undefined;
  /** How long it stays open the first time, in ms, 10–600 000; doubles with each trial that fails. @default 5_000 (Hystrix) */
  readonly openMs?: number | undefined;
  /** … and at most, in ms, `openMs`–3 600 000. @default 60_000, or `openMs` if that is longer */
  readonly maxOpenMs?: number | undefined;
  /** Attempts in flight at once while it is half-open, 1–1 000. @default 3 (gobreaker's example) */
  readonly probes?: number | undefined;
  /** How many of them have to succeed, 1–1 000; one failure opens it again. @default 3 */
  readonly successesToClose?: number | undefined;
  /** It opens after so many failures in a row too, 1–100 000. A 500 is passed over: it may be one bad request. @default false */
  readonly consecutiveFailures?: number | false | undefined;
  /** An answer that takes so long is slow, in ms, > 0; see `slowCallRatio`. @default false */
  readonly slowCallMs?: number | false | undefined;
  /** It opens when at least this share of the attempts was slow, 0–1 without 0. @default 1 (resilience4j) */
  readonly slowCallRatio?: number | undefined;
}

export const CIRCUIT_BREAKER_DEFAULTS: BreakerPolicy = Object.freeze({
  failureRatio: 0.5,
  minCalls: 20,
  windowMs: 10_000,
  openMs: 5_000,
  maxOpenMs: 60_000,
  probes: 3,
  successesToClose: 3,
  consecutiveFailures: false,
  slowCallMs: false,
  slowCallRatio: 1,
});

const RANGES: Record<keyof BreakerPolicy, check.Range> = {
  failureRatio: { min: 0, max: 1, above: true, orFalse: true },
  minCalls: { min: 1, max: 100_000, integer: true },
  windowMs: { min: 1_000, max: 600_000 },
  openMs: { min: 10, max: 600_000 },
  maxOpenMs: { min: 10, max: 3_600_000 },
  probes: { min: 1, max: 1_000, integer: true },
  successesToClose: { min: 1, max: 1_000, integer: true },
  consecutiveFailures: { min: 1, max: 100_000, integer: true, orFalse: true },
  slowCallMs: { min: 0, above: true, orFalse: true },
  slowCallRatio: { min: 0, max: 1, above: true },
};

export const resolveCircuitBreaker = (given: CircuitBreakerOptions | false | undefined): BreakerPolicy | false => {
  if (given === false) return false;
  const hint = '; write { failureRatio: 0.5 }, or false';
  const values = check.object('circuitBreaker', given, { known: Object.keys(RANGES), hint });
  for (const [key, range] of Object.entries(RANGES)) check.number(`circuitBreaker.${key}`, values[key], range);
  const policy = check.filled(CIRCUIT_BREAKER_DEFAULTS, given);
  if (policy.openMs <= policy.maxOpenMs) return policy;
  if (given?.maxOpenMs === undefined) return { ...policy, maxOpenMs: policy.openMs };
  throw new RangeError(`circuitBreaker.maxOpenMs: expected at least openMs (${policy.openMs}), got ${given.maxOpenMs}`);
};
