import type { Call } from '../core/call.js';
import { describe } from '../core/errors.js';
import type { AttemptExplanation } from '../core/explanation.js';
import type { Verdict } from '../core/outcome.js';
import type { Lease } from '../pool/lease.js';
import type { Pool } from '../pool/pool.js';

/** What is told whatever its end may be is looked at when it is picked; the rest, of which little is told, when it ended. */
const isToldAnyway = ({ attempt, explained }: Call): boolean => attempt > 1 || explained === true;

/** A call that goes well at once needs no explanation, and should not pay for one. */
export const isWorthTelling = (call: Call, { outcome }: Verdict): boolean =>
  outcome !== 'success' || isToldAnyway(call);

/** Remembers who else could have been picked, for an attempt that is told anyway. */
export const picked = (pool: Pool, call: Call, lease: Lease): Lease => {
  if (isToldAnyway(call)) lease.pick = pool.explain(call, lease.endpoint);
  return lease;
};

/** Leaves in the call's record who this attempt could go to, and how it ended. Asked before its lease is settled. */
export const tellAttempt = (pool: Pool, call: Call, { lease, error }: { lease: Lease; error: unknown }): void => {
  const { record, attempt, verdict, now } = call;
  const { endpoint, startedAt, ticket, inFlight } = lease;
  const { chosen, ...pick } = lease.pick ?? pool.explain(call, endpoint);
  const told: AttemptExplanation = {
    ...pick,
    chosen: chosen && { ...chosen, inFlight },
    attempt,
    // See `Ejection.enter`.
    probe: (ticket & 1) === 1,
    startedAfterMs: startedAt - record.startedAt,
    pause: record.pause,
    durationMs: now - startedAt,
    outcome: verdict.outcome,
    retryable: verdict.retryable,
    retryAfterMs: verdict.retryAfterMs ?? null,
    status: record.status ?? null,
    error: error === undefined ? null : describe(error),
  };
  record.tries = [...record.tries, told];
};
