import type { Balancer, BalancerFactory, Candidates } from '../core/balancer.js';
import type { Endpoint } from '../core/endpoint.js';
import type { Runtime } from '../core/runtime.js';

/**
 * Each in turn, by its weight (nginx's smooth weighted round robin), in an order by chance. For lookups, from which nothing
 * is learnt: a balancer that measures would have nothing to go by. Looks at all for each pick.
 */
export const inTurn: BalancerFactory = runtime => new InTurn(runtime);

class InTurn implements Balancer {
  readonly #runtime: Runtime;
  readonly #currents = new WeakMap<Endpoint, number>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  pick({ eligible }: Candidates): Endpoint {
    let best = eligible[0]!;
    let most = -Infinity;
    let total = 0;
    for (const endpoint of eligible) {
      const current = this.#currentOf(endpoint) + endpoint.weight;
      this.#currents.set(endpoint, current);
      total += endpoint.weight;
      if (current <= most) continue;
      most = current;
      best = endpoint;
    }
    this.#currents.set(best, most - total);
    return best;
  }

  /** A newcomer is ahead of nobody by a whole turn; a thousand processes that start together begin with different ones. */
  #currentOf(endpoint: Endpoint): number {
    return this.#currents.get(endpoint) ?? this.#runtime.random() * endpoint.weight;
  }
}
