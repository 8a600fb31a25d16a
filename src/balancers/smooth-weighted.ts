import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import { advanceTo, firstAllowed, groupByWeight, type Standing, type WeightGroup } from './weight-group.js';
import { weightOf } from './weight.js';
import { nextAllowed } from './weighted-draw.js';

/** How long the winner stays the winner is worked out only if it does not lose at once. */
const UNKNOWN = -1;

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
 * looked at: they take turns. And while they do, only heavier ones can catch up with them, at a moment that is known.
 */
class SmoothWeighted implements Balancer {
  #version = -1;
  #eligible: readonly Endpoint[] = [];
  #groups: readonly WeightGroup[] = [];
  #weights = new Float64Array(0);
  /** The current of each group's next endpoint, and its place in the list of candidates. */
  #currents = new Float64Array(0);
  #places = new Uint32Array(0);
  #total = 0;
  /** The group that has the greatest current. */
  #winner = -1;
  /** Picks for which weights are still to be added to the currents, and how many there may be with the same winner. */
  #pending = 0;
  #horizon = 0;
  /** Picks that are owed to those who are out, to be given when they return. */
  #owed = new Map<Endpoint, number>();

  pick(from: Candidates, _call: Call): Endpoint {
    if (from.version !== this.#version || from.eligible !== this.#eligible) this.#survey(from);
    this.#pending += 1;
    if (this.#pending > this.#horizon) this.#compare();
    const winner = this.#winner;
    if (winner < 0) return nextAllowed(from, 0) ?? from.eligible[0]!;
    const group = this.#groups[winner]!;
    const endpoint = group.endpoints[group.position]!;
    if (!from.allows(endpoint)) return this.#elsewhere(from);
    this.#take(winner);
    return endpoint;
  }

  /** Brings the currents up to date, and finds the greatest. */
  #compare(): void {
    this.#catchUp();
    const currents = this.#currents;
    const places = this.#places;
    let winner = currents.length - 1;
    for (let at = winner - 1; at >= 0; at -= 1) {
      const ahead = currents[at]! - currents[winner]!;
      if (ahead > 0 || (ahead === 0 && places[at]! < places[winner]!)) winner = at;
    }
    this.#winner = winner;
    this.#horizon = UNKNOWN;
  }

  #catchUp(): void {
    for (let at = 0; at < this.#currents.length; at += 1) this.#currents[at]! += this.#weights[at]! * this.#pending;
    this.#pending = 0;
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
    change += before - group.leads[group.position]!;
    this.#places[at] = group.places[group.position]!;
    if (change !== 0) {
      this.#currents[at]! -= change;
      this.#horizon = 0;
    } else if (this.#horizon === UNKNOWN) {
      this.#horizon = this.#picksUntilOvertaken(at);
    }
  }

  /** For how many picks the greatest current stays the greatest, if that group goes on taking turns. */
  #picksUntilOvertaken(winner: number): number {
    const current = this.#currents[winner]!;
    const weight = this.#weights[winner]!;
    let picks = Number.MAX_SAFE_INTEGER;
    for (let at = 0; at < this.#currents.length; at += 1) {
      const gain = this.#weights[at]! - weight;
      if (gain > 0) picks = Math.min(picks, (current - this.#currents[at]!) / gain);
    }
    // In the pick in which it draws level, the place in the list decides.
    return Math.max(0, Math.ceil(picks) - 1);
  }

  /** The call tried whose turn it is: the turn is left to it, and the best of the others goes first. */
  #elsewhere(from: Candidates): Endpoint {
    this.#catchUp();
    this.#horizon = 0;
    let best = -1;
    let offset = 0;
    for (let at = 0; at < this.#groups.length; at += 1) {
      if (best >= 0 && this.#currents[at]! <= this.#currents[best]!) continue;
      const found = firstAllowed(this.#groups[at]!, from);
      if (found < 0) continue;
      best = at;
      offset = found;
    }
    if (best < 0) best = this.#winner;
    const group = this.#groups[best]!;
    this.#currents[best]! += advanceTo(group, offset);
    const endpoint = group.endpoints[group.position]!;
    this.#take(best);
    return endpoint;
  }

  /** Who may serve, or with what weight, changed: each keeps its place in the sequence, counted in picks it is owed. */
  #survey({ members, eligible, version }: Candidates): void {
    this.#catchUp();
    this.#horizon = 0;
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
