import type { Call } from '../core/call.js';
import { FairleadError } from '../core/errors.js';
import type { Stage } from '../core/flow.js';
import type { Runtime } from '../core/runtime.js';
import { TimerQueue, type Timeout } from '../core/timer-queue.js';

/** Timers for deadlines of the length that most calls have. */
export const deadlineTimers = (deadlineMs: number, runtime: Runtime): TimerQueue<Call> =>
  new TimerQueue<Call>(deadlineMs, runtime, expire);

/**
 * The time that the whole call has, up to the headers: waiting for a place, back-off and all attempts spend it. Its timer
 * ends when the result is handed out, so it never cuts a body that somebody reads.
 *
 * @param usual from `deadlineTimers`
 */
export const deadline =
  <R>(runtime: Runtime, usual: TimerQueue<Call> | undefined): Stage<R> =>
  next => {
    const disarm = (timeout: Timeout): void => usual?.disarm(timeout);
    return function withDeadline(call, landing) {
      const { startedAt, deadlineAt } = call;
      if (deadlineAt <= startedAt) {
        call.record.endedBy = 'deadline';
        return landing.failed(exceeded(call));
      }
      if (usual !== undefined && deadlineAt === startedAt + usual.durationMs)
        call.atEnd(disarm, usual.arm(startedAt, call));
      // A user's layer outside may have taken some of the time.
      else if (deadlineAt !== Infinity) armOwn(call, runtime);
      next(call, landing);
    };
  };

/** Apart, since a function that captures the call costs all calls that pass the place where it may be made. */
const armOwn = (call: Call, runtime: Runtime): void =>
  call.atEnd(
    run,
    runtime.after(Math.max(0, call.deadlineAt - runtime.now()), () => expire(call)),
  );

const run = (cancelTimer: () => void): void => cancelTimer();

const expire = (call: Call): void => {
  call.record.endedBy = 'deadline';
  call.cancellation.cancel(exceeded(call));
};

const exceeded = ({ service, startedAt, deadlineAt, record }: Call): FairleadError => {
  const { attempts } = record;
  const ms = Math.max(0, Math.round(deadlineAt - startedAt));
  const message =
    deadlineAt <= startedAt
      ? `${service}: the deadline had passed before the call began`
      : `${service}: no answer within the deadline of ${ms} ms (attempt ${attempts})`;
  const error = new FairleadError('DEADLINE_EXCEEDED', message, { service });
  error.attempts = attempts;
  return error;
};
