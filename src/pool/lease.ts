import type { Balancer } from '../core/balancer.js';
import type { Verdict } from '../core/outcome.js';
import type { Attempt } from './ejection-host.js';
import type { PooledEndpoint } from './endpoint.js';

/** Who hands out leases, and hears of their end. */
export interface LeaseOwner {
  readonly balancer: Balancer;
  settled(endpoint: PooledEndpoint, verdict: Verdict, now: number): void;
}

/** An attempt that our own event loop held up for more than this share of it was not measured. */
const STALLED_RATIO = 0.1;

/**
 * The right to one attempt on one endpoint. Settled exactly once, however the attempt ends: in flight, latency, ejection
 * and balancer learn of it here and nowhere else.
 */
export class Lease implements Attempt {
  readonly endpoint: PooledEndpoint;
  readonly startedAt: number;
  readonly ticket: number;
  /** In ms; NaN until it is settled, and where our own event loop stood still: nobody knows how long it really took. */
  durationMs = NaN;
  readonly #owner: LeaseOwner;
  #open = true;

  constructor(endpoint: PooledEndpoint, ticket: number, owner: LeaseOwner) {
    this.endpoint = endpoint;
    this.startedAt = endpoint.lastStartedAt;
    this.ticket = ticket;
    this.#owner = owner;
  }

  /** The longest time, in ms, for which our own event loop has stood still since the attempt began. */
  stalledMs(now: number): number {
    return this.endpoint.peers.stalls.longestMs(this.startedAt, now);
  }

  /** Did it stand still for so much of the attempt that its duration says nothing? */
  heldUp(now: number): boolean {
    return this.stalledMs(now) > (now - this.startedAt) * STALLED_RATIO;
  }

  settle(verdict: Verdict, now: number): void {
    if (!this.#open) return;
    this.#open = false;
    const { endpoint } = this;
    const { balancer } = this.#owner;
    const tookMs = now - this.startedAt;
    if (!this.heldUp(now)) this.durationMs = tookMs;
    endpoint.settled(this, verdict, now);
    balancer.settled?.(endpoint, verdict.outcome, tookMs - this.stalledMs(now));
    this.#owner.settled(endpoint, verdict, now);
  }
}
