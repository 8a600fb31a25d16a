import { describe, expect, it } from 'vitest';
import type { InstanceInput } from '../../../src/core/instance.js';
import { routedWorld, slack, tally, type RoutedWorld } from './support.js';

/** `{ eu: 2, us: 4 }`: so many instances in each zone, named eu1, eu2, us1 … */
const fleetOf = (zones: Readonly<Record<string, number>>): Record<string, Partial<InstanceInput>> =>
  Object.fromEntries(
    Object.entries(zones).flatMap(([zone, count]) =>
      Array.from({ length: count }, (_, at) => [`${zone}${at + 1}`, zone === 'none' ? {} : { zone }]),
    ),
  );
const zonesOf = (ids: readonly string[]): Record<string, number> => tally(ids.map(id => id.replace(/\d+$/, '')));
const RUNS = 4_000;

const expectShares = (world: RoutedWorld, shares: Readonly<Record<string, number>>): void => {
  const seen = zonesOf(world.picks(RUNS));
  expect(Object.keys(seen).sort()).toEqual(Object.keys(shares).sort());
  for (const [zone, share] of Object.entries(shares))
    expect(Math.abs(seen[zone]! - RUNS * share), zone).toBeLessThanOrEqual(slack(RUNS, share));
};

describe('a zone preference', () => {
  it.each<[string, Record<string, number>, Record<string, number>]>([
    ['keeps all where the zone is as large as others', { eu: 2, us: 2, ap: 2 }, { eu: 1 }],
    ['keeps all where it is larger', { eu: 4, us: 2 }, { eu: 1 }],
    // A third of the callers on a sixth of the capacity: half stays, the rest goes where there is some to spare.
    ['spills to the zone that has some to spare', { eu: 2, us: 4, ap: 6 }, { eu: 0.5, ap: 0.5 }],
    ['spills to several', { eu: 2, us: 5, ap: 5 }, { eu: 0.5, us: 0.25, ap: 0.25 }],
    ['spills to those without a zone, who have no callers', { eu: 2, us: 5, none: 3 }, { eu: 0.4, none: 0.6 }],
    ['needs six instances', { eu: 2, us: 3 }, { eu: 0.4, us: 0.6 }],
    ['needs two of the own zone', { eu: 1, us: 3, ap: 2 }, { eu: 1 / 6, us: 3 / 6, ap: 2 / 6 }],
    ['needs a zone that exists', { us: 3, ap: 3 }, { us: 0.5, ap: 0.5 }],
  ])('%s', (_name, zones, shares) => {
    expectShares(routedWorld({ fleet: fleetOf(zones), route: { zone: 'eu' } }), shares);
  });

  it('takes numbers of its own, and how many callers the zone has', () => {
    const zone = { own: 'eu', minInstances: 2, minLocal: 1, callersRatio: 0.5 };
    expectShares(routedWorld({ fleet: fleetOf({ eu: 1, us: 3 }), route: { zone } }), { eu: 0.5, us: 0.5 });
  });

  it('follows weights', () => {
    const fleet = { ...fleetOf({ eu: 2, us: 4 }), eu1: { zone: 'eu', weight: 3 } };
    expectShares(routedWorld({ fleet, route: { zone: 'eu' } }), { eu: 1 });
  });

  it('spills as instances of the zone fall ill, and comes back', async () => {
    const world = routedWorld({ fleet: fleetOf({ eu: 4, us: 4 }), route: { zone: 'eu' } });
    world.eject('eu1');
    // 3 of 7 on half of the callers.
    expectShares(world, { eu: 6 / 7, us: 1 / 7 });
    world.eject('eu2');
    expectShares(world, { eu: 2 / 3, us: 1 / 3 });
    world.eject('eu3');
    // One alone is no zone to prefer.
    expectShares(world, { eu: 1 / 5, us: 4 / 5 });
    await world.runtime.advance(60_000);
    for (let turn = 0; turn < 40; turn += 1)
      world.pool.acquire(world.call()).settle({ outcome: 'success', retryable: false }, world.runtime.now());
    expectShares(world, { eu: 1 });
  });

  it('sends a retry within the zone first, then elsewhere', () => {
    const world = routedWorld({ fleet: fleetOf({ eu: 3, us: 3 }), route: { zone: 'eu' } });
    const call = world.call();
    const ids = Array.from({ length: 6 }, () => world.pool.acquire(call).endpoint.instance.id);
    expect(zonesOf(ids.slice(0, 3))).toEqual({ eu: 3 });
    expect(zonesOf(ids.slice(3))).toEqual({ us: 3 });
  });

  it('keeps a user where he is also where calls spill', () => {
    const world = routedWorld({ fleet: fleetOf({ eu: 2, us: 4, ap: 6 }), route: { zone: 'eu' } });
    for (let turn = 0; turn < 20; turn += 1) {
      const seen = zonesOf(world.picks(10, { user: `user ${turn}` }));
      expect(Object.keys(seen)).toHaveLength(1);
    }
  });

  it('applies within what a rule selects, and to nothing that names a zone itself', () => {
    const fleet = {
      ...fleetOf({ eu: 4, us: 4 }),
      ...Object.fromEntries(
        Object.entries(fleetOf({ eu: 3, us: 3 })).map(([id, { zone }]) => [`${id}v`, { zone, version: '2' }]),
      ),
    };
    const route = { zone: 'eu', rules: [{ match: { keys: ['ann'] }, to: { version: '2' } }] };
    const world = routedWorld({ fleet, route });
    expect(new Set(world.picks(30, { user: 'ann' }))).toEqual(new Set(['eu1v', 'eu2v', 'eu3v']));
    const there = world.picks(30, { route: { to: { zone: 'us', version: '2' } } });
    expect(new Set(there)).toEqual(new Set(['us1v', 'us2v', 'us3v']));
  });

  it('tells of itself', () => {
    const world = routedWorld({ fleet: fleetOf({ eu: 2, us: 4, ap: 6 }), route: { zone: 'eu' } });
    expect(world.pool.explain(world.call()).route).toEqual({
      rule: 'none',
      wanted: 'any',
      served: 'any',
      rung: 0,
      zone: { own: 'eu', localRatio: 0.5 },
    });
  });
});
