import type { Call } from '../core/call.js';
import { isFairleadError } from '../core/errors.js';
import type { CallRecord } from '../core/record.js';

/**
 * Remembers what an attempt rejected with when it is not what the caller gets. In the record, since a transport's error is
 * not ours to write on: `recordOf(error).errors` has them whatever the caller got, a response included.
 */
export const keepError = (record: CallRecord, error: unknown): void => {
  record.errors = [...record.errors, error];
};

/** Writes the earlier errors on the last one where that is ours: made by this client, not handed through it. */
export const withHistory = (error: unknown, { service, record }: Call): unknown => {
  if (!isFairleadError(error) || error.service !== service || Object.isFrozen(error)) return error;
  error.errors = record.errors.filter(earlier => earlier !== error);
  error.attempts = record.attempts;
  return error;
};
