import * as check from '../core/check.js';
import type { Runtime } from '../core/runtime.js';
import type { BreakerCounts, BreakerPolicy } from './breaker-rules.js';
import type { BreakerKind } from './breaker-state.js';

/** A `CircuitBreaker` went from one state to another. */
export interface CircuitChange {
  readonly name: string;
  readonly from: BreakerKind;
  readonly to: BreakerKind;
  readonly reason: string;
}

/** What `new CircuitBreaker()` takes. Without any rule it opens after five failures in a row. */
export interface CircuitBreakerSettings {
  /** For messages and `onStateChange`. @default 'circuit' */
  readonly name?: string | undefined;
  /** It opens after so many failures in a row, >= 1; `false`: never for this. @default 5 where no other rule is given */
  readonly consecutiveFailures?: number | false | undefined;
  /** It opens when at least this share of the window's calls failed, 0–1. One in flight has not failed. @default false */
  readonly failureRatio?: number | false | undefined;
  /** … of at least so many calls, >= 1. @default 20 */
  readonly minCalls?: number | undefined;
  /** How long a call counts, in ms, > 0, exact; of more than 65 536 calls the newest. Infinity: until it closes anew. @default 10_000 */
  readonly windowMs?: number | undefined;
  /** Count the last so many calls that ended instead, 1–65 536; with `windowMs` both bounds hold. @default false */
  readonly windowCalls?: number | false | undefined;
  /** A call that takes so long is slow, in ms, > 0. @default false */
  readonly slowCallMs?: number | false | undefined;
  /** It opens when at least this share of the calls was slow, 0–1 without 0. @default 1 */
  readonly slowCallRatio?: number | undefined;
  /** Your own rule instead of those above, asked after each failure and each slow call: does it open? */
  readonly tripWhen?: ((counts: BreakerCounts) => boolean) | undefined;
  /** How long it stays open, in ms, >= 0; Infinity: until `close()`. @default 5_000 */
  readonly openMs?: number | undefined;
  /** `openMs` doubles with each trial that fails, up to this, in ms. @default openMs: it does not grow */
  readonly maxOpenMs?: number | undefined;
  /** Calls in flight at once while it is half-open, >= 1. @default 3 */
  readonly probes?: number | undefined;
  /** How many of them have to succeed, >= 1; one failure opens it again. @default 3 */
  readonly successesToClose?: number | undefined;
  /**
   * Did a call that `execute` ran succeed? `'ignored'`: it says nothing, as when the caller gave up. @default whether it resolved
   */
  readonly isSuccessful?: ((error: unknown, result: unknown) => boolean | 'ignored') | undefined;
  /** Told each change. One that throws becomes a warning of the process. */
  readonly onStateChange?: ((change: CircuitChange) => void) | undefined;
  /** @default the system's clock */
  readonly runtime?: Pick<Runtime, 'now' | 'wallNow'> | undefined;
}

const DEFAULTS = {
  failureRatio: false,
  minCalls: 20,
  windowMs: 10_000,
  openMs: 5_000,
  probes: 3,
  successesToClose: 3,
  slowCallMs: false,
  slowCallRatio: 1,
} as const;

const RANGES: Record<string, check.Range> = {
  consecutiveFailures: { min: 1, integer: true, orFalse: true },
  failureRatio: { min: 0, max: 1, above: true, orFalse: true },
  minCalls: { min: 1, integer: true },
  windowMs: { min: 0, above: true },
  windowCalls: { min: 1, max: 65_536, integer: true, orFalse: true },
  slowCallMs: { min: 0, above: true, orFalse: true },
  slowCallRatio: { min: 0, max: 1, above: true },
  openMs: { min: 0 },
  maxOpenMs: { min: 0 },
  probes: { min: 1, integer: true },
  successesToClose: { min: 1, integer: true },
};
const FUNCTIONS = ['tripWhen', 'isSuccessful', 'onStateChange'] as const;
const RULES = ['consecutiveFailures', 'failureRatio', 'slowCallMs', 'tripWhen'] as const;

/** Checks all of it, and fills in the defaults. */
export const resolvePolicy = (given: CircuitBreakerSettings): BreakerPolicy => {
  const hint = '; write new CircuitBreaker({ consecutiveFailures: 5, openMs: 30_000 })';
  const known = ['name', 'runtime', ...FUNCTIONS, ...Object.keys(RANGES)];
  const values = check.object('CircuitBreaker', given ?? null, { known, hint });
  for (const [key, range] of Object.entries(RANGES)) check.number(`CircuitBreaker.${key}`, values[key], range);
  for (const key of FUNCTIONS) check.ofType(`CircuitBreaker.${key}`, given[key], 'function');
  check.ofType('CircuitBreaker.name', given.name, 'string');
  check.hasMethods('CircuitBreaker.runtime', given.runtime, ['now', 'wallNow']);
  const ruled = RULES.some(rule => given[rule] !== undefined && given[rule] !== false);
  const policy = check.filled(DEFAULTS, given) as Omit<BreakerPolicy, 'maxOpenMs' | 'consecutiveFailures'>;
  const maxOpenMs = given.maxOpenMs ?? policy.openMs;
  if (maxOpenMs < policy.openMs)
    throw new RangeError(`CircuitBreaker.maxOpenMs: expected at least openMs (${policy.openMs}), got ${maxOpenMs}`);
  // A window that nobody asked for would end the window of calls, too.
  const windowMs = given.windowMs ?? (given.windowCalls ? Infinity : policy.windowMs);
  const consecutiveFailures = given.consecutiveFailures ?? (ruled ? false : 5);
  return { ...policy, windowMs, maxOpenMs, consecutiveFailures };
};
