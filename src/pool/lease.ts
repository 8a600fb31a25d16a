import type { Balancer } from '../core/balancer.js';
import type { Verdict } from '../core/outcome.js';
import type { PooledEndpoint } from './endpoint.js';

interface LeaseParts {
  readonly endpoint: PooledEndpoint;
  readonly ticket: number;
  readonly balancer: Balancer;
  readonly startedAt: number;
  readonly settled: (endpoint: PooledEndpoint, unsent: boolean, now: number) => void;
}

/**
 * The right to one attempt on one endpoint. Settled exactly once, however the attempt ends: in flight, latency, ejection
 * and balancer learn of it here and nowhere else.
 */
export class Lease {
  readonly endpoint: PooledEndpoint;
  readonly #parts: LeaseParts;
  #open = true;

  constructor(parts: LeaseParts) {
    this.endpoint = parts.endpoint;
    this.#parts = parts;
  }

  settle(verdict: Verdict, now: number): void {
    if (!this.#open) return;
    this.#open = false;
    const { endpoint, ticket, balancer, startedAt, settled } = this.#parts;
    const durationMs = now - startedAt;
    endpoint.settled(verdict, durationMs, now);
    endpoint.health.leave(ticket, verdict, now);
    balancer.settled?.(endpoint, verdict.outcome, durationMs);
    settled(endpoint, verdict.unsent === true, now);
  }
}
