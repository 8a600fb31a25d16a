import { hashOf, mixed, SECOND_BASIS } from '../core/hash.js';
import { identityOf, type ServiceInstance } from '../core/instance.js';

/** Which part of a large fleet this client talks to. */
export interface SubsetPolicy {
  /** Instances that serve it. */
  readonly size: number;
  /** Who this client is; `undefined`: drawn at random when it is made. */
  readonly key: string | undefined;
}

/** A subset stands in for the missing as long as those left could not carry its load: Envoy's overprovisioning factor. */
const SPARE = 1.4;
/** … but never more than so many times its size: a client whose own network is broken must not connect to everybody. */
const MOST = 2;

interface Ranked {
  readonly instance: ServiceInstance;
  readonly availableAt: number;
}

/**
 * Rendezvous hashing: every client has an order of its own over all instances, and takes the first. Who joins or leaves moves
 * at most one place of it, and many clients together cover the fleet evenly, without knowing of each other (gRPC A68; a
 * deterministic aperture is more even, but has to know how many clients there are and which of them this is).
 */
export class FleetSubset {
  readonly size: number;
  readonly #first: number;
  readonly #second: number;
  readonly #ranks = new WeakMap<Ranked, number>();

  constructor(size: number, key: string) {
    this.size = size;
    this.#first = hashOf(key);
    this.#second = hashOf(key, SECOND_BASIS);
  }

  /** Everybody, in this client's order. */
  inOrder<E extends Ranked>(endpoints: Iterable<E>): readonly E[] {
    return Array.from(endpoints, endpoint => ({ endpoint, rank: this.#rankOf(endpoint) }))
      .sort((one, other) => one.rank - other.rank)
      .map(({ endpoint }) => endpoint);
  }

  /**
   * The first of those that are given in order, as many as the size says; and more, while so many of them are out that the
   * others could not carry the load. Those that are out stay members, so that they are tried and come back.
   */
  take<E extends Ranked>(ordered: readonly E[]): readonly E[] {
    let serving = 0;
    for (let at = 0; at < ordered.length; at += 1) {
      if (at >= this.size && (serving * SPARE >= this.size || at >= this.size * MOST)) return ordered.slice(0, at);
      if (ordered[at]!.availableAt === 0) serving += 1;
    }
    return ordered;
  }

  /** 53 bits, so that two of 100 000 instances hardly ever tie. */
  #rankOf(endpoint: Ranked): number {
    let rank = this.#ranks.get(endpoint);
    if (rank === undefined) {
      const identity = identityOf(endpoint.instance);
      const high = mixed(hashOf(identity) ^ this.#first) >>> 0;
      const low = mixed(hashOf(identity, SECOND_BASIS) ^ this.#second) >>> 0;
      this.#ranks.set(endpoint, (rank = high * 2 ** 21 + (low >>> 11)));
    }
    return rank;
  }
}
