import type { Call, Layer } from '../core/call.js';
import { asStage, chain, type Flow, type Stage } from '../core/flow.js';
import { bulkhead } from '../layers/bulkhead.js';
import { deadline } from '../layers/deadline.js';
import { fallback, hasFallback, type FallbackParts } from '../layers/fallback.js';
import { guarded, type Guard } from '../layers/guarded.js';
import { hedge, hedges, type HedgeParts } from '../layers/hedge.js';
import { rateLimit, type RateLimitParts } from '../layers/rate-limit.js';
import { retry, retryIfAsked, type RetryParts } from '../layers/retry.js';
import type { TimerQueue } from '../core/timer-queue.js';
import type { Permits } from '../machines/permits.js';
import { attempt, type AttemptParts } from './attempt.js';

export interface PipelineParts<R> {
  readonly attempt: AttemptParts<R>;
  /** Instruments, and the user's own layers. */
  readonly callStages: readonly Stage<unknown>[];
  readonly attemptLayers: readonly Layer<unknown>[];
  /** Timers of the deadlines that calls usually have. */
  readonly deadlines: TimerQueue<Call> | undefined;
  readonly fallback: FallbackParts<R>;
  /** The client has one; else only calls that bring one fall back. */
  readonly fallsBack: boolean;
  readonly cache?: Layer<R> | undefined;
  readonly coalesce?: Layer<R> | undefined;
  readonly rateLimit: RateLimitParts | undefined;
  readonly permits: Permits | undefined;
  readonly guards: readonly Guard[];
  /** The client retries or hedges; else only calls that ask for it are repeated. */
  readonly repeats: boolean;
  readonly retry: RetryParts<R>;
  readonly hedge: HedgeParts<R>;
}

/**
 * The way of one call, outermost first. A stage that is off is absent. The only place where order is decided.
 *
 * @param asking of a call with options of its own, which may ask for what its client does not do
 */
const pipeline = <R>({ permits, ...parts }: PipelineParts<R>, asking: boolean): Flow<R> => {
  const { runtime } = parts.attempt;
  const stages: (Stage<R> | undefined)[] = [
    // Who watches, and the user's own, see everything: refusals, the whole time, one result however many attempts.
    ...(parts.callStages as readonly Stage<R>[]),
    // Sees every failure, refusals too.
    parts.fallsBack || asking ? asStage(fallback(parts.fallback), hasFallback(parts.fallback)) : undefined,
    // A hit costs nothing below; a stale answer is better than a failure.
    parts.cache && asStage(parts.cache),
    // Everything below spends it: waiting for a place, back-off, attempts.
    deadline(runtime, parts.deadlines),
    // One flight for identical reads, below the deadline that each has: it goes on while one of them waits.
    parts.coalesce && asStage(parts.coalesce),
    // The quota is for logical calls: retries are paid from the budget. Given back where nothing was sent.
    parts.rateLimit && rateLimit(parts.rateLimit),
    // A place is held for the whole logical call, so that retries cannot queue behind new calls.
    permits && bulkhead(permits, runtime),
    // One owner for all repetition, and one budget.
    parts.repeats ? retry(parts.retry) : asking ? retryIfAsked(parts.retry) : undefined,
    // A second attempt beside the first: each passes the guards, and retry sees one round.
    parts.hedge.rules || asking ? asStage(hedge(parts.hedge), hedges(parts.hedge)) : undefined,
    // Throttle, service breaker, adaptive concurrency: see each attempt; their refusal is not retried.
    parts.guards.length > 0 ? guarded(parts.guards, parts.attempt.layersMayWait ? runtime : undefined) : undefined,
    // The user's own, around each attempt: an attempt span, a signature, a header that must be fresh.
    ...(parts.attemptLayers as readonly Layer<R>[]).map(layer => asStage(layer)),
  ];
  return chain(
    stages.filter(stage => stage !== undefined),
    attempt(parts.attempt),
  );
};

/**
 * The pipeline of calls with options of their own, and a shorter one for the others, which passes by what only options ask for.
 * They are one and the same where a stage keeps something between calls: what the one learnt, the other has to know.
 */
export class Way<R> {
  readonly asking: Flow<R>;
  readonly plain: Flow<R>;

  constructor(parts: PipelineParts<R>) {
    this.asking = pipeline(parts, true);
    this.plain = keepsNothing(parts) ? pipeline(parts, false) : this.asking;
  }
}

/** The other stages keep what they know in the parts. */
const keepsNothing = <R>({ callStages, attemptLayers, cache, coalesce, hedge }: PipelineParts<R>): boolean =>
  callStages.length + attemptLayers.length === 0 && cache === undefined && coalesce === undefined && !hedge.rules;
