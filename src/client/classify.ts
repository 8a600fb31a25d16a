import { FAILURE, IGNORED, OVERLOAD, SERVER_ERROR, SUCCESS, UNSENT, type Verdict } from '../core/outcome.js';
import type { Runtime } from '../core/runtime.js';
import { parseRetryAfter } from './retry-after.js';

/** One attempt that ended, for a user's own rule. */
export interface Attempted<R> {
  /** What was answered; `undefined` when the attempt rejected. */
  readonly result: R | undefined;
  /** What it rejected with. */
  readonly error: unknown;
  readonly method: string;
  /** 1 is the first. */
  readonly attempt: number;
}

/** A user's own rule; `undefined` leaves the attempt to the default one. */
export type Classify<R> = (attempted: Attempted<R>) => Verdict | undefined;

/** 502 and 504 come from a proxy in between, a bare 503 from an instance that is not ready: another may do better. */
const FAILED_ELSEWHERE = new Set([502, 503, 504]);

export const classifyResponse = (response: Response, status: number, runtime: Runtime): Verdict => {
  if (status < 400 || (status < 500 && status !== 408 && status !== 429)) return SUCCESS;
  if (status === 408) return OVERLOAD;
  if (status !== 503 && status !== 429) return FAILED_ELSEWHERE.has(status) ? FAILURE : SERVER_ERROR;
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), runtime.wallNow());
  if (status === 429)
    return retryAfterMs === undefined ? OVERLOAD : { ...OVERLOAD, retryAfterMs, retryAfterScope: 'service' };
  if (retryAfterMs === undefined) return FAILURE;
  // "Try again at once" from a server that is alive: it did not process this one (Finagle's nack).
  if (retryAfterMs === 0) return { outcome: 'overload', retryable: 'always' };
  return { ...OVERLOAD, retryAfterMs, retryAfterScope: 'instance' };
};

/** No connection, so nothing was sent. */
const UNSENT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);
/** Our own machine ran out of ports or files: nothing was sent, and the server has no part in it. */
const LOCAL_CODES = new Set(['EADDRNOTAVAIL', 'EMFILE', 'ENFILE']);
const LOCAL: Verdict = Object.freeze({ outcome: 'ignored', retryable: 'always', unsent: true });

export const classifyError = (error: unknown): Verdict => {
  const roots = rootsOf(error);
  if (roots.length > 0 && roots.every(root => LOCAL_CODES.has(codeOf(root)))) return LOCAL;
  if (roots.length > 0 && roots.every(isUnsent)) return UNSENT;
  return FAILURE;
};

/** Undici will not send what was asked for: no server has a part in that. */
const ARGUMENT_CODES = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);

/** What fetch rejects with: a TypeError without a network error behind it is a bad argument, not a bad server. */
export const classifyFetchError = (error: unknown): Verdict => {
  if (!(error instanceof TypeError)) return classifyError(error);
  const code = codeOf(error.cause);
  const isArgument = error.cause === undefined || code.startsWith('ERR_INVALID') || ARGUMENT_CODES.has(code);
  return isArgument ? IGNORED : classifyError(error);
};

const isUnsent = (root: unknown): boolean =>
  UNSENT_CODES.has(codeOf(root)) ||
  // The Fetch standard's list of ports that it never connects to.
  (root as { message?: unknown } | null)?.message === 'bad port' ||
  (root as { syscall?: unknown } | null)?.syscall === 'connect';

/** The errors at the bottom: fetch wraps in `cause`, a name with several addresses in `errors`. */
const rootsOf = (error: unknown, depth = 0): unknown[] => {
  if (typeof error !== 'object' || error === null || depth > 4) return [];
  const { cause, errors } = error as { cause?: unknown; errors?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return errors.flatMap(each => rootsOf(each, depth + 1));
  return typeof cause === 'object' && cause !== null ? rootsOf(cause, depth + 1) : [error];
};

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
};
