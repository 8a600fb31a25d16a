import type { BalancerFactory } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Emitter } from '../core/events.js';
import type { PickExplanation } from '../core/explanation.js';
import type { ServiceInstance } from '../core/instance.js';
import type { Runtime } from '../core/runtime.js';
import { CandidateSets } from './candidate-sets.js';
import type { CandidateSet } from './candidates.js';
import type { EjectionChange, EjectionHost } from './ejection-host.js';
import type { EjectionPolicy } from './ejection-policy.js';
import type { PooledEndpoint } from './endpoint.js';
import { describeSet, explainPick, type RouteSnapshot } from './explain.js';
import { FleetSubset, type SubsetPolicy } from './fleet-subset.js';
import type { Lease } from './lease.js';
import { Peers } from './peers.js';
import { Roster } from './roster.js';
import { RoutedSets } from './routed-sets.js';
import type { Router } from './selection.js';
import { tellChange } from './tell-change.js';

export interface PoolOptions {
  readonly service: string;
  readonly runtime: Runtime;
  readonly events: Emitter;
  readonly balancer: BalancerFactory;
  readonly ejection: EjectionPolicy | false;
  /** Where there is no `ejection`, and yet something that takes instances out. @default 0: they are never all used for want of better ones */
  readonly panicRatio?: number | undefined;
  readonly slowStartMs: number;
  /** Which part of the fleet a call goes to. @default anywhere */
  readonly router?: Router | undefined;
  /** Only so many of a large fleet. @default all */
  readonly subset?: SubsetPolicy | false | undefined;
  /** An endpoint is no longer listed. */
  readonly left?: (endpoint: PooledEndpoint) => void;
  /** An instance that the registry lost, and that is held, refused a connection. */
  readonly refused?: (instance: ServiceInstance) => void;
}

/** Who may be picked, and a lease on it. Nothing is on a timer: time that passed is applied when the next call comes. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #roster: Roster;
  readonly #sets: CandidateSets;
  readonly #routed: RoutedSets;
  #trials: readonly PooledEndpoint[] = [];
  #known = false;
  #reviewAt = Infinity; // of health and weights, monotonic ms; -Infinity = at the next call

  constructor(options: PoolOptions) {
    this.#options = options;
    const { balancer, runtime, ejection, slowStartMs, subset, router, left } = options;
    const peers = new Peers({ ...options, endpoints: () => this.#roster.values() });
    this.#roster = new Roster({ runtime, peers, slowStartMs, host: this.#host, left });
    this.#sets = new CandidateSets({
      balancer: () => balancer(runtime),
      panicRatio: ejection ? ejection.panicRatio : (options.panicRatio ?? 0),
      subset: subset ? new FleetSubset(subset.size, subset.key ?? String(runtime.random())) : undefined,
    });
    this.#routed = new RoutedSets(this.#sets, router);
  }

  /** False until the first set came. */
  get known(): boolean {
    return this.#known;
  }

  get endpoints(): Iterable<PooledEndpoint> {
    return this.#roster.values();
  }

  get panic(): boolean {
    return this.#sets.all.panic;
  }

  /** Is it one of those that this client uses, of a fleet that may be larger? */
  uses(endpoint: PooledEndpoint): boolean {
    return this.#sets.holding(endpoint).has(endpoint);
  }

  /** From now on; calls that were routed already keep their route. */
  reroute(router: Router): void {
    this.#routed.reroute(router);
  }

  /** The whole set as the registry lists it now. Survivors keep their statistics. */
  update(instances: readonly ServiceInstance[], held: ReadonlySet<string> = new Set()): void {
    this.#roster.update(instances, { held, newcomersWarmUp: this.#known });
    this.#known = true;
    const now = this.#options.runtime.now();
    this.#reweigh(now);
    this.#refilter(now, true);
  }

  /** The set is too old to be believed. */
  forget(): void {
    this.update([]);
    this.#known = false;
  }

  /** Picks an endpoint, counts the attempt as started. Throws NO_INSTANCES or NO_ROUTE when nobody may serve. */
  acquire(call: Call): Lease {
    const { now } = call;
    if (now >= this.#reviewAt) this.#review(now);
    const set = this.#routed.setFor(call);
    const probe = this.#trials.length > 0 && this.#probe(call, set);
    if (probe) return probe;
    const endpoint = set.pick(call);
    if (endpoint === undefined) throw this.#routed.refusal(call, { set, listed: this.#roster.size });
    return set.lease(endpoint, endpoint.health.enter(), call);
  }

  #probe(call: Call, set: CandidateSet): Lease | undefined {
    const retryable = call.idempotent && call.replayable && call.attempt < call.maxAttempts;
    for (const endpoint of this.#trials) {
      if (!set.has(endpoint) || call.tried.includes(endpoint)) continue;
      const ticket = endpoint.health.probe(retryable, call.now);
      if (ticket !== undefined) return set.lease(endpoint, ticket, call);
    }
    return undefined;
  }

  /** Could this call go to an endpoint that it has not tried? */
  offersMore(call: Call): boolean {
    return this.#routed.offersMore(call);
  }

  /** Applies the time that passed, for who looks without calling. */
  refresh(now: number): void {
    if (now >= this.#reviewAt) this.#review(now);
  }

  /** What there was to pick from when `chosen` was picked, and why not more. Takes its time: for who asks. */
  explain(call: Call, chosen = call.tried.at(-1)): PickExplanation {
    return explainPick(call, { sets: this.#routed, endpoints: this.#roster.values(), chosen });
  }

  /** The sets that routes made, by what they select. */
  describeRoutes(now: number): RouteSnapshot[] {
    return Array.from(this.#sets.routed(), ([key, set]) => ({ instances: key, ...describeSet(set, now) }));
  }

  readonly #host = (endpoint: PooledEndpoint): EjectionHost => ({
    policy: this.#options.ejection,
    random: () => this.#options.runtime.random(),
    mayEject: () => this.#mayEject(endpoint),
    changed: change => this.#changed(endpoint, change),
    probed: () => this.#options.events.emit?.({ type: 'instance.probed', instance: endpoint.instance.id, ok: true }),
  });

  /** Ejectable(n) = min(n − 1, max(1, ⌈n × maxEjectedRatio⌉)): one of two, two of three, never the last. */
  #mayEject(ill: PooledEndpoint): boolean {
    const { members } = this.#sets.holding(ill);
    const { ejection } = this.#options;
    const n = members.length;
    const most = ejection ? Math.min(n - 1, Math.max(1, Math.ceil(n * ejection.maxEjectedRatio))) : 0;
    return members.filter(endpoint => endpoint.health.kind !== 'serving').length < most;
  }

  #changed(endpoint: PooledEndpoint, change: EjectionChange): void {
    const { events, runtime, slowStartMs } = this.#options;
    this.#reviewAt = -Infinity;
    if (change.to === 'serving') endpoint.warmUp(Math.min(slowStartMs, change.ms), runtime.now());
    tellChange(events, endpoint.instance.id, change);
  }

  /** Time passed: trials begin and weights grow. */
  #review(now: number): void {
    for (const endpoint of this.#roster.values()) endpoint.health.review(now);
    this.#refilter(now, this.#reweigh(now));
  }

  #reweigh(now: number): boolean {
    let changed = false;
    for (const endpoint of this.#roster.values()) changed = endpoint.reweigh(now) || changed;
    return changed;
  }

  /** Health changed; with `membersToo`, who there is or with what weight. */
  #refilter(now: number, membersToo = false): void {
    const { all } = this.#sets;
    const wasPanic = all.panic;
    const endpoints = [...this.#roster.values()];
    this.#sets.changed(now, membersToo ? endpoints : undefined);
    this.#trials = endpoints.filter(endpoint => endpoint.weight > 0 && endpoint.health.kind === 'trial');
    this.#reviewAt = Infinity;
    for (const endpoint of endpoints)
      if (endpoint.weight > 0) this.#reviewAt = Math.min(this.#reviewAt, endpoint.reviewAt(now));
    if (all.panic === wasPanic) return;
    const eligible = all.members.filter(endpoint => endpoint.availableAt === 0).length;
    const type = all.panic ? 'panic.entered' : 'panic.left';
    this.#options.events.emit?.({ type, eligible, members: all.members.length });
  }
}
