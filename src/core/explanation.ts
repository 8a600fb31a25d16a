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

/** Who could be picked for a call, and who was, as plain JSON. Numbers are those of the moment when it was asked for. */
export interface PickExplanation extends SetDescription {
  /** Null where calls may go anywhere. */
  readonly route: RouteExplanation | null;
  /** Instances that the registry lists. */
  readonly known: number;
  /** Who the newest attempt went to; null before the first. */
  readonly chosen: {
    readonly id: string;
    readonly weight: number;
    readonly inFlight: number;
    readonly latencyMs: number;
    readonly successRatio: number;
  } | null;
}

/** One attempt, told after the fact. */
export interface AttemptExplanation extends PickExplanation {
  /** 1 is the first. */
  readonly attempt: number;
  readonly durationMs: number;
  readonly outcome: Outcome;
  readonly status: number | null;
}
