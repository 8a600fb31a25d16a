import { roundRobin } from '../../../src/balancers/round-robin.js';
import type { BalancerFactory } from '../../../src/core/balancer.js';
import type { Call } from '../../../src/core/call.js';
import type { Happening } from '../../../src/core/events.js';
import { toInstance, type InstanceInput, type ServiceInstance } from '../../../src/core/instance.js';
import type { Runtime } from '../../../src/core/runtime.js';
import { callPlan } from '../../../src/client/call-plan.js';
import { LogicalCall } from '../../../src/client/logical-call.js';
import { resolveOptions } from '../../../src/client/resolve-options.js';
import { DEFAULTS } from '../../../src/client/defaults.js';
import { Pool } from '../../../src/pool/pool.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';

export * from '../../../src/core/outcome.js';
export type { Call, Happening, ServiceInstance };
export { roundRobin };
export { p2c } from '../../../src/balancers/p2c.js';

export const makeInstance = (input: Partial<InstanceInput> = {}): ServiceInstance =>
  toInstance({ service: 'users', address: '10.0.0.1', port: 80, ...input });

export const makePool = ({
  instances,
  balancer = roundRobin(),
}: {
  instances: readonly ServiceInstance[];
  balancer?: BalancerFactory;
}) => {
  const runtime = testRuntime();
  const happened: Happening[] = [];
  const pool = new Pool({
    service: 'users',
    runtime,
    events: { emit: happening => happened.push(happening) },
    balancer,
    ejection: DEFAULTS.ejection,
    slowStartMs: DEFAULTS.slowStartMs,
  });
  pool.update(instances);
  return { pool, runtime, happened };
};

const nowhere = { name: 'nowhere', watch: () => [], discover: () => [], close: () => undefined } as never;

/** A call at the runtime's present moment; `fetch: true` for one that has a request. */
export const makeCall = (
  runtime: Runtime,
  { fetch = false, ...own }: Partial<Call> & { fetch?: boolean } = {},
): Call => {
  const request = fetch
    ? { method: 'GET', path: '/', headers: undefined, body: undefined, init: undefined }
    : undefined;
  const seed = {
    request,
    protocol: undefined,
    idempotent: false,
    replayable: false,
    signal: undefined,
    work: undefined,
  };
  const options = resolveOptions({ service: 'users', registry: nowhere, runtime });
  const call = new LogicalCall(options, seed, callPlan(options));
  return Object.assign(call, own);
};
