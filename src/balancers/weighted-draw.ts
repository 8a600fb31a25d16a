import type { Candidates } from '../core/balancer.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Runtime } from '../core/runtime.js';
import { weightOf } from './weight.js';

/** Draws that the weights refused, before the last one drawn is taken as it is. */
const MAX_DRAWS = 32;
/** Draws that hit somebody who is not allowed, before the rest is gone through one by one. */
const MAX_MISSES = 4;
/** Draws for another one than the first. */
const MAX_REDRAWS = 4;

/**
 * Draws from the eligible endpoints in proportion to their weights, by rejection: one is kept with probability
 * weight ÷ greatest weight. Nothing is built when weights or health change, so that cost stays flat in any fleet.
 */
export class WeightedDraw {
  readonly #runtime: Runtime;
  /** The greatest weight among the eligible. */
  greatest = 1;
  /** All have the same. */
  equal = true;
  #version = -1;
  /** Where the newest draw hit, and what is left of its number of chance: as good as another one. */
  #at = 0;
  #rest = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** One of the eligible, allowed or not. */
  any(from: Candidates): Endpoint {
    if (from.version !== this.#version) this.#survey(from);
    const { eligible } = from;
    let drawn = this.#uniform(eligible);
    if (this.equal) return drawn;
    for (let draws = 1; draws < MAX_DRAWS && this.#runtime.random() * this.greatest >= weightOf(drawn); draws += 1)
      drawn = this.#uniform(eligible);
    return drawn;
  }

  /** One of the others, to compare with what `any` has just drawn; by weight it may be the same, if few others weigh enough. */
  another(from: Candidates, first: Endpoint): Endpoint {
    const { eligible } = from;
    if (this.equal && eligible.length > 1) {
      const others = Math.floor(this.#rest * (eligible.length - 1));
      return eligible[others < this.#at ? others : others + 1]!;
    }
    let drawn = this.any(from);
    for (let redraws = 0; redraws < MAX_REDRAWS && drawn === first; redraws += 1) drawn = this.any(from);
    return drawn;
  }

  /** An allowed one if there is one. */
  allowed(from: Candidates): Endpoint {
    let drawn = this.any(from);
    for (let misses = 0; misses < MAX_MISSES && !from.allows(drawn); misses += 1) drawn = this.any(from);
    return from.allows(drawn)
      ? drawn
      : (nextAllowed(from, Math.floor(this.#runtime.random() * from.eligible.length)) ?? drawn);
  }

  #uniform(eligible: readonly Endpoint[]): Endpoint {
    const drawn = this.#runtime.random() * eligible.length;
    this.#at = Math.floor(drawn);
    this.#rest = drawn - this.#at;
    return eligible[this.#at]!;
  }

  #survey({ eligible, version }: Candidates): void {
    this.#version = version;
    this.greatest = 0;
    this.equal = true;
    const first = weightOf(eligible[0]!);
    for (const endpoint of eligible) {
      const weight = weightOf(endpoint);
      if (weight !== first) this.equal = false;
      if (weight > this.greatest) this.greatest = weight;
    }
  }
}

/** The first allowed endpoint from `start` on, going round; `undefined` if there is none. */
export const nextAllowed = (from: Candidates, start: number): Endpoint | undefined => {
  const { eligible } = from;
  for (let step = 0; step < eligible.length; step += 1) {
    const endpoint = eligible[(start + step) % eligible.length]!;
    if (from.allows(endpoint)) return endpoint;
  }
  return undefined;
};
