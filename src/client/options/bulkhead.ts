import * as check from '../../core/check.js';

export interface BulkheadOptions {
  /** Logical calls at once, >= 1. @default 1_000 (Polly) */
  readonly maxInFlight?: number | undefined;
  /** Calls that may wait for a place, >= 0. @default 10_000 */
  readonly maxQueue?: number | undefined;
}

export interface BulkheadPolicy {
  readonly maxInFlight: number;
  readonly maxQueue: number;
}

export const BULKHEAD_DEFAULTS: BulkheadPolicy = Object.freeze({ maxInFlight: 1_000, maxQueue: 10_000 });

export const resolveBulkhead = (given: BulkheadOptions | false | undefined): BulkheadPolicy | false => {
  if (given === false) return false;
  check.object('bulkhead', given, { known: Object.keys(BULKHEAD_DEFAULTS), hint: '; write { maxInFlight: 100 }' });
  check.number('bulkhead.maxInFlight', given?.maxInFlight, { min: 1, integer: true });
  check.number('bulkhead.maxQueue', given?.maxQueue, { min: 0, integer: true });
  return check.filled(BULKHEAD_DEFAULTS, given);
};
