import type { Balancer } from '../core/balancer.js';
import type { Verdict } from '../core/outcome.js';
import type { PooledEndpoint } from './endpoint.js';

/** Who hands out leases, and hears of their end. */
export interface LeaseOwner {
  readonly balancer: Balancer;
  settled(endpoint: PooledEndpoint, verdict: Verdict, now: number): void;
}

/**
 * The right to one attempt on one endpoint. Settled exactly once, however the attempt ends: in flight, latency, ejection
 * and balancer learn of it here and nowhere else.
 */
export class Lease {
  readonly endpoint: PooledEndpoint;
  readonly startedAt: number;
  readonly #ticket: number;
  readonly #owner: LeaseOwner;
  #open = true;

  constructor(endpoint: PooledEndpoint, ticket: number, owner: LeaseOwner) {
    this.endpoint = endpoint;
    this.startedAt = endpoint.lastStartedAt;
    this.#ticket = ticket;
    this.#owner = owner;
  }

  settle(verdict: Verdict, now: number): void {
    if (!this.#open) return;
    this.#open = false;
    const { endpoint } = this;
    const { balancer } = this.#owner;
    const durationMs = now - this.startedAt;
    endpoint.settled(verdict, durationMs, now);
    endpoint.judged(this.#ticket, verdict, now);
    balancer.settled?.(endpoint, verdict.outcome, durationMs);
    this.#owner.settled(endpoint, verdict, now);
  }
}
