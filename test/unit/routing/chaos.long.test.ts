import { describe, expect, it } from 'vitest';
import { resolveRoute } from '../../../src/client/options/route.js';
import type { Balancer, BalancerFactory } from '../../../src/core/balancer.js';
import { isFairleadError } from '../../../src/core/errors.js';
import type { InstanceInput } from '../../../src/core/instance.js';
import type { Lease } from '../../../src/pool/lease.js';
import type { RouteFallback } from '../../../src/routing/decision.js';
import { RuleRouter } from '../../../src/routing/router.js';
import { conditionsOf, selectionOf } from '../../../src/routing/selector.js';
import { seededRandom } from '../../../src/testing/test-runtime.js';
import { FAILURE, instancesOf, routedWorld, SUCCESS, type RoutedWorld } from './support.js';

/** Fleets, health and rules change at random while calls are in flight. */
const live = (seed: number, steps: number) => {
  const random = seededRandom(seed);
  const any = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const open = new Map<Balancer, number>();
  const balancer: BalancerFactory = () => {
    const counting: Balancer = {
      pick: ({ eligible }) => any(eligible),
      started: () => void open.set(counting, (open.get(counting) ?? 0) + 1),
      settled: () => void open.set(counting, open.get(counting)! - 1),
    };
    return counting;
  };
  const fleet = (): Record<string, Partial<InstanceInput>> =>
    Object.fromEntries(
      Array.from({ length: Math.floor(random() * 12) }, (_, at) => [
        `i${at}`,
        {
          version: any(['1', '2', '3']),
          zone: any(['eu', 'us']),
          weight: any([0, 1, 1, 1, 3]),
          protocol: any(['http', 'http', 'grpc']),
        },
      ]),
    );
  const route = () => ({
    rules: [
      {
        share: random(),
        to: { version: any(['1', '2', '9']), zone: any(['eu', 'us']) },
        fallback: any<RouteFallback>(['ladder', 'any', 'strict']),
      },
    ],
    ...(random() < 0.5 ? { zone: { own: 'eu', minInstances: 1, minLocal: 1 } } : {}),
  });
  const subset = random() < 0.5 ? { subset: { size: 3, key: `${seed}` } } : {};
  const world: RoutedWorld = routedWorld({ fleet: fleet(), route: route(), balancer, seed, ...subset });
  const inFlight: Lease[] = [];
  const settle = (): void => {
    const [lease] = inFlight.splice(Math.floor(random() * inFlight.length), 1);
    lease?.settle(random() < 0.5 ? FAILURE : SUCCESS, world.runtime.now());
  };
  const start = (): void => {
    const strict = { version: any(['1', '2', '9']) };
    const own = random() < 0.3;
    const call = world.call({ work: random() < 0.3, ...(own ? { route: { to: strict, fallback: 'strict' } } : {}) });
    const may = selectionOf(own ? conditionsOf(strict) : []);
    for (let attempt = 0; attempt < 1 + random() * 3; attempt += 1) {
      try {
        const lease = world.pool.acquire(call);
        const { endpoint } = lease;
        inFlight.push(lease);
        expect([endpoint.listed, endpoint.weight > 0, may.selects(endpoint.instance)]).toEqual([true, true, true]);
        if (call.request !== undefined) expect(endpoint.instance.protocol).toBe('http');
      } catch (error) {
        if (!isFairleadError(error)) throw error;
        // Refused only where really nobody is: nobody may be too ill, since the panic rule lets the ill serve.
        const refused = world.pool.explain(call);
        expect([error.code, refused.members]).toEqual([
          refused.route && anybody(call.request !== undefined) ? 'NO_ROUTE' : 'NO_INSTANCES',
          0,
        ]);
        return;
      }
    }
  };
  const anybody = (web: boolean): boolean =>
    [...world.pool.endpoints].some(({ weight, instance: { protocol } }) => weight > 0 && (!web || protocol === 'http'));
  const run = async (): Promise<void> => {
    for (let step = 0; step < steps; step += 1) {
      const dice = random();
      if (dice < 0.55) start();
      else if (dice < 0.9) settle();
      else if (dice < 0.93) world.pool.update(instancesOf(fleet()));
      else if (dice < 0.96)
        world.pool.reroute(new RuleRouter(resolveRoute(random() < 0.2 ? false : route()), world.runtime));
      else await world.runtime.advance(random() * 4_000);
    }
    while (inFlight.length > 0) settle();
  };
  return { run, open, world };
};

describe('routing while everything changes', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed + 1))('keeps its promises (seed %i)', async seed => {
    const { run, open, world } = live(seed, 1_500);
    await run();
    expect(open.size).toBeGreaterThan(1);
    expect([...open.values()].every(count => count === 0)).toBe(true);
    for (const endpoint of world.pool.endpoints) expect(endpoint.inFlight).toBe(0);
  });
});
