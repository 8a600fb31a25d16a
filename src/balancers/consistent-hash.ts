import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Circle } from './circle.js';
import { hashOf, mixed } from './hash.js';
import { keyReader, type KeyReader } from './hash-key.js';
import { checkOptions, type ConsistentHashOptions } from './hash-options.js';
import { HashSeats, type HashSeat } from './hash-seats.js';
import { LoadBound } from './load-bound.js';
import { Maglev } from './maglev.js';
import { p2c } from './p2c.js';
import { Ring } from './ring.js';

/** Refused places, before those who may serve are gone through instead: they are few then. */
const MAX_STEPS = 128;
const STRIDE_SALT = 0x9e3779b9;

/**
 * Calls with the same key go to the same instance, whichever process they come from: for caches, sessions and shards in the
 * instances. An instance that is out or that the call tried is passed by, and only its own keys move, and move back. One
 * that warms up gets a growing share of its keys. Response times do not matter to it: set `maxLoadRatio` where a few keys
 * may be much more popular than others. Throws a TypeError or RangeError for an option that makes no sense.
 */
export const consistentHash = (options: ConsistentHashOptions = {}): BalancerFactory => {
  checkOptions(options);
  const keyOf = keyReader(options.key);
  return runtime => new ConsistentHash(options, keyOf, p2c()(runtime));
};

class ConsistentHash implements Balancer {
  readonly #keyOf: KeyReader;
  readonly #keyless: Balancer;
  readonly #seats = new HashSeats();
  readonly #circle: Circle;
  readonly #bound: LoadBound | undefined;
  #members: readonly Endpoint[] = [];

  constructor(options: ConsistentHashOptions, keyOf: KeyReader, keyless: Balancer) {
    const { algorithm, replicas = 160, maxLoadRatio = false } = options;
    this.#keyOf = keyOf;
    this.#keyless = keyless;
    this.#circle = algorithm === 'maglev' ? new Maglev(this.#seats) : new Ring(this.#seats, replicas);
    this.#bound = maxLoadRatio === false ? undefined : new LoadBound(maxLoadRatio, this.#seats);
  }

  pick(from: Candidates, call: Call): Endpoint {
    const key = call.hashKey || this.#keyOf(call);
    if (!key) return this.#keyless.pick(from, call);
    if (from.members !== this.#members) this.#revise(from.members);
    const hash = hashOf(key);
    if (this.#bound !== undefined) {
      this.#bound.review(from);
      return this.#walk(from, hash);
    }
    const { endpoints, weights } = this.#seats;
    const slot = this.#circle.owners[this.#circle.placeOf(hash)];
    const endpoint = slot === undefined ? undefined : endpoints[slot];
    const serves = endpoint !== undefined && from.allows(endpoint) && endpoint.weight >= weights[slot!]!;
    return serves ? endpoint : this.#walk(from, hash);
  }

  started(endpoint: Endpoint): void {
    this.#bound?.changed(endpoint);
  }

  settled(endpoint: Endpoint): void {
    this.#bound?.changed(endpoint);
  }

  #revise(members: readonly Endpoint[]): void {
    const change = this.#seats.revise(members);
    this.#members = members;
    if (change.joined.length === 0 && change.left.length === 0) return;
    this.#circle.revise(change);
    this.#seats.release(change.left);
  }

  /** From place to place, in an order of the key's own: what falls to others is spread over all of them. */
  #walk(from: Candidates, hash: number): Endpoint {
    const { owners } = this.#circle;
    const { slots } = this.#seats;
    const stride = (mixed(hash + STRIDE_SALT) >>> 0) % owners.length || 1;
    let cold: Endpoint | undefined;
    for (let step = 0, at = this.#circle.placeOf(hash); step < MAX_STEPS && at < owners.length; step += 1) {
      const seat = slots[owners[at]!]!;
      const { endpoint } = seat;
      if (from.allows(endpoint) && (this.#bound === undefined || this.#bound.allows(seat))) {
        if (isWarmFor(hash, seat)) return endpoint;
        cold ??= endpoint;
      }
      at = (at + stride) % owners.length;
    }
    // All are cold: each keeps its own keys.
    return cold ?? this.#best(from, hash);
  }

  /** Rendezvous hashing among those who may serve: a key's order of preference does not depend on who else is there. */
  #best(from: Candidates, hash: number): Endpoint {
    let best = from.eligible[0]!;
    let most = -1;
    for (const endpoint of from.eligible) {
      const seat = this.#seats.of(endpoint);
      let score = (seat === undefined ? 0 : mixed(hash ^ seat.second) >>> 0) / 2 ** 32;
      // An allowed one goes before one that is not, and one below its bound before one above.
      if (from.allows(endpoint)) score += 2;
      if (seat !== undefined && (this.#bound === undefined || this.#bound.allows(seat))) score += 1;
      if (score <= most) continue;
      most = score;
      best = endpoint;
    }
    return best;
  }
}

/** While an endpoint warms up, each key decides by itself from which warmth on it goes there. */
const isWarmFor = (hash: number, { endpoint, first, weight }: HashSeat): boolean =>
  endpoint.weight >= weight || mixed(hash ^ first) >>> 0 < (endpoint.weight / weight) * 2 ** 32;
