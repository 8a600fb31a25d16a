import { describe, expect, it } from 'vitest';
import { FleetSubset } from '../../../src/pool/fleet-subset.js';
import { seededRandom } from '../../../src/testing/test-runtime.js';
import { routedWorld } from '../routing/support.js';
import { makeInstance } from './support.js';

const SEED = 7_041;
interface Member {
  readonly instance: ReturnType<typeof makeInstance>;
  availableAt: number;
}
const member = (name: number): Member => ({
  instance: makeInstance({ id: `i${name}`, address: `10.0.${name >> 8}.${name & 255}`, port: 8_080 }),
  availableAt: 0,
});
const fleet = (size: number): Member[] => Array.from({ length: size }, (_, name) => member(name));
const subsetOf = (client: FleetSubset, members: readonly Member[]): ReadonlySet<Member> =>
  new Set(client.take(client.inOrder(members)));
const lost = (before: ReadonlySet<Member>, after: ReadonlySet<Member>): Member[] =>
  [...before].filter(one => !after.has(one));

describe('the subset of a large fleet', () => {
  it('is everybody while the fleet is not larger', () => {
    expect(subsetOf(new FleetSubset(100, 'me'), fleet(100)).size).toBe(100);
    expect(subsetOf(new FleetSubset(100, 'me'), fleet(101)).size).toBe(100);
  });

  it('is the same for the same key, whatever the order in which instances came', () => {
    const members = fleet(500);
    const one = subsetOf(new FleetSubset(20, 'pod-7'), members);
    expect(lost(one, subsetOf(new FleetSubset(20, 'pod-7'), [...members].reverse()))).toEqual([]);
    expect(lost(one, subsetOf(new FleetSubset(20, 'pod-8'), members)).length).toBeGreaterThan(10);
  });

  it(`changes by one at most when one joins or leaves (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let run = 0; run < 20; run += 1) {
      const size = 2 + Math.floor(random() * 50);
      const client = new FleetSubset(size, `client ${random()}`);
      let members = fleet(size + Math.floor(random() * 300));
      let before = subsetOf(client, members);
      for (let change = 0; change < 40; change += 1) {
        const joins = random() < 0.5;
        const who = Math.floor(random() * members.length);
        members = joins ? [...members, member(1_000 + change)] : members.filter((_, at) => at !== who);
        const after = subsetOf(client, members);
        expect(lost(before, after).length).toBeLessThanOrEqual(1);
        expect(lost(after, before).length).toBeLessThanOrEqual(1);
        before = after;
      }
    }
  });

  it('of many clients covers the fleet evenly', () => {
    const members = fleet(300);
    const counts = new Map(members.map(one => [one, 0]));
    for (let client = 0; client < 600; client += 1)
      for (const one of subsetOf(new FleetSubset(20, `client ${client}`), members))
        counts.set(one, counts.get(one)! + 1);
    // 600 clients × 20 of 300 = 40 each; drawn at random, with a standard deviation of 6.1.
    const all = [...counts.values()];
    expect(Math.min(...all)).toBeGreaterThan(40 - 5 * 6.1);
    expect(Math.max(...all)).toBeLessThan(40 + 5 * 6.1);
    const deviation = Math.sqrt(all.reduce((sum, count) => sum + (count - 40) ** 2, 0) / all.length);
    expect(deviation).toBeGreaterThan(5);
    expect(deviation).toBeLessThan(7.2);
  });

  it('of two clients has no more in common than chance gives', () => {
    const members = fleet(300);
    let common = 0;
    for (let pair = 0; pair < 200; pair += 1) {
      const other = subsetOf(new FleetSubset(30, `b${pair}`), members);
      common += [...subsetOf(new FleetSubset(30, `a${pair}`), members)].filter(one => other.has(one)).length;
    }
    // Hypergeometric: 3 each, variance 2.43.
    expect(Math.abs(common - 600)).toBeLessThan(5 * Math.sqrt(200 * 2.44));
  });

  it.each([
    [0, 20],
    [1, 20],
    [5, 20],
    // 14 × 1.4 < 20: the others could not carry the load any more.
    [6, 21],
    [10, 25],
    [100, 40],
  ])('with %i of the first out has %i members', (out, expected) => {
    const client = new FleetSubset(20, 'me');
    const ordered = client.inOrder(fleet(200));
    for (const one of ordered.slice(0, out)) one.availableAt = 5_000;
    expect(client.take(ordered)).toEqual(ordered.slice(0, expected));
  });
});

describe('a pool with a subset', () => {
  const large = (size: number) =>
    Object.fromEntries(Array.from({ length: size }, (_, name) => [`i${name}`, { version: name % 50 ? '1' : '2' }]));
  const subset = { size: 10, key: 'me' };

  it('uses so many and no others', () => {
    const world = routedWorld({ fleet: large(200), subset });
    expect(new Set(world.picks(400)).size).toBe(10);
    expect([...world.pool.endpoints].filter(endpoint => world.pool.uses(endpoint)).length).toBe(10);
  });

  it('uses as many of each part that a route names, were it outside of what the others use', () => {
    const route = { rules: [{ match: { keys: ['ann'] }, to: { version: '2' } }] };
    const world = routedWorld({ fleet: large(200), subset, route });
    expect(new Set(world.picks(40, { user: 'ann' }))).toEqual(new Set(['i0', 'i50', 'i100', 'i150']));
    const used = [...world.pool.endpoints].filter(endpoint => world.pool.uses(endpoint));
    expect(used.map(({ instance: { id } }) => id)).toEqual(expect.arrayContaining(['i0', 'i50', 'i100', 'i150']));
    expect(new Set(world.picks(400)).size).toBe(10);
  });

  it('replaces the ill before the panic rule has to', () => {
    const world = routedWorld({ fleet: large(200), subset });
    const first = [...new Set(world.picks(100))];
    for (const id of first.slice(0, 5)) world.eject(id);
    const now = new Set(world.picks(400));
    // Five of ten: 5 × 1.4 < 10, so that three more stand in: 8 × 1.4 >= 10.
    expect(now.size).toBe(8);
    expect(first.slice(5).every(id => now.has(id))).toBe(true);
    expect(world.pool.panic).toBe(false);
  });

  it('keeps members that are out: they are probed, come back, and those who stood in go', async () => {
    const world = routedWorld({ fleet: large(200), subset });
    const first = [...new Set(world.picks(100))].sort();
    for (const id of first.slice(0, 5)) world.eject(id);
    await world.runtime.advance(10_000);
    for (let turn = 0; turn < 40; turn += 1)
      world.pool.acquire(world.call()).settle({ outcome: 'success', retryable: false }, world.runtime.now());
    expect([...new Set(world.picks(400))].sort()).toEqual(first);
  });
});
