import type { Outcome } from './outcome.js';

/** What `Gate.enter` returns instead of a ticket. */
export const REFUSED = -1;

/**
 * May work start now, and how did it end? Synchronous; knows no promise and no HTTP. Breakers, limiters and
 * instance health are gates.
 */
export interface Gate {
  /** Earliest monotonic ms at which `enter` may be granted: 0 = now, Infinity = not until a holder leaves. */
  readonly availableAt: number;
  /** Claims a place: a ticket >= 0 (a generation), or `REFUSED`. */
  enter(now: number): number;
  /** Reports the end of admitted work, once per ticket. A ticket older than the last state change is ignored. */
  leave(ticket: number, outcome: Outcome, now: number): void;
}
