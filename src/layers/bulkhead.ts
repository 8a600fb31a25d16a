import type { Call } from '../core/call.js';
import { refused, type FairleadError } from '../core/errors.js';
import type { Landing, Stage } from '../core/flow.js';
import type { Runtime } from '../core/runtime.js';
import type { Permits } from '../machines/permits.js';

/**
 * At most so many logical calls at once, retries included; the others queue, first in first out, inside their deadline.
 * Keeps a slow service from taking all memory and sockets of its callers.
 */
export const bulkhead =
  <R>(permits: Permits, runtime: Runtime): Stage<R> =>
  next => {
    const holding = (call: Call, landing: Landing<R>): void => {
      call.atEnd(leave, permits);
      next(call, landing);
    };
    const waiting = (call: Call, landing: Landing<R>): void =>
      void queued(permits, call, runtime).then(
        () => holding(call, landing),
        (error: unknown) => landing.failed(error),
      );
    return function inBulkhead(call, landing) {
      if (permits.tryEnter()) holding(call, landing);
      else waiting(call, landing);
    };
  };

const leave = (permits: Permits): void => permits.leave();

/** Resolves holding a place; rejects when the queue is full, or when the call is cancelled while it waits. */
const queued = (permits: Permits, call: Call, runtime: Runtime): Promise<void> =>
  new Promise((resolve, reject) => {
    const granted = (): void => {
      call.cancellation.offCancel(cancelled);
      call.now = runtime.now();
      call.record.queuedMs = call.now - call.startedAt;
      resolve();
    };
    const cancelled = (reason: unknown): void => {
      permits.giveUp(granted);
      reject(reason);
    };
    if (call.cancellation.cancelled) return reject(call.cancellation.reason);
    if (!permits.enqueue(granted)) return reject(full(call, permits));
    call.cancellation.onCancel(cancelled);
  });

const full = ({ service, record }: Call, { maxInFlight, maxQueue }: Permits): FairleadError => {
  record.endedBy = 'refused';
  return refused('BULKHEAD_FULL', `${service}: bulkhead full, ${maxInFlight} calls in flight and ${maxQueue} waiting`, {
    service,
  });
};
