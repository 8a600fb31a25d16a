import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Runtime } from '../core/runtime.js';
import { warmthOf } from './weight.js';
import { nextAllowed } from './weighted-draw.js';

/**
 * Each in turn, whatever its weight; one that warms up sits out some of its turns. For fleets of equals with calls of equal
 * cost; a slow instance gets as much as a fast one, so prefer `p2c()` where response times differ. Starts at a random place:
 * a thousand clients that start together do not all call the same instance first.
 */
export const roundRobin = (): BalancerFactory => runtime => new RoundRobin(runtime);

class RoundRobin implements Balancer {
  #next: number;
  #version = -1;
  /** The warmest of the eligible takes all of its turns: where all are new, all are equal. */
  #warmest = 1;
  #allWarm = true;
  #round = 0;

  constructor(runtime: Runtime) {
    this.#next = Math.floor(runtime.random() * 2 ** 16);
  }

  pick(from: Candidates, _call: Call): Endpoint {
    if (from.version !== this.#version) this.#survey(from);
    const { eligible } = from;
    let turn = this.#turn(eligible.length);
    if (!this.#allWarm)
      for (let passed = 1; passed < eligible.length && this.#sitsOut(eligible[turn]!, turn); passed += 1)
        turn = this.#turn(eligible.length);
    const endpoint = eligible[turn]!;
    return from.allows(endpoint) ? endpoint : (nextAllowed(from, turn + 1) ?? endpoint);
  }

  #turn(size: number): number {
    const turn = this.#next % size;
    this.#next = turn + 1;
    if (turn === 0) this.#round += 1;
    return turn;
  }

  /** With a warmth of 0.3 it takes 3 of 10 rounds, evenly spread; each instance other ones. */
  #sitsOut(endpoint: Endpoint, turn: number): boolean {
    const warmth = warmthOf(endpoint) / this.#warmest;
    const round = this.#round + turn;
    return warmth < 1 && Math.floor((round + 1) * warmth) === Math.floor(round * warmth);
  }

  #survey({ eligible, version }: Candidates): void {
    this.#version = version;
    this.#warmest = 0;
    this.#allWarm = true;
    for (const endpoint of eligible) {
      const warmth = warmthOf(endpoint);
      if (warmth > this.#warmest) this.#warmest = warmth;
      if (warmth < 1) this.#allWarm = false;
    }
    if (this.#warmest === 0) this.#allWarm = true;
  }
}
