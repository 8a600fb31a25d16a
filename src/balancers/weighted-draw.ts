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
  /** The newest pair. */
  first!: Endpoint;
  second!: Endpoint;
  #version = -1;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Draws `first` and `second`, allowed or not, from more than one; by weight they may be the same, if few others weigh
   * enough. Left here, since a pair to return would be an object for each call.
   */
  pair(from: Candidates): void {
    if (from.version !== this.#version) this.#survey(from);
    const { eligible } = from;
    if (!this.equal) {
      this.first = this.#byWeight(eligible);
      this.second = this.#byWeight(eligible);
      for (let draws = 0; draws < MAX_REDRAWS && this.second === this.first; draws += 1)
        this.second = this.#byWeight(eligible);
      return;
    }
    const drawn = this.#runtime.random() * eligible.length;
    const at = Math.floor(drawn);
    // What is left of the number of chance is as good as another one.
    const other = Math.floor((drawn - at) * (eligible.length - 1));
    this.first = eligible[at]!;
    this.second = eligible[other < at ? other : other + 1]!;
  }

  /** An allowed one if there is one. */
  allowed(from: Candidates): Endpoint {
    if (from.version !== this.#version) this.#survey(from);
    let drawn = this.#byWeight(from.eligible);
    for (let misses = 0; misses < MAX_MISSES && !from.allows(drawn); misses += 1) drawn = this.#byWeight(from.eligible);
    return from.allows(drawn)
      ? drawn
      : (nextAllowed(from, Math.floor(this.#runtime.random() * from.eligible.length)) ?? drawn);
  }

  #byWeight(eligible: readonly Endpoint[]): Endpoint {
    let drawn = this.#uniform(eligible);
    if (this.equal) return drawn;
    for (let draws = 1; draws < MAX_DRAWS && this.#runtime.random() * this.greatest >= weightOf(drawn); draws += 1)
      drawn = this.#uniform(eligible);
    return drawn;
  }

  #uniform(eligible: readonly Endpoint[]): Endpoint {
    return eligible[Math.floor(this.#runtime.random() * eligible.length)]!;
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
