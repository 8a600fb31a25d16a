import type { Call } from '../core/call.js';
import type { FairleadError } from '../core/errors.js';
import type { LimitExplanation } from '../core/explanation.js';
import type { Landing, Stage } from '../core/flow.js';
import type { CallNotes } from '../core/record.js';
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
  <R>(parts: RateLimitParts): Stage<R> =>
  next => {
    const quota = new Quota(parts);
    const waiting = (claimed: Promise<void>, call: Call, landing: Landing<R>): void =>
      void claimed.then(
        () => next(call, landing),
        (error: unknown) => landing.failed(error),
      );
    return function limitingRate(call, landing) {
      try {
        const claimed = quota.claim(call);
        if (claimed === undefined) return next(call, landing);
        if (claimed instanceof Promise) waiting(claimed, call, landing);
        else landing.failed(claimed);
      } catch (error) {
        // A limiter of the user's, with a fault.
        landing.failed(error);
      }
    };
  };

class Quota {
  readonly #parts: RateLimitParts;
  readonly #sharesClock: boolean;
  /** Most calls are admitted at once and never explained: they share what is said of them. */
  readonly #usual: CallNotes;

  constructor(parts: RateLimitParts) {
    const { limiter, runtime } = parts;
    this.#parts = parts;
    // On a clock of its own (a limiter shared with another runtime) our readings mean nothing to it.
    this.#sharesClock = limiter.adopt?.(runtime) ?? true;
    const { rule } = 'of' in limiter ? limiter.snapshot() : limiter;
    this.#usual = { limit: Object.freeze({ rule, result: 'admitted', waitedMs: 0, available: null }) };
  }

  /** `undefined` where the call may go on at once; the refusal, returned since throwing it would double its price. */
  claim(call: Call): Promise<void> | FairleadError | undefined {
    const { limiter, mode, runtime, layersMayWait } = this.#parts;
    if (layersMayWait) call.now = runtime.now();
    const now = this.#clock(call);
    const from = 'of' in limiter ? limiter.of(call, now) : limiter;
    if (from === undefined) return undefined;
    if (!from.tryAcquire(1, now)) {
      if (mode === 'wait') return this.#wait(call, from);
      return refusal(call, from, { waitMs: from.delayMs(1, now) });
    }
    this.#hold(call, from);
    return undefined;
  }

  #clock({ now }: Call): number | undefined {
    return this.#sharesClock ? now : undefined;
  }

  async #wait(call: Call, from: Limiter): Promise<void> {
    const waitMs = from.delayMs(1, this.#clock(call));
    if (waitMs > call.deadlineAt - call.now) throw refusal(call, from, { waitMs, late: ', later than its deadline' });
    await from.acquire(1, { signal: call.cancellation.signal });
    call.now = this.#parts.runtime.now();
    call.record.queuedMs = call.now - call.startedAt;
    const limit = admitted(from, this.#clock(call));
    call.record.notes = { limit: { ...limit, result: 'waited', waitedMs: call.record.queuedMs } };
    this.#hold(call, from);
  }

  #hold(call: Call, from: Limiter): void {
    if (call.record.notes.limit === undefined)
      call.record.notes = call.explained ? { limit: admitted(from, this.#clock(call)) } : this.#usual;
    call.atEnd(giveBackUnused, new Permit(call, from, this.#clock(call)));
  }
}

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
  record.notes = { limit: { rule, result: 'refused', waitedMs: 0, available: 0 } };
  const when = Number.isFinite(waitMs) ? `retry in ${Math.ceil(waitMs)} ms` : 'no retry will help';
  return rateLimited(`${service}: rate limited (${rule}), ${when}${late}`, waitMs, service);
};

const admitted = (from: Limiter, now: number | undefined): LimitExplanation => {
  const { rule, available } = from.snapshot(now);
  return { rule, result: 'admitted', waitedMs: 0, available };
};

interface Wait {
  readonly waitMs: number;
  /** Why it was not waited for. */
  readonly late?: string;
}
