import { describe, expect, it } from 'vitest';
import {
  consistentHash,
  leastConnections,
  memoryRegistry,
  p2c,
  random,
  roundRobin,
  smoothWeighted,
  type BalancerFactory,
} from 'fairlead';
import { makeWorld, type FakeServer, type World } from './support.js';

const hashing = (algorithm: 'ring' | 'maglev') => (): BalancerFactory => {
  let calls = 0;
  return consistentHash({ algorithm, key: () => `key ${(calls += 1)}` });
};
const BALANCERS: readonly [name: string, make: () => BalancerFactory][] = [
  ['p2c()', p2c],
  ['roundRobin()', roundRobin],
  ['smoothWeighted()', smoothWeighted],
  ['leastConnections()', leastConnections],
  ['random()', random],
  ['consistentHash(), ring', hashing('ring')],
  ['consistentHash(), maglev', hashing('maglev')],
];

const EVERY_MS = 20;
const service = 'users';
const listed = (ids: string) =>
  [...ids].map((id, index) => ({ id, service, address: '127.0.0.1', port: 1_001 + index }));

/** A call every 20 ms for so long; returns what one instance got, by what the others got in the mean. */
const shareOf = async (world: World, one: FakeServer, forMs: number): Promise<number> => {
  world.servers.forEach(server => (server.arrived = 0));
  const calls: Promise<unknown>[] = [];
  for (let at = 0; at < forMs; at += EVERY_MS) {
    calls.push(world.client.fetch('/').then(response => response.text()));
    await world.runtime.advance(EVERY_MS);
  }
  const left = { done: false };
  void Promise.all(calls).then(() => (left.done = true));
  // Some are tried again, after a pause.
  while (!left.done) await world.runtime.advance(EVERY_MS);
  const others = world.servers.filter(server => server !== one);
  return one.arrived / (others.reduce((sum, { arrived }) => sum + arrived, 0) / others.length);
};

describe.each(BALANCERS)('%s', (_name, make) => {
  it('gives an instance that joins a growing share, and all of it after 30 s', async () => {
    const registry = memoryRegistry({ instances: listed('abc') });
    const world = await makeWorld({ count: 4, registry, balancer: make() });
    const newcomer = world.servers[3]!;
    await shareOf(world, newcomer, 1_000);
    await registry.register(listed('abcd')[3]!);
    await world.runtime.advance(1);
    // 10 % … 20 %, 30 % … 60 %, 70 % … 90 %, 100 %.
    const shares: number[] = [];
    for (const forMs of [8_900, 11_900, 8_900, 6_000]) shares.push(await shareOf(world, newcomer, forMs));
    const [early, growing, late, full] = shares as [number, number, number, number];
    expect(early).toBeGreaterThan(0.03);
    expect(early).toBeLessThan(0.4);
    expect(growing).toBeGreaterThan(0.2);
    expect(growing).toBeLessThan(0.8);
    expect(late).toBeGreaterThan(growing);
    expect(full).toBeGreaterThan(0.7);
    expect(full).toBeLessThan(1.5);
    await world.client.close();
  });

  it('gives one that returns its share back within the time it was out', async () => {
    const world = await makeWorld({ count: 4, balancer: make() });
    const ill = world.servers[0]!;
    const at = { down: NaN, up: NaN };
    world.client.on('instance.down', () => (at.down = world.runtime.now()));
    world.client.on('instance.up', () => (at.up = world.runtime.now()));
    await shareOf(world, ill, 1_000);
    ill.mode = 503;
    while (Number.isNaN(at.down) && world.runtime.now() < 10_000) await shareOf(world, ill, 100);
    expect(at.down).toBeGreaterThan(0);
    ill.mode = 'ok';
    while (Number.isNaN(at.up)) await shareOf(world, ill, 100);
    const outMs = at.up - at.down;
    const warming = await shareOf(world, ill, outMs * 0.4);
    await world.runtime.advance(outMs * 0.6);
    const warm = await shareOf(world, ill, 5_000);
    expect(warming).toBeLessThan(0.6);
    expect(warming).toBeGreaterThan(0);
    expect(warm).toBeGreaterThan(0.7);
    await world.client.close();
  });
});

it('the first set is not new: it is what was there before us', async () => {
  const world = await makeWorld({ count: 3 });
  expect(world.client.snapshot().instances.map(({ effectiveWeight }) => effectiveWeight)).toEqual([1, 1, 1]);
  await world.client.close();
});

it('slowStartMs: 0 gives everybody everything at once', async () => {
  const registry = memoryRegistry({ instances: listed('ab') });
  const world = await makeWorld({ count: 3, registry, slowStartMs: 0, balancer: roundRobin() });
  await registry.register(listed('abc')[2]!);
  await world.runtime.advance(1);
  expect(await shareOf(world, world.servers[2]!, 3_600)).toBeCloseTo(1, 1);
  await world.client.close();
});

it('a new process in an old place warms up, and does not answer for the old one', async () => {
  const registry = memoryRegistry({ instances: listed('ab').map(input => ({ ...input, incarnation: 'old' })) });
  const world = await makeWorld({ count: 2, registry, balancer: roundRobin() });
  const [first] = world.servers;
  first!.mode = 'hangs';
  const pending = Array.from({ length: 12 }, () => world.client.fetch('/').catch(() => undefined));
  await world.runtime.advance(100);
  await registry.register(listed('a')[0]!);
  first!.mode = 'ok';
  await world.runtime.advance(20_000);
  await Promise.all(pending);
  const [a] = world.client.snapshot().instances;
  expect(a).toMatchObject({ state: 'serving', successRatio: 1 });
  expect(a!.effectiveWeight).toBeLessThan(1);
  await world.client.close();
});
