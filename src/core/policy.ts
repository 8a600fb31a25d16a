import type { Outcome } from './outcome.js';

/** How waits between attempts are drawn; see `machines/backoff.ts`. */
export type Jitter = 'full' | 'equal' | 'decorrelated';

/** One attempt that ended, for a rule that says whether another may follow. */
export interface RetryContext {
  /** What was answered: a Response, or what the function of `call()` gave; `undefined` when the attempt rejected. */
  readonly result: unknown;
  /** What it rejected with. */
  readonly error: unknown;
  readonly method: string;
  /** 1 is the first. */
  readonly attempt: number;
  readonly outcome: Outcome;
  /** What the default rule says. */
  readonly retryable: boolean;
}

/** `true`: try again, if the call may be sent twice; `false`: do not; `undefined`: as the default rule says. Synchronous. */
export type ShouldRetry = (context: RetryContext) => boolean | undefined;

/** How a call is repeated. */
export interface RetryRules {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly jitter: Jitter;
  readonly shouldRetry: ShouldRetry | undefined;
}

/** When a second attempt starts beside one that takes long. */
export interface HedgeRules {
  /** After so long; `undefined`: at the quantile. */
  readonly afterMs: number | undefined;
  /** Share of attempts that are faster than the wait, 0–1. */
  readonly quantile: number;
  /** Attempts that must have been measured before a quantile means something. */
  readonly minCalls: number;
  /** Hedges of one call. */
  readonly max: number;
}
