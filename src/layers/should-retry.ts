import type { Call } from '../core/call.js';
import { guard } from '../core/guard.js';
import type { ShouldRetry } from '../core/policy.js';
import type { Ended } from './ended.js';

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
