import type { BalancerFactory } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import { Cancellation } from '../core/cancellation.js';
import type { ServiceInstance } from '../core/instance.js';
import { FAILURE, IGNORED, SUCCESS } from '../core/outcome.js';
import { newRecord } from '../core/record.js';
import type { Runtime } from '../core/runtime.js';
import type { Lease } from '../pool/lease.js';
import { Pool } from '../pool/pool.js';
import type { DiscoveredSet } from './discovered-set.js';
import { inTurn } from './in-turn.js';

export interface PickOptions {
  /** Keep it in a constant: its state (whose turn it is) is kept for each function. @default in turn, by weight */
  readonly balancer?: BalancerFactory | undefined;
  /** For hashing balancers: the same key gives the same instance. */
  readonly hashKey?: string | undefined;
}

interface Followed {
  readonly pool: Pool;
  set: DiscoveredSet | undefined;
}

/** Chooses among the instances of one service, for who does the calling himself. A pool for each balancer: its state goes on. */
export class Picker {
  readonly #service: string;
  readonly #runtime: Runtime;
  /** Weak: a balancer that is made for each lookup must not fill our memory. */
  readonly #byBalancer = new WeakMap<BalancerFactory, Followed>();

  constructor(service: string, runtime: Runtime) {
    this.#service = service;
    this.#runtime = runtime;
  }

  /** Throws NO_INSTANCES when nobody may serve. */
  pick(set: DiscoveredSet, options: PickOptions): ServiceInstance {
    const lease = this.#acquire(set, options);
    lease.settle(IGNORED, this.#runtime.now());
    return lease.endpoint.instance;
  }

  /** Counts the instance as busy until `fn` ended, and tells the balancer how that was. */
  async run<T>(
    set: DiscoveredSet,
    options: PickOptions,
    fn: (instance: ServiceInstance) => T | PromiseLike<T>,
  ): Promise<T> {
    const lease = this.#acquire(set, options);
    let verdict = FAILURE;
    try {
      const result = await fn(lease.endpoint.instance);
      verdict = SUCCESS;
      return result;
    } finally {
      lease.settle(verdict, this.#runtime.now());
    }
  }

  #acquire(set: DiscoveredSet, { balancer = inTurn, hashKey }: PickOptions): Lease {
    const followed = this.#byBalancer.get(balancer) ?? { pool: this.#newPool(balancer), set: undefined };
    this.#byBalancer.set(balancer, followed);
    if (followed.set !== set) followed.pool.update(set.instances, set.held);
    followed.set = set;
    return followed.pool.acquire(lookup(this.#service, this.#runtime.now(), hashKey));
  }

  #newPool(balancer: BalancerFactory): Pool {
    const events = { emit: undefined };
    return new Pool({
      service: this.#service,
      runtime: this.#runtime,
      events,
      balancer,
      ejection: false,
      slowStartMs: 0,
    });
  }
}

/** What a balancer may read of a call that is nobody's but the caller's. */
const lookup = (service: string, now: number, hashKey: string | undefined): Call => ({
  service,
  request: undefined,
  idempotent: false,
  replayable: false,
  protocol: undefined,
  hashKey,
  policy: { attemptTimeoutMs: undefined },
  route: undefined,
  work: undefined,
  cancellation: new Cancellation(),
  startedAt: now,
  maxAttempts: 1,
  deadlineAt: Infinity,
  now,
  attempt: 1,
  tried: [],
  verdict: IGNORED,
  record: newRecord({ service, method: 'CALL', startedAt: now, deadlineAt: Infinity, deadlineFrom: 'none' }),
  atEnd: () => undefined,
});
