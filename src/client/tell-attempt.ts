import type { Call } from '../core/call.js';
import type { Verdict } from '../core/outcome.js';
import type { Pool } from '../pool/pool.js';

/** A call that goes well at once needs no explanation, and should not pay for one. */
export const isWorthTelling = ({ attempt, explained }: Call, { outcome }: Verdict): boolean =>
  outcome !== 'success' || attempt > 1 || explained === true;

/** Leaves in the call's record who this attempt could go to, and how it ended. Asked before its lease is settled. */
export const tellAttempt = (pool: Pool, call: Call, durationMs: number): void => {
  const { record, attempt, verdict } = call;
  const told = { attempt, durationMs, outcome: verdict.outcome, status: record.status ?? null };
  record.tries = [...record.tries, { ...told, ...pool.explain(call) }];
};
