import { afterEach, describe, expect, it, vi } from 'vitest';
import { consistentHash } from 'fairlead';
import { testCandidates, testEndpoint } from 'fairlead/testing';
import { HashSeats } from '../../../src/balancers/hash-seats.js';
import { Maglev } from '../../../src/balancers/maglev.js';
import { Ring } from '../../../src/balancers/ring.js';
import { RingPoints } from '../../../src/balancers/ring-points.js';
import { load, makeWorld } from '../../scenarios/support.js';
import { build, equals, sequence } from './support.js';

afterEach(() => vi.restoreAllMocks());

describe.each([
  ['ring', Ring],
  ['maglev', Maglev],
] as const)('a client with a %s', (algorithm, Circle) => {
  it('builds nothing anew when an instance is ejected, on trial, back and warming up', async () => {
    const revise = vi.spyOn(Circle.prototype, 'revise');
    const key = (() => {
      let last = 0;
      return () => `key ${(last += 1)}`;
    })();
    const world = await makeWorld({ count: 5, balancer: consistentHash({ algorithm, key }) });
    await load(world, { forMs: 500, workers: 5 });
    expect(revise).toHaveBeenCalledTimes(1);
    const states = new Set<string>();
    world.client.on('instance.down', () => states.add('down'));
    world.client.on('instance.up', () => states.add('up'));
    world.servers[2]!.mode = 'refuses';
    await load(world, { forMs: 3_000, workers: 5 });
    world.servers[2]!.mode = 'ok';
    await load(world, { forMs: 30_000, workers: 5 });
    expect(states).toEqual(new Set(['down', 'up']));
    expect(world.client.snapshot().instances[2]).toMatchObject({ state: 'serving', effectiveWeight: 1 });
    expect(revise).toHaveBeenCalledTimes(1);
    await world.client.close();
  });
});

describe('the ring', () => {
  it('takes in who joins, and lets go who leaves, without touching the rest', () => {
    const seats = new HashSeats();
    const ring = new Ring(seats, 160);
    const members = equals(100);
    ring.revise(seats.revise(members));
    const table = ring.owners;
    const before = table.slice();
    const clear = vi.spyOn(RingPoints.prototype, 'clear');
    const insert = vi.spyOn(RingPoints.prototype, 'insert');
    const newcomer = testEndpoint('new');
    ring.revise(seats.revise([...members, newcomer]));
    expect(insert.mock.calls.map(([joined]) => joined.map(({ endpoint }) => endpoint))).toEqual([[newcomer]]);
    ring.revise(seats.revise(members));
    expect(clear).not.toHaveBeenCalled();
    // The same table, written to where it had to be.
    expect(ring.owners).toBe(table);
    expect(ring.owners).toEqual(before);
  });

  it('is built anew only where nearly everything changes', () => {
    const seats = new HashSeats();
    const ring = new Ring(seats, 160);
    ring.revise(seats.revise(equals(10)));
    const clear = vi.spyOn(RingPoints.prototype, 'clear');
    ring.revise(seats.revise(equals(10).map((_, index) => testEndpoint(`other ${index}`))));
    expect(clear).toHaveBeenCalledTimes(1);
  });
});

it('a warming instance changes weights, and no table', () => {
  const revise = vi.spyOn(Ring.prototype, 'revise');
  const members = equals(4);
  const balancer = build(consistentHash({ key: () => 'a' }));
  for (let step = 1; step <= 10; step += 1) {
    members[1]!.weight = step / 10;
    sequence(balancer, testCandidates([...members], { version: step }), 5);
  }
  expect(revise).toHaveBeenCalledTimes(1);
});
