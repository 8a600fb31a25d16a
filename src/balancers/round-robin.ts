import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Runtime } from '../core/runtime.js';
import { nextAllowed } from './weighted-draw.js';

/**
 * Each in turn, whatever its weight. For fleets of equals with calls of equal cost; a slow instance gets as much as a
 * fast one, so prefer `p2c()` where response times differ. Starts at a random place: a thousand clients that start
 * together do not all call the same instance first.
 */
export const roundRobin = (): BalancerFactory => runtime => new RoundRobin(runtime);

class RoundRobin implements Balancer {
  #next: number;

  constructor(runtime: Runtime) {
    this.#next = Math.floor(runtime.random() * 2 ** 16);
  }

  pick(from: Candidates, _call: Call): Endpoint {
    const { eligible } = from;
    const turn = this.#next % eligible.length;
    const endpoint = eligible[turn]!;
    this.#next = turn + 1;
    return from.allows(endpoint) ? endpoint : (nextAllowed(from, turn + 1) ?? endpoint);
  }
}
