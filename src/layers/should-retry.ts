import type { Call } from '../core/call.js';
import { guard } from '../core/guard.js';
import type { ShouldRetry } from '../core/policy.js';
import type { Ended } from './ended.js';

/** Why a call may not be repeated, though one of the others could be. `says`: what the user's rule said. */
export const whyNotAgain = (call: Call, says: boolean | undefined): string => {
  const { verdict, record, idempotent, replayable } = call;
  if (says === false) return 'shouldRetry said no';
  if (verdict.retryable === false && says !== true)
    return record.status === undefined ? 'another attempt would not help' : `${record.status} is not one to try again`;
  if (!replayable) return 'its body is a stream, which cannot be sent twice';
  return idempotent ? 'another attempt would not help' : `${record.method} may not be sent twice`;
};

const guarded = guard('a shouldRetry rule');

/** Asks the user's rule. One with a fault (it throws, or answers with a promise) is as good as none. */
export const ask = <R>(rule: ShouldRetry | undefined, call: Call, ended: Ended<R>): boolean | undefined =>
  rule &&
  guarded(() => {
    const answer: unknown = rule({
      result: ended.thrown ? undefined : ended.result,
      error: ended.thrown ? ended.error : undefined,
      method: call.record.method,
      attempt: call.attempt,
      outcome: call.verdict.outcome,
      retryable: call.verdict.retryable !== false,
    });
    if (answer === undefined || typeof answer === 'boolean') return answer;
    if (answer instanceof Promise) answer.catch(() => undefined);
    throw new TypeError('expected true, false or undefined, and no promise');
  });
