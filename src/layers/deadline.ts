import type { Call, Layer } from '../core/call.js';
import { FairleadError } from '../core/errors.js';
import type { Runtime } from '../core/runtime.js';
import type { TimerQueue } from '../core/timer-queue.js';

/**
 * The time that the whole call has, up to the headers: waiting for a place, back-off and all attempts spend it. Its timer
 * ends when the result is handed out, so it never cuts a body that somebody reads.
 *
 * @param usual timers of the length that most calls have
 */
export const deadline =
  <R>(runtime: Runtime, usual: TimerQueue | undefined): Layer<R> =>
  next =>
    function withDeadline(call) {
      const leftMs = call.deadlineAt - call.startedAt;
      if (leftMs === Infinity) return next(call);
      if (leftMs <= 0) {
        call.record.endedBy = 'deadline';
        return Promise.reject(exceeded(call));
      }
      call.atEnd(arm(call, { runtime, usual }));
      return next(call);
    };

interface Timing {
  readonly runtime: Runtime;
  readonly usual: TimerQueue | undefined;
}

const arm = (call: Call, { runtime, usual }: Timing): (() => void) => {
  const expired = (): void => {
    call.record.endedBy = 'deadline';
    call.cancellation.cancel(exceeded(call));
  };
  // A user's layer outside may have taken some of the time.
  if (usual === undefined || call.deadlineAt !== call.startedAt + usual.durationMs)
    return runtime.after(Math.max(0, call.deadlineAt - runtime.now()), expired);
  const timeout = usual.arm(call.startedAt, expired);
  return () => usual.disarm(timeout);
};

const exceeded = ({ service, startedAt, deadlineAt, attempt }: Call): FairleadError => {
  const ms = Math.max(0, Math.round(deadlineAt - startedAt));
  const error = new FairleadError(
    'DEADLINE_EXCEEDED',
    `${service}: no answer within the deadline of ${ms} ms (attempt ${attempt})`,
    { service },
  );
  error.attempts = attempt;
  return error;
};
