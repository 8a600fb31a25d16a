import type { Call, Layer } from '../core/call.js';
import { FairleadError } from '../core/errors.js';
import type { Runtime } from '../core/runtime.js';

/**
 * The time that the whole call has, up to the headers: waiting for a place, back-off and all attempts spend it. Its timer
 * ends when the result is handed out, so it never cuts a body that somebody reads.
 */
export const deadline =
  <R>(runtime: Runtime): Layer<R> =>
  next =>
    function withDeadline(call) {
      if (call.deadlineAt === Infinity) return next(call);
      const leftMs = call.deadlineAt - runtime.now();
      if (leftMs <= 0) {
        call.record.endedBy = 'deadline';
        return Promise.reject(exceeded(call));
      }
      const disarm = runtime.after(leftMs, () => {
        call.record.endedBy = 'deadline';
        call.cancellation.cancel(exceeded(call));
      });
      return next(call).then(
        result => {
          disarm();
          return result;
        },
        (error: unknown) => {
          disarm();
          throw error;
        },
      );
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
