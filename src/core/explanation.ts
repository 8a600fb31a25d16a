import type { Outcome } from './outcome.js';

/** How a route led to the set that serves a call. Plain data. */
export interface RouteExplanation {
  /** The name of the rule that decided. */
  readonly rule: string;
  /** What it wants, as text; 'any' where that is everybody. */
  readonly wanted: string;
  /** What serves: the same, or what it fell back to. */
  readonly served: string;
  /** 0 = what was wanted; 1 = the first fallback … */
  readonly rung: number;
  /** The zone that is preferred, and the share of calls that stays there, 0–1; null without a preference. */
  readonly zone: { readonly own: string; readonly localRatio: number } | null;
}

/** An instance that could not be picked, and why. */
export interface Excluded {
  readonly id: string;
  readonly reason: string;
  /** When it is tried again, in ms from now; null where that is not a matter of time. */
  readonly availableInMs: number | null;
}

/** A set at one moment, as plain JSON. */
export interface SetDescription {
  readonly members: number;
  readonly eligible: number;
  /** So few may serve that all do. */
  readonly panic: boolean;
  readonly out: readonly Excluded[];
}

/**
 * Who could be picked for a call, and who was, as plain JSON. Numbers are those of the moment when it was asked for; of an
 * attempt that is explained anyway (a second one, or with `explain: 'all'`), those that it was picked by; of a first one that
 * failed, those of its end, but for `inFlight`.
 */
export interface PickExplanation extends SetDescription {
  /** Null where calls may go anywhere. */
  readonly route: RouteExplanation | null;
  /** Instances that the registry lists. */
  readonly known: number;
  /** Who the newest attempt went to; null before the first. */
  readonly chosen: Numbers | null;
  /** Who could have been picked instead; of many, ten. */
  readonly others: readonly Numbers[];
}

/** What balancers go by. */
export interface Numbers {
  readonly id: string;
  /** Slow start included. */
  readonly weight: number;
  /** Attempts in flight there; of the chosen one without this attempt. */
  readonly inFlight: number;
  /** 0: not measured yet, nor any of its peers. */
  readonly latencyMs: number;
  readonly successRatio: number;
}

/** One attempt, told after the fact. */
export interface AttemptExplanation extends PickExplanation {
  /** 1 is the first. */
  readonly attempt: number;
  /** It went to an instance that was on trial, as one of its single probes. */
  readonly probe: boolean;
  /** Since the call began, in ms. */
  readonly startedAfterMs: number;
  /** What it waited for before that. */
  readonly pause: Pause;
  readonly durationMs: number;
  readonly outcome: Outcome;
  /** May another attempt help? `'always'`: for any method, since this one was not processed. */
  readonly retryable: boolean | 'always';
  /** For how long the server asked to be left alone, in ms. */
  readonly retryAfterMs: number | null;
  readonly status: number | null;
  /** What it rejected with, in words. */
  readonly error: string | null;
}

/** Why an attempt came when it came. */
export interface Pause {
  /** `retry-after`: the server said how long to wait; `redirect`: an answer named the service anew. */
  readonly cause: 'first' | 'retry' | 'retry-after' | 'hedge' | 'redirect';
  /** The wait before it, in ms; of a hedge, how long the attempt beside it had run. */
  readonly ms: number;
  /** What the attempt before it did; null where that is not the reason. */
  readonly reason: string | null;
}

/** Whose deadline a call has: its own, its client's, that of the request which is being served, or none. */
export type DeadlineSource = 'call' | 'client' | 'inherited' | 'none';

/** What the rate limiter did with a call. */
export interface LimitExplanation {
  /** In words: `100/s, burst 20`. */
  readonly rule: string;
  readonly result: 'admitted' | 'waited' | 'refused';
  readonly waitedMs: number;
  /** Permits that were left after it; null where there is no end of them. */
  readonly available: number | null;
}
