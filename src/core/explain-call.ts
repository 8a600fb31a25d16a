import type { AttemptExplanation, DeadlineSource, LimitExplanation } from './explanation.js';
import { recordOf, type CallRecord, type Ending, type Source } from './record.js';

/** What happened to a call, and why: plain JSON, without secrets. Made when it is asked for, from what was kept. */
export interface CallExplanation {
  readonly service: string;
  /** `'CALL'` for `call()`. */
  readonly method: string;
  /** Up to the headers, in ms; null while it runs. */
  readonly durationMs: number | null;
  /** Of the last response; null without one, and for `call()`. */
  readonly status: number | null;
  /** Who the last attempt went to; null if none was made. */
  readonly instance: string | null;
  readonly servedFrom: Source;
  /** Which rule ended it, and the same in words. */
  readonly endedBy: Ending;
  readonly why: string;
  /** `ms` is null without one; `leftMs`: what the call left of it. */
  readonly deadline: { readonly ms: number | null; readonly from: DeadlineSource; readonly leftMs: number | null };
  /** Null without a `rateLimit`. */
  readonly limiter: LimitExplanation | null;
  /** Time spent waiting for the limiter and for a place in the bulkhead, in ms. */
  readonly queuedMs: number;
  /** Time spent between attempts, in ms. */
  readonly backoffMs: number;
  /** Retries that could still be paid after the last decision on one; null where there was nothing to decide. */
  readonly budget: { readonly balance: number } | null;
  /** Attempts that were handed to an instance, hedges included. */
  readonly attempts: number;
  readonly hedges: number;
  /** Of calls with a failed attempt, from that one on; of all with `explain: 'all'`; else empty. */
  readonly tries: readonly AttemptExplanation[];
  /** What went wrong before the end, oldest first. */
  readonly errors: readonly ErrorExplanation[];
  /** What the caller got instead of an answer; null where it got one. */
  readonly error: ErrorExplanation | null;
}

export interface ErrorExplanation {
  readonly name: string;
  readonly code: string | null;
  readonly message: string;
}

/** What an error says of itself. Handed in, since errors explain themselves. */
export type Summarise = (error: unknown) => ErrorExplanation;

/** Of the call that gave this response or error; `undefined` if it is none of ours. */
export const explainCall = (target: unknown, summarise: Summarise): CallExplanation | undefined => {
  const record = recordOf(target);
  if (record === undefined) return undefined;
  const error = target instanceof Error ? summarise(target) : null;
  const errors = record.errors.map(summarise);
  return { ...numbersOf(record), why: whyEnded(record, error ?? errors.at(-1) ?? null), errors, error };
};

const numbersOf = (record: CallRecord): Omit<CallExplanation, 'why' | 'errors' | 'error'> => {
  const { startedAt, deadlineAt, durationMs, notes } = record;
  const { limit = null, budgetBalance } = notes;
  const deadlineMs = finite(deadlineAt - startedAt);
  const leftMs = deadlineMs === null || Number.isNaN(durationMs) ? null : Math.max(0, deadlineMs - durationMs);
  return {
    service: record.service,
    method: record.method,
    durationMs: finite(durationMs),
    status: record.status ?? null,
    instance: record.instance ?? null,
    servedFrom: record.servedFrom,
    endedBy: record.endedBy,
    deadline: { ms: deadlineMs, from: record.deadlineFrom, leftMs },
    limiter: limit,
    queuedMs: record.queuedMs,
    backoffMs: record.backoffMs,
    budget: budgetBalance === undefined || !Number.isFinite(budgetBalance) ? null : { balance: budgetBalance },
    attempts: record.attempts,
    hedges: record.hedges,
    // They were noted as they ended: of two that ran side by side, the later may have ended first.
    tries: [...record.tries].sort((one, other) => one.startedAfterMs - other.startedAfterMs),
  };
};

const finite = (ms: number): number | null => (Number.isFinite(ms) ? Math.max(0, ms) : null);

const WHY: Readonly<Record<Ending, string>> = {
  running: 'it still runs',
  success: 'it succeeded',
  'not-retryable': 'nothing allowed another attempt',
  attempts: 'it had made as many attempts as it may',
  budget: 'the retry budget could not pay for another attempt',
  deadline: 'its deadline had passed, or left no time for another attempt',
  'retry-after': 'the server asked for a longer wait than the deadline leaves',
  aborted: 'it was aborted',
  refused: 'fairlead refused it',
};

const whyEnded = ({ endedBy, notes, servedFrom }: CallRecord, error: ErrorExplanation | null): string => {
  const rule =
    endedBy === 'refused' && error?.code != null ? `${WHY.refused}: ${error.code}` : (notes.endedWhy ?? WHY[endedBy]);
  if (servedFrom === 'fallback') return `the fallback answered, since ${rule}`;
  if (servedFrom === 'stale') return `the cache answered with a stale copy, since ${rule}`;
  return servedFrom === 'cache' ? 'the cache answered' : rule;
};
