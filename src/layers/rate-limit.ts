import type { Call, Layer } from '../core/call.js';
import type { FairleadError } from '../core/errors.js';
import { rejectedSoon } from '../core/rejected-soon.js';
import type { Runtime } from '../core/runtime.js';
import type { KeyedLimiter } from '../machines/keyed.js';
import { rateLimited, type Limiter } from '../machines/limiter.js';

export interface RateLimitParts {
  readonly limiter: Limiter | KeyedLimiter<Call>;
  /** `'wait'`: in line, inside the deadline. */
  readonly mode: 'reject' | 'wait';
  readonly runtime: Runtime;
  /** Layers above may have taken time since the call's own reading of the clock. */
  readonly layersMayWait: boolean;
}

/**
 * The quota of logical calls: however often one is tried, it is counted once. Who gets no permit is refused with RATE_LIMITED
 * and `retryAfterMs`, or waits in line if there is time. A permit comes back when the call ended without an attempt: refused
 * further down, or given up while it waited there.
 */
export const rateLimit =
  <R>({ limiter, mode, runtime, layersMayWait }: RateLimitParts): Layer<R> =>
  next => {
    // On a clock of its own (a limiter shared with another runtime) our readings mean nothing to it.
    const sharesClock = limiter.adopt?.(runtime) ?? true;
    const clock = ({ now }: Call): number | undefined => (sharesClock ? now : undefined);
    const limiterOf = 'of' in limiter ? (call: Call) => limiter.of(call, clock(call)) : () => limiter;

    const holding = (call: Call, from: Limiter): Promise<R> => {
      call.atEnd(giveBackUnused, new Permit(call, from, clock(call)));
      return next(call);
    };
    const waiting = async (call: Call, from: Limiter): Promise<R> => {
      const waitMs = from.delayMs(1, clock(call));
      if (waitMs > call.deadlineAt - call.now) throw refusal(call, from, { waitMs, late: ', later than its deadline' });
      await from.acquire(1, { signal: call.cancellation.signal });
      call.now = runtime.now();
      call.record.queuedMs = call.now - call.startedAt;
      return holding(call, from);
    };
    return function limitingRate(call) {
      if (layersMayWait) call.now = runtime.now();
      try {
        const from = limiterOf(call);
        if (from === undefined) return next(call);
        if (from.tryAcquire(1, clock(call))) return holding(call, from);
        if (mode === 'wait') return waiting(call, from);
        return rejectedSoon(refusal(call, from, { waitMs: from.delayMs(1, clock(call)) }));
      } catch (error) {
        // A limiter of the user's, with a fault.
        return Promise.reject(error);
      }
    };
  };

/** What was taken for a call, and how many attempts it had made by then: a redirect sends it through anew. */
class Permit {
  readonly call: Call;
  readonly from: Limiter;
  readonly takenAt: number | undefined;
  readonly attempts: number;

  constructor(call: Call, from: Limiter, takenAt: number | undefined) {
    this.call = call;
    this.from = from;
    this.takenAt = takenAt;
    this.attempts = call.record.attempts;
  }
}

const giveBackUnused = ({ call, from, takenAt, attempts }: Permit): void => {
  if (call.record.attempts === attempts) from.giveBack(1, takenAt);
};

const refusal = ({ service, record }: Call, { rule }: Limiter, { waitMs, late = '' }: Wait): FairleadError => {
  record.endedBy = 'refused';
  const when = Number.isFinite(waitMs) ? `retry in ${Math.ceil(waitMs)} ms` : 'no retry will help';
  return rateLimited(`${service}: rate limited (${rule}), ${when}${late}`, waitMs, service);
};

interface Wait {
  readonly waitMs: number;
  /** Why it was not waited for. */
  readonly late?: string;
}
