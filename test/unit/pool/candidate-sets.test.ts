import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/core/balancer.js';
import type { Endpoint } from '../../../src/core/endpoint.js';
import { RuleRouter } from '../../../src/routing/router.js';
import { resolveRoute } from '../../../src/client/options/route.js';
import { instancesOf, routedWorld, SUCCESS } from '../routing/support.js';

const FLEET = { a: { version: '1' }, b: { version: '1' }, c: { version: '2' }, d: { version: '2' } };
const ROUTE = { rules: [{ match: { keys: ['ann'] }, to: { version: '2' } }] };
const ann = { user: 'ann' };

/** Balancers that write down what they are told. */
const spies = () => {
  const made: (Balancer & { readonly log: string[] })[] = [];
  const factory = () => {
    const log: string[] = [];
    let turn = 0;
    const spy = {
      log,
      pick: ({ eligible }: { readonly eligible: readonly Endpoint[] }) => eligible[turn++ % eligible.length]!,
      started: ({ instance }: Endpoint) => void log.push(`+${instance.id}`),
      settled: ({ instance }: Endpoint) => void log.push(`-${instance.id}`),
    };
    made.push(spy);
    return spy;
  };
  /** Of those that were used. */
  const logs = (): string[][] => made.map(({ log }) => log).filter(log => log.length > 0);
  return { factory, made, logs };
};

describe('sets of routes', () => {
  it('have a balancer each, which hears of its own attempts to the end', () => {
    const { factory, logs } = spies();
    const world = routedWorld({ fleet: FLEET, route: ROUTE, balancer: factory });
    const mine = world.pool.acquire(world.call(ann));
    const other = world.pool.acquire(world.call());
    expect(logs()).toEqual([['+c'], ['+a']]);
    other.settle(SUCCESS, 1);
    world.pool.update(instancesOf({ a: FLEET.a }));
    mine.settle(SUCCESS, 2);
    expect(logs()).toEqual([
      ['+c', '-c'],
      ['+a', '-a'],
    ]);
  });

  it('keep their balancer when members change, when rules change, and while they are asked for', async () => {
    const { factory, made } = spies();
    const world = routedWorld({ fleet: FLEET, route: ROUTE, balancer: factory });
    world.picks(4, ann);
    const count = made.length;
    await world.runtime.advance(500_000);
    world.picks(1, ann);
    world.pool.update(instancesOf({ ...FLEET, e: { version: '2' } }));
    await world.runtime.advance(500_000);
    world.pool.update(instancesOf(FLEET));
    const route = { rules: [{ share: 1, to: { version: '2' } }], key: () => 'x' };
    world.pool.reroute(new RuleRouter(resolveRoute(route), world.runtime));
    expect(new Set(world.picks(4))).toEqual(new Set(['c', 'd']));
    expect(made.length).toBe(count);
  });

  it('go with the last member, and at a change when nobody asked for long', async () => {
    const world = routedWorld({ fleet: FLEET, route: ROUTE });
    const kept = (): string[] => world.pool.describeRoutes(0).map(({ instances }) => instances);
    world.picks(1, ann);
    world.picks(1);
    expect(kept()).toEqual(['version="2"', 'not (version="2")']);
    world.pool.update(instancesOf({ a: FLEET.a, b: FLEET.b }));
    world.picks(1);
    // It is seen to be empty when it is asked for or looked at, and goes with the change after.
    expect(world.pool.describeRoutes(0).find(({ instances }) => instances === 'version="2"')?.members).toBe(0);
    world.pool.update(instancesOf(FLEET));
    expect(kept()).toEqual(['not (version="2")']);
    await world.runtime.advance(600_001);
    world.pool.update(instancesOf(FLEET));
    expect(kept()).toEqual([]);
  });

  it('are not more than 128, however many calls ask for', () => {
    const world = routedWorld({ fleet: FLEET });
    for (let turn = 0; turn < 1_000; turn += 1) world.picks(1, { route: { to: { zone: `z${turn}` } } });
    expect(world.pool.describeRoutes(0)).toHaveLength(128);
  });

  it('are picked from without looking at the fleet again, until something changes', () => {
    let asked = 0;
    const where = ({ version }: { readonly version?: string | undefined }): boolean => {
      asked += 1;
      return version === '2';
    };
    const world = routedWorld({ fleet: FLEET, route: { rules: [{ to: { where } }] } });
    world.picks(100);
    expect(asked).toBe(4);
    world.pool.update(instancesOf(FLEET));
    world.picks(100);
    expect(asked).toBe(8);
  });

  it('offer the same arrays while nothing in them changes, whoever else falls ill', () => {
    const seen = new Set<readonly Endpoint[]>();
    const versions = new Set<number>();
    const balancer = (): Balancer => ({
      pick: ({ members, eligible, version }) => {
        if (members.length === 2) {
          seen.add(members).add(eligible);
          versions.add(version);
        }
        return eligible[0]!;
      },
    });
    const fleet = { a: FLEET.a, b: FLEET.b, b2: FLEET.b, c: FLEET.c, d: FLEET.d };
    const world = routedWorld({ fleet, route: ROUTE, balancer });
    world.picks(2, ann);
    world.eject('a');
    expect(world.state('a')).toBe('out');
    world.picks(2, ann);
    expect([seen.size, versions.size]).toEqual([1, 1]);
    world.eject('c', ann);
    world.picks(2, ann);
    expect([seen.size, versions.size]).toEqual([2, 2]);
  });

  it('of fetch leave out who does not speak http', () => {
    const fleet = { ...FLEET, g: { version: '2', protocol: 'grpc' } };
    const world = routedWorld({ fleet, route: ROUTE });
    expect(new Set(world.picks(9, ann))).toEqual(new Set(['c', 'd']));
    expect(new Set(world.picks(9, { ...ann, work: true }))).toEqual(new Set(['c', 'd', 'g']));
  });

  it('cost nothing where calls may go anywhere: the router is not asked', () => {
    const world = routedWorld({ fleet: FLEET });
    world.pool.reroute({
      idle: true,
      choose: () => expect.unreachable(),
      offersMore: () => expect.unreachable(),
      explain: () => expect.unreachable(),
    });
    const call = world.call();
    world.pool.acquire(call);
    expect([world.pool.offersMore(call), call.route, world.pool.describeRoutes(0)]).toEqual([true, undefined, []]);
  });

  it('are left as they were for calls that were routed before the rules changed', () => {
    const world = routedWorld({ fleet: FLEET, route: { ...ROUTE, fallback: 'strict' } });
    const call = world.call(ann);
    expect(['c', 'd']).toContain(world.pool.acquire(call).endpoint.instance.id);
    world.pool.reroute(new RuleRouter(false, world.runtime));
    const again = Array.from({ length: 4 }, () => world.pool.acquire(call).endpoint.instance.id);
    expect(new Set(again)).toEqual(new Set(['c', 'd']));
    expect(new Set(world.picks(8, ann))).toEqual(new Set(['a', 'b', 'c', 'd']));
  });
});

describe('explain', () => {
  it('tells who could be picked, who not and why, and what decided', () => {
    const fleet = {
      ...FLEET,
      e: { version: '2', weight: 0 },
      f: { version: '2', protocol: 'grpc' },
      g: { version: '2' },
      h: { version: '2' },
    };
    const route = { rules: [{ ...ROUTE.rules[0]!, name: 'canary' }] };
    const world = routedWorld({ fleet, route });
    world.eject('d', ann);
    const call = world.call(ann);
    const tried = world.pool.acquire(call);
    tried.settle(SUCCESS, 20);
    const chosen = world.pool.acquire(call);
    const { out, ...rest } = world.pool.explain(call);
    expect(rest).toMatchObject({
      route: { rule: 'canary', wanted: 'version="2"', served: 'version="2"', rung: 0, zone: null },
      known: 8,
      members: 4,
      eligible: 3,
      panic: false,
      chosen: { id: chosen.endpoint.instance.id, inFlight: 1, weight: 1 },
    });
    const reasons = Object.fromEntries(out.map(({ id, reason }) => [id, reason]));
    expect(reasons).toEqual({
      a: 'not part of the route',
      b: 'not part of the route',
      d: '5 failures in a row',
      e: 'weight 0',
      f: 'speaks grpc',
      [tried.endpoint.instance.id]: 'tried by this call',
    });
    expect(out.find(({ id }) => id === 'd')!.availableInMs).toBeGreaterThan(3_000);
    expect(JSON.parse(JSON.stringify(rest))).toEqual(rest);
  });

  it('tells how it stood when the newest attempt was sent', () => {
    const world = routedWorld({ fleet: { ...FLEET, d: FLEET.a }, route: ROUTE });
    const call = world.call(ann);
    for (const [rung, served] of [
      [0, 'version="2"'],
      [1, 'any'],
    ] as const) {
      world.pool.acquire(call);
      expect(world.pool.explain(call).route).toMatchObject({ rung, served });
    }
    expect(call.tried).toHaveLength(2);
  });

  it('tells of calls without a route, before the first attempt, and of a subset', () => {
    const world = routedWorld({ fleet: FLEET, subset: { size: 2, key: 'me' } });
    const { route, members, chosen, out } = world.pool.explain(world.call());
    expect([route, members, chosen]).toEqual([null, 2, null]);
    expect(out.map(({ reason }) => reason)).toEqual(Array(2).fill("outside this client's subset"));
  });
});
