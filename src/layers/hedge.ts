import type { Budget } from '../core/budget.js';
import type { Call, Dispatch, Layer } from '../core/call.js';
import type { Emitter } from '../core/events.js';
import type { HedgeRules } from '../core/policy.js';
import type { Runtime } from '../core/runtime.js';
import { LatencySketch } from '../machines/latency-sketch.js';
import { HedgedRound } from './hedged-round.js';

export interface HedgeParts<R> {
  /** The client's; a call may bring its own. */
  readonly rules: HedgeRules | false;
  /** The one of retry: both spend it. */
  readonly budget: Budget;
  readonly runtime: Runtime;
  readonly events: Emitter;
  /** Is there an instance that this call has not tried? */
  readonly offersMore: (call: Call) => boolean;
  /** Lets go of a result that is not returned: its connection is still busy with the body. */
  readonly discard: (result: R) => void;
}

/** How long a measured attempt counts: half of it after this time. Long enough for services with one call a second. */
const HALF_LIFE_MS = 30_000;

/**
 * Starts a second attempt at another instance when the first takes unusually long, and takes what succeeds first: for
 * reads whose slowest percent matters. The other one is aborted. Only for what may be sent twice, within the budget of
 * retry, which sees all of it as one round. Source: Dean and Barroso, "The Tail at Scale", 2013.
 */
export const hedge =
  <R>(parts: HedgeParts<R>): Layer<R> =>
  next => {
    /** Of the attempts that could have been hedged: made with the first one, since most clients never need it. */
    let latencies: LatencySketch | undefined;
    return function hedging(call) {
      const rules = call.policy.hedge ?? parts.rules;
      if (!rules || !mayHedge(call)) return next(call);
      if (rules.afterMs === undefined) latencies ??= new LatencySketch({ halfLifeMs: HALF_LIFE_MS });
      const sketch = rules.afterMs === undefined ? latencies : undefined;
      const afterMs = waitOf(rules, call, sketch);
      // Nothing can be gained: the deadline comes first, or as many as may be were sent.
      if (call.deadlineAt - call.now <= afterMs || call.record.hedges >= rules.max) return measured(next, call, sketch);
      return new HedgedRound<R>({ ...parts, next, call, afterMs, max: rules.max, sketch }).run();
    };
  };

/** Calls that are never hedged need not pass it. */
export const hedges =
  <R>({ rules }: HedgeParts<R>) =>
  (call: Call): boolean =>
    (call.policy.hedge ?? rules) !== false && mayHedge(call);

const mayHedge = ({ idempotent, replayable }: Call): boolean => idempotent && replayable;

/** Infinity while too little is known. */
const waitOf = ({ afterMs, quantile, minCalls }: HedgeRules, call: Call, sketch: LatencySketch | undefined): number => {
  if (sketch === undefined) return afterMs ?? Infinity;
  return sketch.count(call.now) < minCalls ? Infinity : sketch.quantile(quantile, call.now);
};

/** An attempt that is not hedged tells how long attempts take. A failure says nothing of that. */
const measured = <R>(next: Dispatch<R>, call: Call, sketch: LatencySketch | undefined): Promise<R> => {
  if (sketch === undefined) return next(call);
  const startedAt = call.now;
  return next(call).then(result => {
    if (call.verdict.outcome === 'success') sketch.observe(call.now - startedAt, call.now);
    return result;
  });
};
