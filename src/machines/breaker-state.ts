import type { Verdict } from '../core/outcome.js';
import type { BreakerCounts, BreakerPolicy } from './breaker-rules.js';

export type BreakerKind = 'closed' | 'open' | 'half-open';

export type BreakerState =
  | { readonly kind: 'closed'; readonly since: number; consecutive: number }
  | { readonly kind: 'open'; readonly since: number; readonly until: number; readonly reason: string }
  | {
      readonly kind: 'half-open';
      readonly since: number;
      readonly openedAt: number;
      inFlight: number;
      lastProbeAt: number;
      successes: number;
    };

export interface BreakerChange {
  readonly from: BreakerKind;
  readonly to: BreakerKind;
  readonly reason: string;
  /** To open: for how long it will be; to half-open and closed: how long it was not closed. Ms. */
  readonly ms: number;
}

/** What a breaker's verdict is made of. */
export type Ended = Pick<Verdict, 'outcome' | 'ratioOnly' | 'timedOut'>;

export type TallyCounts = { -readonly [K in 'calls' | 'failures' | 'slowCalls']: BreakerCounts[K] };

/** The counts that a breaker judges by: it is told only what began in the current state. Times are steady. */
export interface Tally {
  admitted(now: number): void;
  /** A success or a failure, after so many ms; others end without a word. */
  ended(end: Ended, ms: number, now: number): void;
  /** Writes down how many there are: into an object of the reader's, as it is asked for with each failure. */
  count(into: TallyCounts, now: number): void;
  /** The circuit closed: from here on it counts anew. */
  restart(now: number): void;
}

export interface BreakerParts {
  readonly policy: BreakerPolicy;
  readonly tally: Tally;
  /** A rule instead of the policy's own: the reason to open, or `undefined`. */
  readonly tripWhen?: ((counts: BreakerCounts) => string | undefined) | undefined;
  /**
   * Is there something that works all the same? Then the failure ratio does not open the circuit. Asked only when it would.
   */
  readonly works?: (() => boolean) | undefined;
  changed(change: BreakerChange): void;
}

/** What a breaker is, without what it counts: enough to go on elsewhere. */
export interface BreakerMemory {
  readonly state: BreakerKind;
  /** In this state since so long, ms. */
  readonly forMs: number;
  /** Open for so much longer, ms; null: until it is closed by hand. */
  readonly availableInMs: number | null;
  readonly reason: string | null;
  readonly failedTrials: number;
  readonly consecutiveFailures: number;
}

/** A trial that begins. */
export const trial = (since: number, openedAt: number): BreakerState => ({
  kind: 'half-open',
  since,
  openedAt,
  inFlight: 0,
  lastProbeAt: -Infinity,
  successes: 0,
});

/** The state that was remembered, as of now. */
export const restored = (memory: BreakerMemory, now: number): BreakerState => {
  const { state: kind, forMs, availableInMs, reason, consecutiveFailures } = memory;
  const since = now - forMs;
  if (kind === 'closed') return { kind, since, consecutive: consecutiveFailures };
  if (kind === 'half-open') return trial(since, since);
  return { kind, since, until: availableInMs === null ? Infinity : now + availableInMs, reason: reason ?? 'restored' };
};
