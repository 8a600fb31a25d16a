import { isSlow, type BreakerPolicy } from './breaker-rules.js';
import type { Ended, Tally, TallyCounts } from './breaker-state.js';
import { EventLog, FAILED, SLOW, type EventRow } from './event-log.js';

/** So many calls of a time window are remembered; where there are more, it is the window of the newest. */
export const MOST_CALLS = 65_536;

const MOST_ROWS = 100;

/** The window as plain JSON: rows of [age in ms, calls, of them failed, of them slow], oldest first. */
export interface TallyMemory {
  readonly started: readonly EventRow[];
  readonly ended: readonly EventRow[];
}

/**
 * The counts of a breaker, exact at the window's edges: a call counts for `windowMs` from its start, its failure for
 * `windowMs` from its end. With `windowCalls`, the last so many that ended count, and those in flight do not.
 */
export class ExactTally implements Tally {
  readonly #policy: BreakerPolicy;
  /** Starts; none are kept in a window of calls. */
  readonly #admitted: EventLog | undefined;
  readonly #ended: EventLog;

  constructor(policy: BreakerPolicy, windowCalls: number | false) {
    const { windowMs } = policy;
    this.#policy = policy;
    this.#admitted = windowCalls === false ? new EventLog({ windowMs, maxEvents: MOST_CALLS }) : undefined;
    this.#ended = new EventLog({ windowMs, maxEvents: windowCalls === false ? MOST_CALLS : windowCalls });
  }

  admitted(now: number): void {
    this.#admitted?.record(0, now);
  }

  ended({ outcome }: Ended, ms: number, now: number): void {
    this.#ended.record((outcome === 'failure' ? FAILED : 0) | (isSlow(this.#policy, ms) ? SLOW : 0), now);
  }

  count(into: TallyCounts, now: number): void {
    into.calls = Math.max(this.#ended.total(now), this.#admitted?.total(now) ?? 0);
    into.failures = this.#ended.failed(now);
    into.slowCalls = this.#ended.slow(now);
  }

  restart(): void {
    this.#admitted?.clear();
    this.#ended.clear();
  }

  remember(now: number): TallyMemory {
    return { started: this.#admitted?.summary(now, MOST_ROWS) ?? [], ended: this.#ended.summary(now, MOST_ROWS) };
  }

  /** `sinceMs` passed since it was remembered. */
  recall({ started, ended }: TallyMemory, now: number, sinceMs: number): void {
    this.#admitted?.refill(started, now - sinceMs);
    this.#ended.refill(ended, now - sinceMs);
  }
}
