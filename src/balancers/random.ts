import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Runtime } from '../core/runtime.js';
import { WeightedDraw } from './weighted-draw.js';

/** Draws an endpoint with a probability in proportion to its weight. For fleets of equals and as a yardstick for others. */
export const random = (): BalancerFactory => runtime => new Random(runtime);

class Random implements Balancer {
  readonly #draw: WeightedDraw;

  constructor(runtime: Runtime) {
    this.#draw = new WeightedDraw(runtime);
  }

  pick(from: Candidates, _call: Call): Endpoint {
    return this.#draw.allowed(from);
  }
}
