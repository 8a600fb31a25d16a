import type { Balancer, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import { guard } from '../core/guard.js';
import type { Endpoint } from '../core/endpoint.js';
import type { PooledEndpoint } from './endpoint.js';
import type { LeaseOwner } from './lease.js';

/** One subset of the pool with the balancer that picks from it. */
export class CandidateSet implements Candidates, LeaseOwner {
  members: readonly PooledEndpoint[] = [];
  eligible: readonly PooledEndpoint[] = [];
  version = 0;
  /** So few are healthy that all serve: better a try at a sick instance than all load on the last healthy ones. */
  panic = false;
  readonly balancer: Balancer;
  readonly settled: LeaseOwner['settled'];
  readonly #belongs: (endpoint: PooledEndpoint) => boolean;
  #tried: readonly Endpoint[] = [];

  constructor(owner: LeaseOwner, belongs: (endpoint: PooledEndpoint) => boolean) {
    this.balancer = safe(owner.balancer);
    this.settled = (endpoint, verdict, now) => owner.settled(endpoint, verdict, now);
    this.#belongs = belongs;
  }

  /** Membership or weights changed. */
  setMembers(all: Iterable<PooledEndpoint>): void {
    this.members = [...all].filter(endpoint => endpoint.weight > 0 && this.#belongs(endpoint));
  }

  /** Health changed, or the members did. */
  setEligible(panicRatio: number): void {
    const healthy = this.members.filter(endpoint => endpoint.availableAt === 0);
    this.panic = this.members.length > 0 && healthy.length / this.members.length < panicRatio;
    this.eligible = this.panic || healthy.length === this.members.length ? this.members : healthy;
    this.version += 1;
  }

  allows(endpoint: Endpoint): boolean {
    return this.#serves(endpoint as PooledEndpoint) && (this.#tried.length === 0 || !this.#tried.includes(endpoint));
  }

  /** The same as `eligible.includes`, in a few comparisons. */
  #serves(endpoint: PooledEndpoint): boolean {
    const may = this.panic || endpoint.availableAt === 0;
    return may && endpoint.listed && endpoint.weight > 0 && this.#belongs(endpoint);
  }

  /** `undefined` if nobody may serve. */
  pick(call: Call): PooledEndpoint | undefined {
    if (this.eligible.length === 0) return undefined;
    this.#tried = call.tried;
    const picked = this.balancer.pick(this, call);
    if (this.allows(picked)) return picked as PooledEndpoint;
    // The balancer found nobody new (or is a user's with a fault): somebody new if there is, else the least recently tried.
    return (
      this.eligible.find(endpoint => this.allows(endpoint)) ??
      (call.tried.find(endpoint => this.#serves(endpoint as PooledEndpoint)) as PooledEndpoint | undefined) ??
      this.eligible[0]
    );
  }

  /** Is there somebody that may serve and that this call has not tried? */
  offersMore(tried: readonly Endpoint[]): boolean {
    return tried.length < this.eligible.length || this.eligible.some(endpoint => !tried.includes(endpoint));
  }
}

/** Can fetch talk to it? */
export const isWeb = ({ instance: { protocol } }: PooledEndpoint): boolean =>
  protocol === 'http' || protocol === 'https';

/** A user's balancer whose hooks throw must not lose the count of what is in flight. One without hooks costs nothing. */
const safe = (balancer: Balancer): Balancer => {
  if (balancer.started === undefined && balancer.settled === undefined) return balancer;
  const guarded = guard('a balancer');
  return {
    pick: (from, call) => balancer.pick(from, call),
    started: endpoint => guarded(() => balancer.started?.(endpoint)),
    settled: (endpoint, outcome, durationMs) => guarded(() => balancer.settled?.(endpoint, outcome, durationMs)),
  };
};
