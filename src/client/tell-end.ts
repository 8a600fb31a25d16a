import type { Call } from '../core/call.js';
import { isFairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import type { Lease } from '../pool/lease.js';

type Emit = NonNullable<Emitter['emit']>;

/** Apart from what each call runs through, since the compiler inlines only what is short. */
export const tellCallEnd = (emit: Emit, { record, verdict }: Call, error: unknown): void => {
  const { method, durationMs, attempts, servedFrom, endedBy, status } = record;
  // Where a fallback answered, the refusal is the last thing that went wrong.
  const refusal = endedBy === 'refused' ? (error ?? record.errors.at(-1)) : undefined;
  if (isFairleadError(refusal)) emit({ type: 'call.refused', code: refusal.code, message: refusal.message });
  const { outcome } = verdict;
  emit({ type: 'call.ended', method, durationMs, attempts, outcome, servedFrom, endedBy, status, error });
};

/** The same for one attempt, which the call has just taken note of. */
export const tellAttemptEnd = (
  emit: Emit,
  { record, verdict, attempt, now }: Call,
  { lease, error }: { lease: Lease; error: unknown },
): void => {
  const { method, status } = record;
  const { outcome } = verdict;
  const instance = lease.endpoint.instance.id;
  emit({ type: 'attempt.ended', instance, method, attempt, durationMs: now - lease.startedAt, outcome, status, error });
};
