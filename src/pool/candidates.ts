import type { Balancer, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import { guard } from '../core/guard.js';
import type { Endpoint } from '../core/endpoint.js';
import type { PooledEndpoint } from './endpoint.js';
import type { FleetSubset } from './fleet-subset.js';
import { Lease } from './lease.js';

/** The whole fleet, as the sets follow it. */
export interface Fleet {
  /** In the subset's order, where there is one. */
  readonly endpoints: readonly PooledEndpoint[];
  /** Grows with each change of health or membership. */
  readonly version: number;
  /** Grows with each change of who there is or with what weight. */
  readonly membership: number;
  readonly panicRatio: number;
  readonly subset: FleetSubset | undefined;
}

/** One part of the pool with the balancer that picks from it. */
export class CandidateSet implements Candidates {
  members: readonly PooledEndpoint[] = [];
  eligible: readonly PooledEndpoint[] = [];
  version = 0;
  /** So few are healthy that all serve: better a try at a sick instance than all load on the last healthy ones. */
  panic = false;
  /** Monotonic ms of the newest call that asked for it; of sets that are kept only while they are used. */
  usedAt = -Infinity;
  readonly balancer: Balancer;
  readonly #belongs: ((endpoint: PooledEndpoint) => boolean) | undefined;
  /** Who belongs; `undefined`: everybody who is listed and has a weight. */
  #only: ReadonlySet<Endpoint> | undefined;
  #tried: readonly Endpoint[] = [];
  #seen = 0;
  #seenMembership = 0;

  /** Of all endpoints; or of those for which `belongs` holds. */
  constructor(balancer: Balancer, belongs?: (endpoint: PooledEndpoint) => boolean) {
    this.balancer = safe(balancer);
    this.#belongs = belongs;
  }

  /** Catches up with the fleet. Arrays stay the same where nothing changed: balancers build on them. */
  follow(fleet: Fleet): void {
    if (this.#seen === fleet.version) return;
    this.#seen = fleet.version;
    const changed = this.#followMembers(fleet);
    const healthy = this.members.filter(endpoint => endpoint.availableAt === 0);
    this.panic = this.members.length > 0 && healthy.length / this.members.length < fleet.panicRatio;
    const eligible = this.panic || healthy.length === this.members.length ? this.members : healthy;
    if (!changed && isSame(eligible, this.eligible)) return;
    this.eligible = eligible;
    this.version += 1;
  }

  #followMembers(fleet: Fleet): boolean {
    const isNew = this.#seenMembership !== fleet.membership;
    this.#seenMembership = fleet.membership;
    // Of a subset, health decides too how many belong.
    if (!isNew && fleet.subset === undefined) return false;
    const all = fleet.endpoints.filter(endpoint => endpoint.weight > 0 && this.wants(endpoint));
    const members = fleet.subset?.take(all) ?? all;
    if (!isNew && isSame(members, this.members)) return false;
    this.members = members;
    this.#only = this.#belongs || members.length < all.length ? new Set(members) : undefined;
    return true;
  }

  /** Is it of those that this set is for? Where there is a subset, not all of them are members. */
  wants(endpoint: PooledEndpoint): boolean {
    return this.#belongs?.(endpoint) ?? true;
  }

  /** Is it one of the members? O(1). */
  has(endpoint: PooledEndpoint): boolean {
    return endpoint.listed && endpoint.weight > 0 && (this.#only === undefined || this.#only.has(endpoint));
  }

  /** Written out, since it is asked three times for each call. */
  allows(endpoint: Endpoint): boolean {
    const { availableAt, listed, weight } = endpoint as PooledEndpoint;
    if ((availableAt !== 0 && !this.panic) || !listed || weight <= 0) return false;
    if (this.#only !== undefined && !this.#only.has(endpoint)) return false;
    return this.#tried.length === 0 || !this.#tried.includes(endpoint);
  }

  /** The same as `eligible.includes`, in a few comparisons. */
  #serves(endpoint: PooledEndpoint): boolean {
    return (this.panic || endpoint.availableAt === 0) && this.has(endpoint);
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

  /** An attempt begins. */
  lease(endpoint: PooledEndpoint, ticket: number, call: Call): Lease {
    endpoint.started(call);
    this.balancer.started?.(endpoint);
    return new Lease(endpoint, ticket, this.balancer);
  }

  /** Is there somebody that may serve and that this call has not tried? */
  offersMore(tried: readonly Endpoint[]): boolean {
    return tried.length < this.eligible.length || this.eligible.some(endpoint => !tried.includes(endpoint));
  }
}

const isSame = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some === others || (some.length === others.length && some.every((one, at) => one === others[at]));

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
