import type { HedgeRules } from '../../core/policy.js';
import * as check from '../../core/check.js';

interface HedgeLimit {
  /** Hedges of one call, 1–5; they come on top of `retry.maxAttempts`. @default 1 (Polly) */
  readonly max?: number | undefined;
}

/** A second attempt starts after a fixed time. */
export interface FixedHedge extends HedgeLimit {
  /** In ms, 0–60 000; 0 sends both at once. */
  readonly afterMs: number;
  readonly quantile?: undefined;
  readonly minCalls?: undefined;
}

/** A second attempt starts when the first takes longer than most do. */
export interface QuantileHedge extends HedgeLimit {
  /** This share of the attempts of late is faster than the wait, > 0 and <= 0.999. @default 0.95 */
  readonly quantile?: number | undefined;
  /** No hedge before so many attempts were measured, 1–100 000; they count half after 30 s. @default 20 */
  readonly minCalls?: number | undefined;
  readonly afterMs?: undefined;
}

/** When a second attempt starts beside one that takes long. Idempotent calls only; paid from the budget of `retry`. */
export type HedgeOptions = FixedHedge | QuantileHedge;

/** What `hedge: {}` means; without it, nothing is hedged. */
export const HEDGE_DEFAULTS: HedgeRules = Object.freeze({ afterMs: undefined, quantile: 0.95, minCalls: 20, max: 1 });

export const resolveHedge = (given: HedgeOptions | false | undefined, path = 'hedge'): HedgeRules | false => {
  if (given === undefined || given === false) return false;
  const hint = '; write { afterMs: 100 }, { quantile: 0.95 }, or false';
  check.object(path, given, { known: Object.keys(HEDGE_DEFAULTS), hint });
  check.number(`${path}.afterMs`, given.afterMs, { min: 0, max: 60_000 });
  check.number(`${path}.quantile`, given.quantile, { min: 0, above: true, max: 0.999 });
  check.number(`${path}.minCalls`, given.minCalls, { min: 1, max: 100_000, integer: true });
  check.number(`${path}.max`, given.max, { min: 1, max: 5, integer: true });
  if (given.afterMs !== undefined && (given.quantile !== undefined || given.minCalls !== undefined))
    throw new TypeError(`${path}: expected afterMs or quantile (with minCalls), got both`);
  return check.filled(HEDGE_DEFAULTS, given);
};
