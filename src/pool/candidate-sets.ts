import type { Balancer } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import { CandidateSet, isWeb, type Fleet } from './candidates.js';
import type { PooledEndpoint } from './endpoint.js';
import type { FleetSubset } from './fleet-subset.js';
import type { Selection, SetSource } from './selection.js';

/** Sets of routes that are kept at once. Beyond that the one that was not asked for longest goes, with its balancer. */
const MOST_SETS = 128;
/** A set that nobody asked for so long is dropped at the next change of members. */
const IDLE_MS = 600_000;

export interface CandidateSetsParts {
  /** Makes the balancer of one more set. */
  readonly balancer: () => Balancer;
  /** Below this share of healthy members all of a set serve, 0–1. */
  readonly panicRatio: number;
  readonly subset: FleetSubset | undefined;
}

/**
 * The sets from which calls pick: of everybody, of those that fetch can talk to, and one for each part of the fleet that
 * routes name. The latter catch up with the fleet when they are asked for, so that those out of use cost nothing.
 */
export class CandidateSets implements SetSource {
  /** Everybody that this client uses. */
  readonly all: CandidateSet;
  readonly #parts: CandidateSetsParts;
  /** For fetch, where the service also has instances that speak something else. */
  readonly #web: CandidateSet;
  readonly #routed = new Map<string, CandidateSet>();
  readonly #routedWeb = new Map<string, CandidateSet>();
  #fleet: Fleet;
  #mixed = false;

  constructor(parts: CandidateSetsParts) {
    this.#parts = parts;
    this.all = new CandidateSet(parts.balancer());
    this.#web = new CandidateSet(parts.balancer(), isWeb);
    const { panicRatio, subset } = parts;
    this.#fleet = { endpoints: [], version: 1, membership: 1, panicRatio, subset };
  }

  /** Health changed; with `endpoints`, who there is or with what weight. */
  changed(now: number, endpoints?: Iterable<PooledEndpoint>): void {
    const { version, membership } = this.#fleet;
    const { subset } = this.#parts;
    this.#fleet = { ...this.#fleet, version: version + 1 };
    if (endpoints !== undefined) {
      const ordered = subset?.inOrder(endpoints) ?? [...endpoints];
      this.#mixed = ordered.some(endpoint => endpoint.weight > 0 && !isWeb(endpoint));
      this.#fleet = { ...this.#fleet, endpoints: ordered, membership: membership + 1 };
      for (const sets of [this.#routed, this.#routedWeb]) dropStale(sets, now);
    }
    this.all.follow(this.#fleet);
    this.#web.follow(this.#fleet);
  }

  /** The set of a call that may go anywhere. */
  anywhere(call: Call): CandidateSet {
    return this.#mixed && call.request !== undefined ? this.#web : this.all;
  }

  of(selection: Selection, call: Call): CandidateSet {
    if (selection.key === '') return this.anywhere(call);
    const web = this.#mixed && call.request !== undefined;
    const sets = web ? this.#routedWeb : this.#routed;
    const set = sets.get(selection.key) ?? this.#add(selection, sets, web);
    set.usedAt = call.now;
    set.follow(this.#fleet);
    return set;
  }

  /** A set that an endpoint is a member of: the whole one if possible. */
  holding(endpoint: PooledEndpoint): CandidateSet {
    if (this.all.has(endpoint)) return this.all;
    const routed = [...this.#routed.values(), ...this.#routedWeb.values()];
    return routed.find(set => set.has(endpoint)) ?? this.all;
  }

  /** Those of routes, brought up to date. */
  *routed(): Iterable<readonly [key: string, set: CandidateSet]> {
    for (const sets of [this.#routed, this.#routedWeb])
      for (const entry of sets) {
        entry[1].follow(this.#fleet);
        yield entry;
      }
  }

  #add(selection: Selection, sets: Map<string, CandidateSet>, web: boolean): CandidateSet {
    if (sets.size >= MOST_SETS) dropOldest(sets);
    const belongs = ({ instance }: PooledEndpoint): boolean => selection.selects(instance);
    const balancer = this.#parts.balancer();
    const set = new CandidateSet(balancer, web ? endpoint => isWeb(endpoint) && belongs(endpoint) : belongs);
    sets.set(selection.key, set);
    return set;
  }
}

/** One that had no members has learnt nothing; one that nobody asks for would hold on to those that left. */
const dropStale = (sets: Map<string, CandidateSet>, now: number): void => {
  for (const [key, set] of sets) if (set.members.length === 0 || now - set.usedAt > IDLE_MS) sets.delete(key);
};

const dropOldest = (sets: Map<string, CandidateSet>): void => {
  let oldest: string | undefined;
  let usedAt = Infinity;
  for (const [key, set] of sets) if (set.usedAt < usedAt) [oldest, usedAt] = [key, set.usedAt];
  if (oldest !== undefined) sets.delete(oldest);
};
