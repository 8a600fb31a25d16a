import { roundRobin } from '../../../src/balancers/round-robin.js';
import { DEFAULTS } from '../../../src/client/defaults.js';
import { callPlan } from '../../../src/client/call-plan.js';
import { LogicalCall } from '../../../src/client/logical-call.js';
import { resolveOptions } from '../../../src/client/resolve-options.js';
import { resolveRoute, type RouteOptions } from '../../../src/client/options/route.js';
import type { BalancerFactory } from '../../../src/core/balancer.js';
import type { Call } from '../../../src/core/call.js';
import type { Happening } from '../../../src/core/events.js';
import type { InstanceInput } from '../../../src/core/instance.js';
import { FAILURE, IGNORED, SUCCESS } from '../../../src/core/outcome.js';
import type { SubsetPolicy } from '../../../src/pool/fleet-subset.js';
import { Pool } from '../../../src/pool/pool.js';
import type { CallRoute } from '../../../src/routing/decision.js';
import { RuleRouter } from '../../../src/routing/router.js';
import { testRuntime, type TestRuntime } from '../../../src/testing/test-runtime.js';
import { makeInstance } from '../pool/support.js';

export { FAILURE, SUCCESS };

export interface RoutedWorld {
  readonly pool: Pool;
  readonly runtime: TestRuntime;
  readonly happened: readonly Happening[];
  /** A call of a user. */
  call(own?: Wishes): Call;
  /** Ids of who got each of so many calls; nothing is said of how they ended. */
  picks(times: number, own?: Wishes | ((turn: number) => Wishes)): string[];
  /** Fails calls that go to it until it is out. */
  eject(id: string, own?: Wishes): void;
  state(id: string): string;
}

export interface Wishes {
  readonly user?: string | undefined;
  readonly headers?: Record<string, string> | undefined;
  readonly route?: CallRoute | undefined;
  readonly work?: boolean | undefined;
}

/** Instances by name: `{ a: { version: '1' } }`. */
export const routedWorld = ({
  fleet,
  route,
  subset,
  balancer = roundRobin(),
  panicRatio = DEFAULTS.ejection.panicRatio,
  seed = 1,
}: {
  fleet: Readonly<Record<string, Partial<InstanceInput>>>;
  route?: RouteOptions | undefined;
  subset?: SubsetPolicy;
  balancer?: BalancerFactory;
  panicRatio?: number;
  seed?: number;
}): RoutedWorld => {
  const runtime = testRuntime({ seed });
  const happened: Happening[] = [];
  const pool = new Pool({
    service: 'users',
    runtime,
    events: { emit: happening => happened.push(happening) },
    balancer,
    ejection: { ...DEFAULTS.ejection, panicRatio },
    slowStartMs: 0,
    router: new RuleRouter(resolveRoute(route), runtime),
    subset,
  });
  pool.update(instancesOf(fleet));
  const call = caller(runtime);
  return {
    pool,
    runtime,
    happened,
    call,
    picks: (times, own = {}) =>
      Array.from({ length: times }, (_, turn) => {
        const lease = pool.acquire(call(typeof own === 'function' ? own(turn) : own));
        lease.settle(IGNORED, runtime.now());
        return lease.endpoint.instance.id;
      }),
    eject: (id, own) => {
      for (let turn = 0; stateOf(pool, id) === 'serving' && turn < 1_000; turn += 1) {
        const lease = pool.acquire(call(own));
        lease.settle(lease.endpoint.instance.id === id ? FAILURE : SUCCESS, runtime.now());
      }
    },
    state: id => stateOf(pool, id),
  };
};

export const instancesOf = (fleet: Readonly<Record<string, Partial<InstanceInput>>>) =>
  Object.entries(fleet).map(([id, input], at) => makeInstance({ id, port: at + 1, ...input }));

const stateOf = (pool: Pool, id: string): string =>
  [...pool.endpoints].find(({ instance }) => instance.id === id)!.health.kind;

const nowhere = { name: 'nowhere', watch: () => [], discover: () => [], close: () => undefined } as never;

/** Makes calls at the runtime's present moment. */
const caller = (runtime: TestRuntime) => {
  const options = resolveOptions({ service: 'users', registry: nowhere, runtime });
  return ({ user, headers, route, work = false }: Wishes = {}): Call => {
    const request = { method: 'GET', path: '/users/1', headers, body: undefined, init: undefined };
    const seed = {
      request: work ? undefined : request,
      protocol: undefined,
      idempotent: true,
      replayable: true,
      signal: undefined,
      work: undefined,
    };
    return new LogicalCall(options, seed, callPlan(options, { hashKey: user, route }));
  };
};

export const tally = (ids: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
};

/** How far a count of draws may be off by chance: 5 standard deviations, once in two million runs. */
export const slack = (draws: number, share: number): number => 5 * Math.sqrt(draws * share * (1 - share));
