import type { Call } from '../core/call.js';
import type { Runtime } from '../core/runtime.js';
import { TimerQueue } from '../core/timer-queue.js';

/** How long attempts may take. */
export interface AttemptTimeouts {
  readonly attemptTimeoutMs: number | false;
  /** A timeout that the user set applies to the last attempt too. */
  readonly timeoutIsExplicit: boolean;
}

/**
 * The default timeout cuts an attempt only where another one is possible: cutting the last one gains nothing. Decided when
 * the attempt starts.
 */
export const timeoutOf = ({ attemptTimeoutMs, timeoutIsExplicit }: AttemptTimeouts, call: Call): number | false => {
  const own = call.policy.attemptTimeoutMs;
  if (own !== undefined) return own;
  if (attemptTimeoutMs === false || timeoutIsExplicit) return attemptTimeoutMs;
  const another = call.idempotent && call.replayable && call.attempt < call.maxAttempts;
  return another && call.deadlineAt - call.now > attemptTimeoutMs ? attemptTimeoutMs : false;
};

/** Timers for attempts that have the client's usual timeout. */
export type AttemptTimers = TimerQueue<{ timedOut(ms: number): void }>;

export const attemptTimers = (timeoutMs: number, runtime: Runtime): AttemptTimers =>
  new TimerQueue(timeoutMs, runtime, flight => flight.timedOut(timeoutMs));
