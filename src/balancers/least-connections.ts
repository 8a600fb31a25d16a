import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import { levelOf, type LoadGroup, type Seat } from './load-group.js';
import { LoadGroups } from './load-groups.js';
import { warmthOf, weightOf } from './weight.js';
import { nextAllowed } from './weighted-draw.js';

/**
 * Whoever has the fewest calls in flight for its weight; equals take turns in proportion to their weights. Exact, where
 * `p2c()` compares two: for few instances and long calls (streams, uploads, queries). It knows nothing of response times
 * and failures, so an instance that fails fast attracts calls until it is ejected: prefer `p2c()` for short ones.
 * A pick costs O(log of the number of different weights), whatever the number of instances. While an instance warms up it is
 * also held to its share of the picks: being idle, it would get most of them.
 */
export const leastConnections = (): BalancerFactory => () => new LeastConnections();

class LeastConnections implements Balancer {
  readonly #seats = new Map<Endpoint, Seat>();
  readonly #groups = new LoadGroups();
  /** The seats of the eligible, in their order. */
  #order: readonly Seat[] = [];
  #eligible: readonly Endpoint[] = [];
  #version = -1;
  #survey = 0;
  #audited = 0;
  /** Who was picked last: the one that is most likely to start next. */
  #last: Seat | undefined;

  pick(from: Candidates, _call: Call): Endpoint {
    if (from.version !== this.#version || from.eligible !== this.#eligible) this.#review(from);
    this.#audit();
    for (let group = this.#groups.first; group !== undefined; group = this.#groups.first) {
      const seat = group.first!;
      if (levelOf(seat.endpoint) !== seat.level) this.#sync(seat);
      else
        return this.#take(
          from.allows(seat.endpoint) && !this.#groups.isEarly(group) ? seat : (this.#elsewhere(from) ?? seat),
        );
    }
    return nextAllowed(from, 0) ?? from.eligible[0]!;
  }

  started(endpoint: Endpoint): void {
    const seat = this.#last?.endpoint === endpoint ? this.#last : this.#seats.get(endpoint);
    if (seat !== undefined) this.#sync(seat);
  }

  settled(endpoint: Endpoint): void {
    const seat = this.#seats.get(endpoint);
    if (seat !== undefined) this.#sync(seat);
  }

  #take(seat: Seat): Endpoint {
    const { group, endpoint, level } = seat;
    group.move(seat, level);
    this.#groups.picked(group);
    this.#last = seat;
    return endpoint;
  }

  /** The least busy one warms up, or is not allowed, since the call tried it: the least busy of the others. */
  #elsewhere(from: Candidates): Seat | undefined {
    let best: Seat | undefined;
    let bestIsEarly = false;
    for (const group of this.#groups.all) {
      const seat = group.firstAllowed(from);
      if (seat === undefined) continue;
      const early = this.#groups.isEarly(group);
      const goesFirst = best === undefined || (early === bestIsEarly ? isLessBusy(seat, best) : bestIsEarly);
      if (!goesFirst) continue;
      best = seat;
      bestIsEarly = early;
    }
    return best;
  }

  /**
   * Another subset of the service may have started or ended calls on an endpoint, which is not told here: one is looked at
   * in each pick, and the one to be picked always.
   */
  #audit(): void {
    if (this.#audited >= this.#order.length) this.#audited = 0;
    const seat = this.#order[this.#audited];
    this.#audited += 1;
    if (seat !== undefined && levelOf(seat.endpoint) !== seat.level) this.#sync(seat);
  }

  #sync(seat: Seat): void {
    const { group } = seat;
    const { load } = group;
    group.move(seat, levelOf(seat.endpoint));
    if (group.load !== load) this.#groups.changed(group);
  }

  /** Who may serve, or with what weight, changed. Survivors keep their turns. */
  #review({ eligible, version }: Candidates): void {
    this.#survey += 1;
    const order: Seat[] = [];
    let warmest = 0;
    for (const endpoint of eligible) warmest = Math.max(warmest, warmthOf(endpoint));
    for (const group of this.#groups.all) group.warming = false;
    for (const endpoint of eligible) {
      const weight = weightOf(endpoint);
      if (weight === 0) continue;
      const group = this.#groups.of(weight);
      if (warmthOf(endpoint) < warmest) group.warming = true;
      order.push(this.#seat(endpoint, group));
    }
    for (const [endpoint, seat] of this.#seats) {
      if (seat.survey === this.#survey) continue;
      seat.group.remove(seat);
      this.#seats.delete(endpoint);
    }
    this.#groups.prune();
    this.#last = undefined;
    this.#order = order;
    this.#eligible = eligible;
    this.#version = version;
  }

  #seat(endpoint: Endpoint, group: LoadGroup): Seat {
    const level = levelOf(endpoint);
    let seat = this.#seats.get(endpoint);
    if (seat === undefined) {
      seat = { endpoint, group, level, before: undefined, after: undefined, survey: 0 };
      this.#seats.set(endpoint, seat);
      group.add(seat);
    } else if (seat.group !== group) {
      seat.group.remove(seat);
      seat.group = group;
      seat.level = level;
      group.add(seat);
    } else if (seat.level !== level) {
      group.move(seat, level);
    }
    seat.survey = this.#survey;
    return seat;
  }
}

const isLessBusy = (one: Seat, other: Seat): boolean => {
  const load = one.level / one.group.weight;
  const otherLoad = other.level / other.group.weight;
  return load < otherLoad || (load === otherLoad && one.group.passed < other.group.passed);
};
