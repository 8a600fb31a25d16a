import type { Call } from '../../core/call.js';
import type { KeyedLimiter } from '../../machines/keyed.js';
import type { Limiter } from '../../machines/limiter.js';
import * as check from '../../core/check.js';

export interface RateLimitOptions {
  /** `tokenBucket({ … })`, `slidingWindow({ … })`, or `keyed(…)` by something of the call. It may serve several clients. */
  readonly limiter: Limiter | KeyedLimiter<Call>;
  /**
   * `'reject'`: RATE_LIMITED with `retryAfterMs`; `'wait'`: in line, first come, first served, as long as there is time before
   * the deadline. @default 'reject'
   */
  readonly mode?: 'reject' | 'wait' | undefined;
}

export interface RateLimitPolicy {
  readonly limiter: Limiter | KeyedLimiter<Call>;
  readonly mode: 'reject' | 'wait';
}

const FORM = 'write tokenBucket({ perSecond: 100 }) or { limiter: tokenBucket({ perSecond: 100 }), mode: "wait" }';

export const resolveRateLimit = (
  given: Limiter | KeyedLimiter<Call> | RateLimitOptions | false | undefined,
): RateLimitPolicy | false => {
  if (given === undefined || given === false) return false;
  if (isLimiter(given)) return { limiter: given, mode: 'reject' };
  // A limiter's own options, without the limiter: people try that.
  if (typeof given === 'object' && !('limiter' in given)) throw new TypeError(`rateLimit: expected a limiter; ${FORM}`);
  check.object('rateLimit', given, { known: ['limiter', 'mode'], hint: `; ${FORM}` });
  const { limiter, mode = 'reject' } = given;
  check.oneOf('rateLimit.mode', mode, ['reject', 'wait']);
  if (!isLimiter(limiter)) throw new TypeError(`rateLimit: expected a limiter; ${FORM}`);
  return { limiter, mode };
};

const METHODS = ['tryAcquire', 'acquire', 'delayMs', 'giveBack', 'snapshot'];

const isLimiter = (given: unknown): given is Limiter | KeyedLimiter<Call> => {
  const has = (name: string): boolean => typeof (given as Record<string, unknown> | null)?.[name] === 'function';
  return typeof given === 'object' && (has('of') || METHODS.every(has));
};
