import type { Span } from '@opentelemetry/api';
import type { Cancellation } from '../../core/cancellation.js';
import { describe, isFairleadError } from '../../core/errors.js';
import type { Redact } from './redact.js';

/** SpanStatusCode.ERROR: a number in the API's contract, whose enum would be an import at run time. */
const ERROR = 2;
/** What may be a name in a metric or a search: no sentence, and nothing that differs with every error. */
const NAME = /^[\w.-]{1,64}$/;

/** `error.type`: the code of the error or of what caused it, else its name; `_OTHER` when it has none. */
export const errorType = (error: unknown): string => {
  if (isFairleadError(error)) return error.code;
  if (typeof error !== 'object' || error === null) return '_OTHER';
  const { code, cause, name } = error as { code?: unknown; cause?: unknown; name?: unknown };
  const coded = named(code) ?? named((cause as { code?: unknown } | null | undefined)?.code);
  if (coded !== undefined) return coded;
  if (typeof name === 'string' && name !== 'Error' && NAME.test(name)) return name;
  // The status of a gRPC call, for one. Numbers of a DOMException are older than its names, and stand behind them.
  return Number.isInteger(code) ? String(code) : '_OTHER';
};

const named = (code: unknown): string | undefined => (typeof code === 'string' && NAME.test(code) ? code : undefined);

/** Somebody gave up, and so wanted the end: no failure, other than the end of a time. */
export const isAbort = (error: unknown, { cancelled, reason }: Cancellation): boolean =>
  cancelled && !isFairleadError(reason) && (error === reason || errorType(error) === 'AbortError');

/** The span failed, with this. */
export const markFailed = (span: Span, error: unknown, redact: Redact): void => {
  span.setAttribute('error.type', errorType(error));
  span.setStatus({ code: ERROR, message: redact.text(describe(error)) });
};

/** The span failed, as its status says, which needs no message; or by a verdict of the user's own. */
export const markOutcome = (span: Span, status: number, outcome = 'failure'): void => {
  span.setAttribute('error.type', status >= 400 ? String(status) : outcome);
  span.setStatus({ code: ERROR });
};
