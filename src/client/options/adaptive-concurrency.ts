import {
  adaptivePolicy,
  ADAPTIVE_CONCURRENCY_DEFAULTS,
  type AdaptiveConcurrency,
  type AdaptiveConcurrencyOptions,
} from '../../machines/adaptive-concurrency.js';
import type { GradientPolicy } from '../../machines/gradient-limit.js';

/** Numbers for a limit of the client's own, or one that several clients share. */
export const resolveAdaptiveConcurrency = (
  given: AdaptiveConcurrencyOptions | AdaptiveConcurrency | boolean | undefined,
): GradientPolicy | AdaptiveConcurrency | false => {
  if (given === undefined || given === false) return false;
  if (given === true) return ADAPTIVE_CONCURRENCY_DEFAULTS;
  return isLimit(given) ? given : adaptivePolicy('adaptiveConcurrency', given);
};

/** By its methods: another copy of fairlead may have made it. */
const isLimit = (given: unknown): given is AdaptiveConcurrency =>
  typeof (given as Partial<AdaptiveConcurrency> | null)?.enter === 'function';
