import type { Call, Layer } from '../core/call.js';
import { isFairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import { SUCCESS } from '../core/outcome.js';
import { keepError } from './earlier-errors.js';

/** What a fallback is told of the call that failed. */
export interface Failure<R> {
  readonly service: string;
  /** `'CIRCUIT_OPEN'`, `'DEADLINE_EXCEEDED'` and so on; the system's code (`'ECONNREFUSED'`) of a transport error. */
  readonly code: string | undefined;
  /** What was thrown; `undefined` where the server answered that it failed. */
  readonly error: unknown;
  /** The failed answer that would be returned; `undefined` where there is none. */
  readonly result: R | undefined;
  readonly method: string;
  /** Path and query; `undefined` for `call()`. */
  readonly path: string | undefined;
  /** Attempts that were handed to an instance. */
  readonly attempts: number;
}

/** Answers in place of a failed call; `undefined` leaves the failure as it is. What it throws is what the caller gets. */
export type FallbackFunction<R> = (failure: Failure<R>) => R | undefined | Promise<R | undefined>;

export interface FallbackParts<R> {
  /** This call's own, or the client's; `undefined`: none. */
  readonly of: (call: Call) => FallbackFunction<R> | undefined;
  readonly events: Emitter;
  /** Lets go of a failed answer that is not returned. */
  readonly discard: (result: R) => void;
}

/**
 * A second-best answer where there would be a failure: a default, an answer from elsewhere. Sees every failure, refusals
 * too, and none that is not one: an abort of the caller's passes.
 */
export const fallback =
  <R>({ of, events, discard }: FallbackParts<R>): Layer<R> =>
  next => {
    const answer = async (call: Call, fn: FallbackFunction<R>, failed: Failed<R>): Promise<R> => {
      const failure = describeFailure(call, failed);
      const result = await fn(failure);
      if (result === undefined) {
        if (failed.thrown) throw failed.error;
        return failed.result;
      }
      if (!failed.thrown && failed.result !== result) discard(failed.result);
      events.emit?.({ type: 'call.fallback', code: failure.code, status: call.record.status, error: failure.error });
      if (failed.thrown) keepError(call.record, failed.error);
      call.record.servedFrom = 'fallback';
      call.verdict = SUCCESS;
      return result;
    };
    return function fallingBack(call) {
      const fn = of(call);
      if (fn === undefined) return next(call);
      return next(call).then(
        result => (hasFailed(call) ? answer(call, fn, { thrown: false, result }) : result),
        (error: unknown) => {
          if (isCallersAbort(call, error)) throw error;
          return answer(call, fn, { thrown: true, error });
        },
      );
    };
  };

/** Calls that have none need not pass it. */
export const hasFallback =
  <R>({ of }: FallbackParts<R>) =>
  (call: Call): boolean =>
    of(call) !== undefined;

type Failed<R> = { readonly thrown: false; readonly result: R } | { readonly thrown: true; readonly error: unknown };

const hasFailed = ({ verdict: { outcome } }: Call): boolean => outcome === 'failure' || outcome === 'overload';

/** Our own timers cancel with errors of ours. */
export const isCallersAbort = ({ cancellation }: Call, error: unknown): boolean =>
  cancellation.cancelled && error === cancellation.reason && !isFairleadError(error);

const describeFailure = <R>({ service, request, record }: Call, failed: Failed<R>): Failure<R> => ({
  service,
  code: failed.thrown ? codeOf(failed.error) : undefined,
  error: failed.thrown ? failed.error : undefined,
  result: failed.thrown ? undefined : failed.result,
  method: record.method,
  path: request?.path,
  attempts: record.attempts,
});

/** fetch wraps what the system said in a TypeError. */
const codeOf = (error: unknown): string | undefined => {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } | null };
  if (typeof code === 'string') return code;
  return typeof cause?.code === 'string' ? cause.code : undefined;
};
