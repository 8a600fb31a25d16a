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
  next => {
    /** After a failed attempt: until one succeeds, or none may follow. */
    const again = async (call: Call, first: Ended<R>): Promise<R> => {
      const earlier: unknown[] = [];
      for (let ended = first; ;) {
        const delayMs = nextDelay(parts, call);
        if (delayMs < 0) {
          if (!ended.thrown) return ended.result;
          throw withHistory(ended.error, earlier, call);
        }
        if (ended.thrown) earlier.push(ended.error);
        else parts.discard(ended.result);
        parts.events.emit?.({ type: 'call.retried', attempt: call.attempt, delayMs, reason: why(ended, call.verdict) });
        call.attempt += 1;
        if (delayMs > 0) await wait(parts.runtime, call, delayMs);
        call.verdict = IGNORED;
        ended = await settle(next(call));
      }
    };
    return function retrying(call) {
      call.verdict = IGNORED;
      // Most calls succeed at once: they pay for one promise here, and for no loop.
      return next(call).then(
        result =>
          call.verdict.outcome === 'success' ? succeeded(parts, call, result) : again(call, { thrown: false, result }),
        (error: unknown) => again(call, { thrown: true, error }),
      );
    };
  };

type Ended<R> = { readonly thrown: false; readonly result: R } | { readonly thrown: true; readonly error: unknown };

const settle = <R>(attempt: Promise<R>): Promise<Ended<R>> =>
  attempt.then(
    result => ({ thrown: false, result }),
    (error: unknown) => ({ thrown: true, error }),
  );

const succeeded = <R>({ budget }: RetryParts<R>, call: Call, result: R): R => {
  budget.deposit(call.now);
  call.record.endedBy = 'success';
  return result;
};

const STOP = -1;

/** Milliseconds until the next attempt, or STOP; says in the record why it stopped. */
const nextDelay = <R>(parts: RetryParts<R>, call: Call): number => {
  const { verdict, record } = call;
  const { budget } = parts;
  if (verdict.outcome === 'success') return stop(call, 'success');
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
const withHistory = (error: unknown, earlier: readonly unknown[], call: Call): unknown => {
  if (isFairleadError(error)) error.errors = [...earlier, ...error.errors];
  if (isFairleadError(error)) error.attempts = call.record.attempts;
  return error;
};

const why = <R>(ended: Ended<R>, verdict: Verdict): string => {
  if (ended.thrown) return describe(ended.error);
  return verdict.outcome === 'overload' ? 'the server is overloaded' : 'the server failed';
};

/** Rejects at once, with the reason, when the call is cancelled. */
const wait = async (runtime: Runtime, call: Call, ms: number): Promise<void> => {
  await runtime.sleep(ms, call.cancellation.signal);
  call.now = runtime.now();
};
