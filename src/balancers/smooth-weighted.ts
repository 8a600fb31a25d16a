import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import { groupByWeight, type Standing, type WeightGroup } from './weight-group.js';
import { weightOf } from './weight.js';
import { nextAllowed } from './weighted-draw.js';

/**
 * Smooth weighted round robin, in exactly nginx's order: weights 5, 1, 1 give a a b a c a a. For instances of different
 * size and calls of equal cost; where response times differ, prefer `p2c()`. A pick costs as much as there are different
 * weights, whatever the number of instances. Every client starts with the same instance: for a thousand clients that start
 * together prefer `p2c()` or `roundRobin()`.
 */
export const smoothWeighted = (): BalancerFactory => () => new SmoothWeighted();

/**
 * nginx adds to each peer's current its weight, picks the greatest current (the first listed of equals), and takes the sum
 * of all weights off the picked one's. Peers of equal weight stay in step, so that of them only the next one needs to be
 * looked at: they take turns.
 */
class SmoothWeighted implements Balancer {
  #version = -1;
  #eligible: readonly Endpoint[] = [];
  #groups: readonly WeightGroup[] = [];
  /** The current of each group's next endpoint. */
  #currents = new Float64Array(0);
  #weights = new Float64Array(0);
  /** … and its place in the list of candidates. */
  #places = new Uint32Array(0);
  #total = 0;
  /** Picks that are owed to those who are out, to be given when they return. */
  #owed = new Map<Endpoint, number>();

  pick(from: Candidates, _call: Call): Endpoint {
    if (from.version !== this.#version || from.eligible !== this.#eligible) this.#survey(from);
    const winner = this.#advance();
    if (winner < 0) return nextAllowed(from, 0) ?? from.eligible[0]!;
    const group = this.#groups[winner]!;
    const endpoint = group.endpoints[group.position]!;
    if (from.allows(endpoint)) {
      this.#take(winner);
      return endpoint;
    }
    return this.#elsewhere(from, winner);
  }

  /** Adds its weight to each current; returns the group with the greatest, -1 if there is none. */
  #advance(): number {
    const currents = this.#currents;
    const weights = this.#weights;
    const places = this.#places;
    let winner = -1;
    let most = -Infinity;
    for (let at = 0; at < currents.length; at += 1) {
      const current = currents[at]! + weights[at]!;
      currents[at] = current;
      if (current < most || (current === most && places[at]! > places[winner]!)) continue;
      most = current;
      winner = at;
    }
    return winner;
  }

  /** The group's next endpoint has its turn. */
  #take(at: number): void {
    const group = this.#groups[at]!;
    const before = group.leads[group.position]!;
    let change = 0;
    group.position += 1;
    if (group.position === group.endpoints.length) {
      group.position = 0;
      change = this.#total;
    }
    this.#currents[at]! += group.leads[group.position]! - before - change;
    this.#places[at] = group.places[group.position]!;
  }

  /** The call tried whose turn it is: the turn is left to it, and the best of the others goes first. */
  #elsewhere(from: Candidates, winner: number): Endpoint {
    let best = -1;
    let offset = 0;
    for (let at = 0; at < this.#groups.length; at += 1) {
      if (best >= 0 && this.#currents[at]! <= this.#currents[best]!) continue;
      const found = firstAllowed(this.#groups[at]!, from);
      if (found < 0) continue;
      best = at;
      offset = found;
    }
    if (best < 0) best = winner;
    const group = this.#groups[best]!;
    this.#currents[best]! += advanceTo(group, offset);
    const endpoint = group.endpoints[group.position]!;
    this.#take(best);
    return endpoint;
  }

  /** Who may serve, or with what weight, changed: each keeps its place in the sequence, counted in picks it is owed. */
  #survey({ members, eligible, version }: Candidates): void {
    const owed = this.#owedNow();
    const standings: Standing[] = [];
    let total = 0;
    for (let place = 0; place < eligible.length; place += 1) {
      const endpoint = eligible[place]!;
      const weight = weightOf(endpoint);
      if (weight > 0) standings.push({ endpoint, place, weight, current: 0 });
      total += weight;
    }
    settleUp(standings, { owed, oldTotal: this.#total, total });
    for (const { endpoint } of standings) owed.delete(endpoint);
    this.#owed = new Map();
    if (owed.size > 0)
      for (const endpoint of members)
        if (owed.has(endpoint)) this.#owed.set(endpoint, owed.get(endpoint)! / (this.#total || 1));
    this.#groups = groupByWeight(standings);
    this.#currents = Float64Array.from(this.#groups, group => group.leads[0]!);
    this.#weights = Float64Array.from(this.#groups, group => group.weight);
    this.#places = Uint32Array.from(this.#groups, group => group.places[0]!);
    this.#total = total;
    this.#eligible = eligible;
    this.#version = version;
  }

  /** Every known endpoint's current. */
  #owedNow(): Map<Endpoint, number> {
    const owed = new Map<Endpoint, number>();
    for (const [endpoint, picks] of this.#owed) owed.set(endpoint, picks * (this.#total || 1));
    this.#groups.forEach((group, at) => {
      const base = this.#currents[at]! - group.leads[group.position]!;
      group.endpoints.forEach((endpoint, turn) => {
        owed.set(endpoint, base + group.leads[turn]! - (turn < group.position ? this.#total : 0));
      });
    });
    return owed;
  }
}

/**
 * Translates currents into the new sum of weights, so that a change of scale is no burst; newcomers are owed nothing. What
 * those who left were owed is shared out, or newcomers would have to wait for it.
 */
const settleUp = (
  standings: readonly Standing[],
  { owed, oldTotal, total }: { owed: ReadonlyMap<Endpoint, number>; oldTotal: number; total: number },
): void => {
  const scale = oldTotal > 0 ? total / oldTotal : 0;
  let sum = 0;
  for (const standing of standings) {
    standing.current = within((owed.get(standing.endpoint) ?? 0) * scale, total);
    sum += standing.current;
  }
  if (sum === 0) return;
  for (const standing of standings)
    standing.current = within(standing.current - sum * (standing.weight / total), total);
};

const within = (current: number, total: number): number => Math.max(-total, Math.min(total, current));

/** How many turns ahead the first allowed endpoint of the group is; -1 if there is none. */
const firstAllowed = ({ endpoints, position }: WeightGroup, from: Candidates): number => {
  for (let offset = 0; offset < endpoints.length; offset += 1)
    if (from.allows(endpoints[(position + offset) % endpoints.length]!)) return offset;
  return -1;
};

/** Lets the endpoint so many turns ahead change places with the next one; returns by how much its current is greater. */
const advanceTo = ({ endpoints, leads, places, position }: WeightGroup, offset: number): number => {
  const other = (position + offset) % endpoints.length;
  const lead = leads[other]! - leads[position]!;
  swap(endpoints, position, other);
  swap(leads, position, other);
  swap(places, position, other);
  return lead;
};

const swap = <T>(list: { [index: number]: T }, one: number, other: number): void => {
  const held = list[one]!;
  list[one] = list[other]!;
  list[other] = held;
};
