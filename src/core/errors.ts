import { explainCall, type CallExplanation, type ErrorExplanation } from './explain-call.js';
import { harmless } from './harmless.js';
import type { CallRecord } from './record.js';
import { withoutSecrets } from './secrets.js';
import { shared } from './shared.js';

/** Nothing was sent: fairlead refused before the network. */
export type RefusedCode =
  | 'NO_INSTANCES'
  | 'NO_ROUTE'
  | 'CIRCUIT_OPEN'
  | 'RATE_LIMITED'
  | 'BULKHEAD_FULL'
  | 'THROTTLED'
  | 'REDIRECT_REFUSED'
  | 'CLIENT_CLOSED';
/** Time ran out; such an error has `name: 'TimeoutError'`, as the platform's own. */
export type TimeoutCode = 'DEADLINE_EXCEEDED' | 'ATTEMPT_TIMEOUT';
export type RegistryCode = 'REGISTRY_UNAVAILABLE' | 'REGISTRATION_FAILED' | 'MISSING_PEER';
export type FairleadErrorCode = RefusedCode | TimeoutCode | RegistryCode;

export interface FairleadErrorDetails {
  readonly service?: string | undefined;
  readonly cause?: unknown;
  /** When trying again may succeed, in ms from now. */
  readonly retryAfterMs?: number | undefined;
}

const BRAND = Symbol.for('fairlead.error');
const TIMEOUTS: readonly FairleadErrorCode[] = ['DEADLINE_EXCEEDED', 'ATTEMPT_TIMEOUT'];

/**
 * The base of everything that fairlead throws of its own; tell them apart by `code`. What a transport or a caller's
 * abort signal threw passes through as it was.
 */
export class FairleadError extends Error {
  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
    // A field costs a refusal nothing, where a property that cannot be seen costs a tenth.
    Object.defineProperty(this.prototype, shared.recordKey, {
      get: function (this: FairleadError) {
        return #record in this ? this.#record : undefined;
      },
      set: function (this: FairleadError, record: CallRecord) {
        if (#record in this) this.#record = record;
      },
    });
  }

  readonly code: FairleadErrorCode;
  /** The service that was called; empty where none is concerned. */
  readonly service: string;
  readonly retryAfterMs?: number;
  /** Attempts that were handed to an instance before this error. */
  attempts = 0;
  /** The errors of earlier attempts, oldest first. */
  errors: unknown[] = [];
  #record: CallRecord | undefined;

  constructor(code: FairleadErrorCode, message: string, details: FairleadErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: harmless(details.cause) });
    this.name = TIMEOUTS.includes(code) ? 'TimeoutError' : 'FairleadError';
    this.code = code;
    this.service = details.service ?? '';
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }

  /** What happened to the call that ended with it, and why, as `client.explain`; `undefined` if it is not of a call. */
  explain(): CallExplanation | undefined {
    return explanationOf(this);
  }
}

/**
 * For refusals that a full or broken service is answered with thousands of times a second: a fresh error without stack
 * frames. The ten that V8 keeps would all be fairlead's own, and taking them costs five times the rest of the refusal.
 */
export const refused = (code: RefusedCode, message: string, details?: FairleadErrorDetails): FairleadError => {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
  } catch {
    // Frozen, as by --frozen-intrinsics.
  }
  const error = new FairleadError(code, message, details);
  if (Error.stackTraceLimit !== stackTraceLimit) Error.stackTraceLimit = stackTraceLimit;
  return error;
};

/** True for errors of any copy of fairlead in the process; with `code`, for that code only. */
export const isFairleadError = <C extends FairleadErrorCode>(
  error: unknown,
  code?: C,
): error is FairleadError & { readonly code: C } =>
  typeof error === 'object' &&
  error !== null &&
  (error as Record<symbol, unknown>)[BRAND] === true &&
  (code === undefined || (error as FairleadError).code === code);

/** What an unknown thrown value says of itself, for messages and events. Without what looks like a secret. */
export const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return withoutSecrets(textOf(error));
  const text = error.message || error.name;
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return withoutSecrets(cause === '' || text.includes(cause) ? text : `${text} (${cause})`);
};

/** Of the call that gave this response or error; `undefined` if it is none of ours. */
export const explanationOf = (target: unknown): CallExplanation | undefined => explainCall(target, summarise);

/** The same as `describe`, as fields. */
export const summarise = (error: unknown): ErrorExplanation => {
  const { name, code, cause } = (error ?? {}) as { name?: unknown; code?: unknown; cause?: { code?: unknown } | null };
  const own = code ?? cause?.code;
  return {
    name: typeof name === 'string' ? name : typeof error,
    code: typeof own === 'string' ? own : null,
    message: describe(error),
  };
};

/** An object without a prototype has no text, and one from a stranger may throw for it. */
const textOf = (value: unknown): string => {
  try {
    return String(value);
  } catch {
    return 'an object without text';
  }
};
