import type { Budget } from '../core/budget.js';
import type { Call, Dispatch } from '../core/call.js';
import { describe } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import { asDispatch, type Landing, type Stage } from '../core/flow.js';
import { IGNORED, type Verdict } from '../core/outcome.js';
import type { RetryRules } from '../core/policy.js';
import type { Ending } from '../core/record.js';
import type { Runtime } from '../core/runtime.js';
import { backoff } from '../machines/backoff.js';
import { keepError, withHistory } from './earlier-errors.js';
import { settled, type Ended } from './ended.js';
import { ask, whyNotAgain } from './should-retry.js';

export interface RetryParts<R> {
  /** The client's; a call may bring its own. */
  readonly rules: RetryRules;
  readonly budget: Budget;
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
 * below it repeats anything but a hedge, which it sees as one round. The last failed response is returned, as fetch would;
 * only where there is none is the last error thrown, with the earlier ones on it.
 */
export const retry =
  <R>(parts: RetryParts<R>): Stage<R> =>
  next => {
    const dispatch = asDispatch(next);
    /** After an attempt that may have failed: until one succeeds, or none may follow. */
    const again = async (call: Call, first: Ended<R>): Promise<R> => {
      const rules = call.policy.retry ?? parts.rules;
      for (let ended = first, round = 1, waitedMs = rules.baseMs; ; round += 1) {
        const delayMs = nextDelay(parts, call, { ended, rules, round, waitedMs });
        if (delayMs < 0) {
          if (!ended.thrown) return ended.result;
          throw withHistory(ended.error, call);
        }
        if (ended.thrown) keepError(call.record, ended.error);
        else parts.discard(ended.result);
        tell(parts.events, call, { ended, delayMs });
        call.attempt += 1;
        waitedMs = delayMs;
        call.verdict = IGNORED;
        ended = await settled(delayMs > 0 ? later(dispatch, parts.runtime, delayMs) : dispatch, call);
      }
    };
    const loop: Loop<R> = { parts, again };
    return function retrying(call, landing) {
      call.verdict = IGNORED;
      next(call, new FirstRound(loop, call, landing));
    };
  };

interface Loop<R> {
  readonly parts: RetryParts<R>;
  readonly again: (call: Call, first: Ended<R>) => Promise<R>;
}

/** Most calls succeed at once: they pay for no promise here, and for no loop. */
class FirstRound<R> implements Landing<R> {
  readonly #loop: Loop<R>;
  readonly #call: Call;
  readonly #landing: Landing<R>;

  constructor(loop: Loop<R>, call: Call, landing: Landing<R>) {
    this.#loop = loop;
    this.#call = call;
    this.#landing = landing;
  }

  answered(result: R): void {
    const call = this.#call;
    const { budget, rules } = this.#loop.parts;
    if (call.verdict.outcome !== 'success' || (call.policy.retry ?? rules).shouldRetry !== undefined)
      return this.#again({ thrown: false, result });
    budget.deposit(call.now);
    call.record.endedBy = 'success';
    this.#landing.answered(result);
  }

  failed(error: unknown): void {
    const { endedBy, attempts } = this.#call.record;
    // Refused before anything was sent: there is nothing to decide, and refusals have to be cheap.
    if (endedBy === 'refused' && attempts === 0) this.#landing.failed(error);
    else this.#again({ thrown: true, error });
  }

  #again(ended: Ended<R>): void {
    this.#loop.again(this.#call, ended).then(
      result => this.#landing.answered(result),
      (error: unknown) => this.#landing.failed(error),
    );
  }
}

/** The same for a client that does not repeat: only for calls that ask for it. The others pay for one check. */
export const retryIfAsked =
  <R>(parts: RetryParts<R>): Stage<R> =>
  next => {
    const retrying = retry(parts)(next);
    return function mayRetry(call, landing) {
      return call.maxAttempts > 1 || call.policy.hedge ? retrying(call, landing) : next(call, landing);
    };
  };

interface Round<R> {
  readonly ended: Ended<R>;
  readonly rules: RetryRules;
  /** 1 is the first. */
  readonly round: number;
  /** The wait before this one. */
  readonly waitedMs: number;
}

const STOP = -1;

/** Milliseconds until the next attempt, or STOP; says in the record why it stopped. */
const nextDelay = <R>(parts: RetryParts<R>, call: Call, round: Round<R>): number => {
  const { verdict } = call;
  const says = ask(round.rules.shouldRetry, call, round.ended);
  if (verdict.outcome === 'success' && says !== true) {
    // An outage must not earn its own retries.
    if (round.round === 1) parts.budget.deposit(call.now);
    return stop(call, 'success');
  }
  if (call.cancellation.cancelled) return stop(call, 'aborted');
  const allowed = verdict.retryable === 'always' || ((verdict.retryable || says === true) && call.idempotent);
  if (!allowed || says === false || !call.replayable) return stop(call, 'not-retryable', whyNotAgain(call, says));
  if (call.attempt >= call.maxAttempts) return stop(call, 'attempts');
  const { now } = call;
  const { delayMs, asked } = delayOf(parts, call, round);
  const left = asked && call.deadlineAt === Infinity ? LONGEST_WAIT_MS : call.deadlineAt - now;
  if (delayMs >= left) return stop(call, asked ? 'retry-after' : 'deadline');
  const paid = parts.budget.withdraw(now);
  call.record.notes = { ...call.record.notes, budgetBalance: parts.budget.balance(now) };
  if (!paid) return stop(call, 'budget');
  call.record.backoffMs += delayMs;
  call.record.pause = { cause: asked ? 'retry-after' : 'retry', ms: delayMs, reason: why(round.ended, verdict) };
  return delayMs;
};

const stop = ({ record }: Call, ending: Ending, why?: string): number => {
  // A deadline or a refusal further down has said so already.
  if (record.endedBy !== 'running') return STOP;
  record.endedBy = ending;
  if (why !== undefined) record.notes = { ...record.notes, endedWhy: why };
  return STOP;
};

/**
 * A Retry-After of one instance matters only if the retry has to go there; one for the whole service always does. What
 * never left this process may go to the next instance at once, the first time.
 */
const delayOf = <R>(
  parts: RetryParts<R>,
  call: Call,
  { rules, round, waitedMs }: Round<R>,
): { delayMs: number; asked: boolean } => {
  const { verdict } = call;
  const jitterMs = backoff(rules, { nth: round, previousMs: waitedMs, chance: parts.runtime.random() });
  const { retryAfterMs } = verdict;
  if (retryAfterMs !== undefined && (verdict.retryAfterScope === 'service' || !parts.offersMore(call)))
    return { delayMs: retryAfterMs + jitterMs, asked: true };
  return { delayMs: verdict.unsent && round === 1 ? 0 : jitterMs, asked: false };
};

const tell = <R>({ emit }: Emitter, call: Call, { ended, delayMs }: { ended: Ended<R>; delayMs: number }): void => {
  const { attempt, record, verdict } = call;
  const error = ended.thrown ? ended.error : undefined;
  emit?.({ type: 'call.retried', attempt, delayMs, reason: why(ended, verdict), status: record.status, error });
};

const why = <R>(ended: Ended<R>, verdict: Verdict): string => {
  if (ended.thrown) return describe(ended.error);
  if (verdict.outcome === 'success') return 'shouldRetry asked for it';
  return verdict.outcome === 'overload' ? 'the server is overloaded' : 'the server failed';
};

/** Rejects at once, with the reason, when the call is cancelled while it waits. */
const later =
  <R>(next: Dispatch<R>, runtime: Runtime, ms: number): Dispatch<R> =>
  async call => {
    await runtime.sleep(ms, call.cancellation.signal);
    call.now = runtime.now();
    return next(call);
  };
