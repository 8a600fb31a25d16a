import type { AttemptExplanation, DeadlineSource, LimitExplanation, Pause } from './explanation.js';
import { shared } from './shared.js';

/** What is kept of every call: fixed in size, so that it can stay switched on. */
export interface CallRecord {
  readonly service: string;
  readonly method: string;
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Monotonic ms; Infinity without a deadline. */
  readonly deadlineAt: number;
  /** Whose deadline that is. */
  readonly deadlineFrom: DeadlineSource;
  /** How long it took up to the headers, in ms; NaN while it runs. */
  durationMs: number;
  /** Status of the last response; `undefined` without one, and for `call()`. */
  status: number | undefined;
  /** Attempts that were handed to an instance, hedges included. */
  attempts: number;
  /** Hedges that were sent. */
  hedges: number;
  /** What earlier attempts rejected with, oldest first; the error that the caller got is not among them. */
  errors: readonly unknown[];
  /**
   * The attempts, with who could be picked, who was out and why: of calls with a failed attempt, from the first that failed
   * on, and of all calls with `explain: 'all'`; else empty.
   */
  tries: readonly AttemptExplanation[];
  /** Id of the instance that served the last attempt. */
  instance: string | undefined;
  /** Time spent waiting for a place in the bulkhead, in ms. */
  queuedMs: number;
  /** Time spent between attempts, in ms. */
  backoffMs: number;
  /** Why the newest attempt came when it came. */
  pause: Pause;
  /** Whose answer the caller got. */
  servedFrom: Source;
  /** Which rule ended it. */
  endedBy: Ending;
  /** What only few calls have: one object that the others share, so that they do not pay for it. */
  notes: CallNotes;
}

export interface CallNotes {
  /** What `rateLimit` said; `undefined` without one. */
  readonly limit?: LimitExplanation;
  /** Retries that could be paid after the last decision on one; `undefined` where there was none to decide. */
  readonly budgetBalance?: number;
  /** Why it was not to be repeated, in words; `undefined` where another rule than that ended it. */
  readonly endedWhy?: string | undefined;
}

const NO_NOTES: CallNotes = Object.freeze({});

/** `stale`: kept, no longer fresh, and better than a failure. `coalesced`: asked for by another call at the same time. */
export type Source = 'instance' | 'coalesced' | 'cache' | 'stale' | 'fallback';

export type Ending =
  'running' | 'success' | 'not-retryable' | 'attempts' | 'budget' | 'deadline' | 'retry-after' | 'aborted' | 'refused';

/** The same array for all calls that went well. */
export const NO_ERRORS: readonly never[] = Object.freeze([]);

/** Of the first attempt of a call. */
export const FIRST: Pause = Object.freeze({ cause: 'first', ms: 0, reason: null });

type Beginning = 'service' | 'method' | 'startedAt' | 'deadlineAt' | 'deadlineFrom';

/** Of a call that begins. */
export const newRecord = (call: Pick<CallRecord, Beginning>): CallRecord => ({
  service: call.service,
  method: call.method,
  startedAt: call.startedAt,
  deadlineAt: call.deadlineAt,
  deadlineFrom: call.deadlineFrom,
  durationMs: NaN,
  status: undefined,
  attempts: 0,
  hedges: 0,
  errors: NO_ERRORS,
  tries: NO_ERRORS,
  instance: undefined,
  queuedMs: 0,
  backoffMs: 0,
  pause: FIRST,
  servedFrom: 'instance',
  endedBy: 'running',
  notes: NO_NOTES,
});

const RECORD = shared.recordKey;

/** Leaves the record on what the caller gets. A symbol: `JSON.stringify` and `for … in` pass it over. */
export const attachRecord = (target: object, record: CallRecord): void => {
  (target as Record<symbol, CallRecord>)[RECORD] = record;
};

/** The same on an error, out of sight: whoever prints the error wants to read what it says, not a table of candidates. */
export const attachToError = (error: Error, record: CallRecord): void => {
  // Errors of ours have a place for it.
  if (RECORD in error) attachRecord(error, record);
  else Object.defineProperty(error, RECORD, { value: record, writable: true, configurable: true });
};

/** The record of the call that gave this response or error; `undefined` if it is none of ours. */
export const recordOf = (target: unknown): CallRecord | undefined =>
  typeof target === 'object' && target !== null
    ? (target as Record<symbol, CallRecord | undefined>)[RECORD]
    : undefined;
