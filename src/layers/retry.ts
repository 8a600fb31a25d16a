import type { Call, Layer } from '../core/call.js';
import { describe, isFairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import { IGNORED, type Verdict } from '../core/outcome.js';
import type { Ending } from '../core/record.js';
import type { Runtime } from '../core/runtime.js';
import { fullJitter } from '../machines/backoff.js';
import type { RetryBudget } from '../machines/retry-budget.js';

export interface RetryParts<R> {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly budget: RetryBudget;
  readonly runtime: Runtime;
  readonly events: Emitter;
  /** Is there an instance that this call has not tried? */
  readonly offersMore: (call: Call) => boolean;
  /** Lets go of a result that is not returned: its connection is still busy with the body. */
  readonly discard: (result: R) => void;
}

/** Without a deadline, a server that asks for more than this is not waited for. */
const LONGEST_WAIT_MS = 15_000;

/**
 * Tries again what may be tried again, elsewhere if possible, while the budget lasts. Owns the decision alone: nothing
 * below it repeats anything. The last failed response is returned, as fetch would; only where there is none is the last
 * error thrown, with the earlier ones on it.
 */
export const retry =
  <R>(parts: RetryParts<R>): Layer<R> =>
  next =>
    async function retrying(call) {
      let earlier: unknown[] | undefined;
      for (;;) {
        call.verdict = IGNORED;
        let thrown = false;
        let error: unknown;
        let result: R | undefined;
        try {
          result = await next(call);
        } catch (reason) {
          thrown = true;
          error = reason;
        }
        const delayMs = nextDelay(parts, call);
        if (delayMs < 0) {
          if (!thrown) return result as R;
          throw withHistory(error, earlier, call);
        }
        if (thrown) (earlier ??= []).push(error);
        else parts.discard(result as R);
        parts.events.emit?.({
          type: 'call.retried',
          attempt: call.attempt,
          delayMs,
          reason: why(thrown, error, call.verdict),
        });
        call.attempt += 1;
        if (delayMs > 0) await wait(parts.runtime, call, delayMs);
      }
    };

const STOP = -1;

/** Milliseconds until the next attempt, or STOP; says in the record why it stopped. */
const nextDelay = <R>(parts: RetryParts<R>, call: Call): number => {
  const { verdict, record } = call;
  const { budget } = parts;
  if (verdict.outcome === 'success') {
    if (call.attempt === 1) budget.deposit(call.now);
    return stop(call, 'success');
  }
  const allowed = verdict.retryable === 'always' || (verdict.retryable && call.idempotent);
  if (!allowed || !call.replayable) return stop(call, 'not-retryable');
  if (call.cancellation.cancelled) return stop(call, 'aborted');
  if (call.attempt >= call.maxAttempts) return stop(call, 'attempts');
  const { now } = call;
  const { delayMs, asked } = delayOf(parts, call);
  const left = asked && call.deadlineAt === Infinity ? LONGEST_WAIT_MS : call.deadlineAt - now;
  if (delayMs >= left) return stop(call, asked ? 'retry-after' : 'deadline');
  if (!budget.withdraw(now)) return stop(call, 'budget');
  record.backoffMs += delayMs;
  return delayMs;
};

const stop = (call: Call, ending: Ending): number => {
  // A deadline or a refusal further down has said so already.
  if (call.record.endedBy === 'running') call.record.endedBy = ending;
  return STOP;
};

/**
 * A Retry-After of one instance matters only if the retry has to go there; one for the whole service always does. What
 * never left this process may go to the next instance at once, the first time.
 */
const delayOf = <R>(parts: RetryParts<R>, call: Call): { delayMs: number; asked: boolean } => {
  const { verdict, attempt } = call;
  const jitterMs = fullJitter(parts, attempt, parts.runtime.random());
  const { retryAfterMs } = verdict;
  if (retryAfterMs !== undefined && (verdict.retryAfterScope === 'service' || !parts.offersMore(call)))
    return { delayMs: retryAfterMs + jitterMs, asked: true };
  return { delayMs: verdict.unsent && attempt === 1 ? 0 : jitterMs, asked: false };
};

/** Keeps the errors of earlier attempts on the last one, where that is ours to change. */
const withHistory = (error: unknown, earlier: unknown[] | undefined, call: Call): unknown => {
  if (isFairleadError(error) && earlier !== undefined) error.errors = [...earlier, ...error.errors];
  if (isFairleadError(error)) error.attempts = call.record.attempts;
  return error;
};

const why = (thrown: boolean, error: unknown, verdict: Verdict): string =>
  thrown ? describe(error) : verdict.outcome === 'overload' ? 'the server is overloaded' : 'the server failed';

/** Rejects at once, with the reason, when the call is cancelled. */
const wait = async (runtime: Runtime, call: Call, ms: number): Promise<void> => {
  await runtime.sleep(ms, call.cancellation.signal);
  call.now = runtime.now();
};
