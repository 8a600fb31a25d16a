import type { Call } from './call.js';
import type { Endpoint } from './endpoint.js';
import type { Outcome } from './outcome.js';
import type { Runtime } from './runtime.js';

/** Who may be picked: one for each subset of the service's instances that a route selects. */
export interface Candidates {
  /** All with weight > 0, healthy or not. The same array until membership, weights or the route's set change. */
  readonly members: readonly Endpoint[];
  /** Those that may serve now. The same array until health changes; never empty when `pick` is called. */
  readonly eligible: readonly Endpoint[];
  /** Grows with each change of either array. */
  readonly version: number;
  /** Eligible, and not tried by the call that is being picked for. O(1). */
  allows(endpoint: Endpoint): boolean;
}

/**
 * Which endpoint? Reads numbers; does not time and does not filter. Hash balancers build on `members` and walk on
 * past what `allows` refuses.
 */
export interface Balancer {
  /** Returns an allowed endpoint if there is one, else any eligible one. Allocates nothing. */
  pick(from: Candidates, call: Call): Endpoint;
  /** Each attempt has exactly one `started` … */
  started?(endpoint: Endpoint): void;
  /** … and exactly one `settled`, whatever happens to it. */
  settled?(endpoint: Endpoint, outcome: Outcome, durationMs: number): void;
}

/** What `p2c()`, `roundRobin()` … return: the client that owns the balancer calls it once for each subset. */
export type BalancerFactory = (runtime: Runtime) => Balancer;
