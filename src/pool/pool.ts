import type { BalancerFactory } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Emitter } from '../core/events.js';
import { identityOf, type ServiceInstance } from '../core/instance.js';
import type { Verdict } from '../core/outcome.js';
import type { Runtime } from '../core/runtime.js';
import { CandidateSet, isWeb } from './candidates.js';
import type { EjectionChange, EjectionHost, EjectionPolicy } from './ejection.js';
import { PooledEndpoint } from './endpoint.js';
import { Lease } from './lease.js';
import { noInstances } from './no-instances.js';
import { Peers } from './peers.js';

export interface PoolOptions {
  readonly service: string;
  readonly runtime: Runtime;
  readonly events: Emitter;
  readonly balancer: BalancerFactory;
  readonly ejection: EjectionPolicy | false;
  readonly slowStartMs: number;
  /** An endpoint is no longer listed. */
  readonly left?: (endpoint: PooledEndpoint) => void;
  /** An instance that the registry lost, and that is held, refused a connection. */
  readonly refused?: (instance: ServiceInstance) => void;
}

/** Who may be picked, and a lease on it. Nothing is on a timer: time that passed is applied when the next call comes. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #endpoints = new Map<string, PooledEndpoint>();
  readonly #all: CandidateSet;
  /** For fetch, where the service also has instances that speak something else. */
  readonly #web: CandidateSet;
  readonly #peers = new Peers();
  #trials: readonly PooledEndpoint[] = [];
  #known = false;
  #reviewAt = Infinity; // of health and weights, monotonic ms; -Infinity = at the next call

  constructor(options: PoolOptions) {
    this.#options = options;
    const settled = (endpoint: PooledEndpoint, { unsent }: Verdict, now: number): void => {
      if (unsent && endpoint.held) options.refused?.(endpoint.instance);
      this.#peers.settled(this.#endpoints.values(), now);
    };
    const { balancer, runtime } = options;
    this.#all = new CandidateSet({ balancer: balancer(runtime), settled }, () => true);
    this.#web = new CandidateSet({ balancer: balancer(runtime), settled }, isWeb);
  }

  /** False until the first set came. */
  get known(): boolean {
    return this.#known;
  }

  get endpoints(): Iterable<PooledEndpoint> {
    return this.#endpoints.values();
  }

  get panic(): boolean {
    return this.#all.panic;
  }

  /** The whole set as the registry lists it now. Survivors keep their statistics. */
  update(instances: readonly ServiceInstance[], held: ReadonlySet<string> = new Set()): void {
    const now = this.#options.runtime.now();
    const left = new Map(this.#endpoints);
    for (const instance of instances) {
      const identity = identityOf(instance);
      left.delete(identity);
      this.#place(instance, identity, now);
      this.#endpoints.get(identity)!.held = held.has(identity);
    }
    for (const [identity, endpoint] of left) {
      this.#endpoints.delete(identity);
      endpoint.listed = false;
      this.#options.left?.(endpoint);
    }
    this.#known = true;
    this.#peers.changed();
    this.#reweigh(now);
    this.#refilter(now, true);
  }

  /** The set is too old to be believed. */
  forget(): void {
    this.update([]);
    this.#known = false;
  }

  /** Picks an endpoint, counts the attempt as started. Throws NO_INSTANCES when nobody may serve. */
  acquire(call: Call): Lease {
    const { now } = call;
    if (now >= this.#reviewAt) this.#review(now);
    const set = this.#setFor(call);
    const retryable = call.idempotent && call.replayable && call.attempt < call.maxAttempts;
    for (const endpoint of this.#trials) {
      if (call.tried.includes(endpoint) || (call.request !== undefined && !isWeb(endpoint))) continue;
      const ticket = endpoint.health.probe(retryable, now);
      if (ticket !== undefined) return this.#lease(call, endpoint, ticket);
    }
    const endpoint = set.pick(call);
    if (endpoint === undefined)
      throw noInstances(this.#options.service, { listed: this.#endpoints.size, members: set.members, now });
    return this.#lease(call, endpoint, endpoint.health.enter());
  }

  /** Could this call go to an endpoint that it has not tried? */
  offersMore(call: Call): boolean {
    return this.#setFor(call).offersMore(call.tried);
  }

  /** Applies the time that passed, for who looks without calling. */
  refresh(now: number): void {
    if (now >= this.#reviewAt) this.#review(now);
  }

  #setFor(call: Call): CandidateSet {
    const mixed = this.#web.members.length < this.#all.members.length;
    return mixed && call.request !== undefined ? this.#web : this.#all;
  }

  #lease(call: Call, endpoint: PooledEndpoint, ticket: number): Lease {
    const set = this.#setFor(call);
    endpoint.started(call);
    set.balancer.started?.(endpoint);
    return new Lease(endpoint, ticket, set);
  }

  #place(instance: ServiceInstance, identity: string, now: number): void {
    const survivor = this.#endpoints.get(identity);
    if (survivor === undefined) {
      const endpoint = new PooledEndpoint(instance, { host: this.#host, peers: this.#peers, now });
      // The first set is not new: it is what was there before us.
      if (this.#known) endpoint.warmUp(this.#options.slowStartMs, now);
      this.#endpoints.set(identity, endpoint);
    } else if (survivor.instance.incarnation !== instance.incarnation) {
      survivor.reincarnate(instance, now);
    } else {
      survivor.instance = instance;
    }
  }

  readonly #host = (endpoint: PooledEndpoint): EjectionHost => ({
    policy: this.#options.ejection,
    random: () => this.#options.runtime.random(),
    mayEject: () => this.#mayEject(),
    changed: change => this.#changed(endpoint, change),
  });

  /** Ejectable(n) = min(n − 1, max(1, ⌈n × maxEjectedRatio⌉)): one of two, two of three, never the last. */
  #mayEject(): boolean {
    const { members } = this.#all;
    const { ejection } = this.#options;
    const n = members.length;
    const most = ejection ? Math.min(n - 1, Math.max(1, Math.ceil(n * ejection.maxEjectedRatio))) : 0;
    return members.filter(endpoint => endpoint.health.kind !== 'serving').length < most;
  }

  #changed(endpoint: PooledEndpoint, { from, to, reason, ms }: EjectionChange): void {
    const { events, runtime, slowStartMs } = this.#options;
    const instance = endpoint.instance.id;
    this.#reviewAt = -Infinity;
    if (from === 'serving') events.emit?.({ type: 'instance.down', instance, reason, forMs: ms });
    if (to !== 'serving') return;
    endpoint.warmUp(Math.min(slowStartMs, ms), runtime.now());
    events.emit?.({ type: 'instance.up', instance, afterMs: ms });
  }

  /** Time passed: trials begin and weights grow. */
  #review(now: number): void {
    for (const endpoint of this.#endpoints.values()) endpoint.health.review(now);
    this.#refilter(now, this.#reweigh(now));
  }

  #reweigh(now: number): boolean {
    let changed = false;
    for (const endpoint of this.#endpoints.values()) changed = endpoint.reweigh(now) || changed;
    return changed;
  }

  /** Health changed; with `membersToo`, who there is or with what weight. */
  #refilter(now: number, membersToo = false): void {
    const { ejection } = this.#options;
    const wasPanic = this.#all.panic;
    for (const set of [this.#all, this.#web]) {
      if (membersToo) set.setMembers(this.#endpoints.values());
      // Without ejection nobody is ever out.
      set.setEligible(ejection ? ejection.panicRatio : 0);
    }
    this.#trials = this.#all.members.filter(endpoint => endpoint.health.kind === 'trial');
    this.#reviewAt = Infinity;
    for (const endpoint of this.#all.members) this.#reviewAt = Math.min(this.#reviewAt, endpoint.reviewAt(now));
    if (this.#all.panic === wasPanic) return;
    const eligible = this.#all.members.filter(endpoint => endpoint.availableAt === 0).length;
    const type = this.#all.panic ? 'panic.entered' : 'panic.left';
    this.#options.events.emit?.({ type, eligible, members: this.#all.members.length });
  }
}
