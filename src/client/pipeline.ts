import { compose, type Call, type Dispatch, type Layer } from '../core/call.js';
import { bulkhead } from '../layers/bulkhead.js';
import { deadline } from '../layers/deadline.js';
import { retry, type RetryParts } from '../layers/retry.js';
import type { TimerQueue } from '../core/timer-queue.js';
import type { Permits } from '../machines/permits.js';
import { attempt, type AttemptParts } from './attempt.js';

export interface PipelineParts<R> {
  readonly attempt: AttemptParts<R>;
  readonly callLayers: readonly Layer<unknown>[];
  readonly attemptLayers: readonly Layer<unknown>[];
  /** Timers of the deadlines that calls usually have. */
  readonly deadlines: TimerQueue<Call> | undefined;
  readonly permits: Permits | undefined;
  readonly retry: RetryParts<R> | undefined;
}

/** The way of one call, outermost first. A stage that is off is absent. The only place where order is decided. */
export const pipeline = <R>({ permits, retry: retryParts, ...parts }: PipelineParts<R>): Dispatch<R> => {
  const { runtime } = parts.attempt;
  const stages: (Layer<R> | undefined)[] = [
    // The user's own see everything: refusals, the whole time, one result however many attempts.
    ...(parts.callLayers as readonly Layer<R>[]),
    // (fallback: sees every failure, refusals too)
    // (cache: a hit costs nothing below)
    // Everything below spends it: waiting for a place, back-off, attempts.
    deadline(runtime, parts.deadlines),
    // (coalesce: one flight for identical reads, below their own deadlines)
    // (rate limit: the quota is for logical calls, retries are paid from the budget)
    // A place is held for the whole logical call, so that retries cannot queue behind new calls.
    permits && bulkhead(permits, runtime),
    // One owner for all repetition, and one budget.
    retryParts && retry(retryParts),
    // (throttle, service breaker, adaptive concurrency: see each attempt; their refusal is not retried)
    // The user's own, around each attempt: an attempt span, a signature, a header that must be fresh.
    ...(parts.attemptLayers as readonly Layer<R>[]),
  ];
  return compose(
    stages.filter(stage => stage !== undefined),
    attempt(parts.attempt),
  );
};
