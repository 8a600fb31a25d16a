/** What metrics are split by: values of which there are few, whatever users and servers send. */
import type { EventOf } from '../../core/events.js';
import { isFairleadError } from '../../core/errors.js';
import { errorType } from './span-error.js';
import { methodAttributes } from './span-http.js';

/** Attributes of fairlead's own; the others are OpenTelemetry's, of its conventions for HTTP clients. */
export const SERVICE = 'fairlead.service';
export const OUTCOME = 'fairlead.outcome';
export const SERVED_FROM = 'fairlead.served_from';
export const ENDED_BY = 'fairlead.ended_by';
export const REASON = 'fairlead.reason';
export const CODE = 'fairlead.code';
export const STATE = 'fairlead.state';
export const REGISTRY = 'fairlead.registry';
export const INSTANCE = 'fairlead.instance';

/** Stands for all that is not known, as OpenTelemetry's conventions have it. */
export const OTHER = '_OTHER';

/** As spans have it, without the original: a user's own must not make a time series each. */
export const methodLabel = (method: string): string => String(methodAttributes(method)['http.request.method']);

/** What went wrong with an attempt: the kind of its error, or the status that says so; `undefined`: nothing. */
export const failureLabel = (status: number | undefined, error: unknown): string | undefined => {
  if (error !== undefined) return errorType(error);
  return status !== undefined && status >= 400 ? String(status) : undefined;
};

/** Why there was one more attempt: what the one before it failed with, or a rule of the user's that asked for it. */
export const retryLabel = ({ status, error }: EventOf<'call.retried'>): string =>
  failureLabel(status, error) ?? (status === undefined ? OTHER : 'should_retry');

export type CallOutcome = 'success' | 'failure' | 'overload' | 'timeout' | 'refused' | 'aborted';

/**
 * How a call ended for its caller. `success`: with an answer that serves, be it a cached or a fallback's. `aborted`: by the
 * caller's own will, which is no failure of anybody's.
 */
export const callOutcome = ({ error, outcome, endedBy }: EventOf<'call.ended'>): CallOutcome => {
  // A rule of the user's may say that an answer means nothing: the caller has it all the same.
  if (error === undefined) return outcome === 'ignored' ? 'success' : outcome;
  if (isFairleadError(error, 'DEADLINE_EXCEEDED') || isFairleadError(error, 'ATTEMPT_TIMEOUT')) return 'timeout';
  if (isFairleadError(error)) return endedBy === 'refused' ? 'refused' : 'failure';
  return endedBy === 'aborted' ? 'aborted' : 'failure';
};
