import { IGNORED, TIMED_OUT, type Verdict } from '../core/outcome.js';
import type { Lease } from './lease.js';

/** A timer of ours that is so late was held up, and so may the answer be that it waited for. */
const LATE_MS = 100;
/** Who hears nothing from us for so long may close the connection. What breaks after less broke by itself. */
const SILENT_MS = 1_000;
const HELD_UP: Verdict = Object.freeze({ ...IGNORED, retryable: true });

/** Of an attempt that our timer cut, so many ms too late: no failure of the server where our own loop stood still meanwhile. */
export const verdictOfTimeout = (lease: Lease, now: number, lateMs: number): Verdict =>
  lateMs > LATE_MS || lease.heldUp(now) ? HELD_UP : TIMED_OUT;

/** Of an attempt that broke. What was refused, or answered, does not come here: no stall of ours can have caused it. */
export const verdictOfBreak = (verdict: Verdict, lease: Lease, now: number): Verdict =>
  verdict.outcome === 'failure' && !verdict.unsent && lease.stalledMs(now) >= SILENT_MS
    ? { ...verdict, outcome: 'ignored' }
    : verdict;
