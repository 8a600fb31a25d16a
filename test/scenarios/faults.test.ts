import { describe, expect, it } from 'vitest';
import { p2c, roundRobin } from 'fairlead';
import { failedBetween, load, makeWorld, offer, type Mode } from './support.js';

const BALANCERS = { p2c, roundRobin };
const FAULTS: readonly Mode[] = ['refuses', 'resets', 'hangs', 503, 'asks for 60 s'];

describe.each(['p2c', 'roundRobin'] as const)('one of three instances, with %s()', name => {
  it.each(FAULTS)('%s: no GET fails once 10 s have passed, and few before', async mode => {
    const world = await makeWorld({ balancer: BALANCERS[name]() });
    await load(world, { forMs: 1_000, workers: 10 });
    world.servers[0]!.mode = mode;
    const from = world.runtime.now();
    const tally = await load(world, { forMs: 20_000, workers: 10 });
    expect(failedBetween(tally, from, from + 10_000)).toBeLessThan(0.005 * tally.calls);
    expect(failedBetween(tally, from + 10_000, Infinity)).toBe(0);
  });

  it('after a second it gets single probes only, and is used again within 10 s of its return', async () => {
    const world = await makeWorld({ balancer: BALANCERS[name]() });
    const [sick] = world.servers;
    sick!.mode = 'refuses';
    await load(world, { forMs: 1_000 });
    sick!.arrivals = [];
    await load(world, { forMs: 60_000, workers: 4 });
    const gaps = sick!.arrivals.slice(1).map(([at], index) => at - sick!.arrivals[index]![0]);
    expect(Math.min(...gaps)).toBeGreaterThan(3_000);
    sick!.mode = 'ok';
    sick!.processed = [];
    await load(world, { forMs: 10_000, workers: 4 });
    expect(sick!.processed.length).toBeGreaterThan(2);
  });
});

it.each(['p2c', 'roundRobin'] as const)('two of three answering 503, with %s(): hardly a call fails', async name => {
  const world = await makeWorld({ balancer: BALANCERS[name]() });
  world.servers[0]!.mode = 503;
  world.servers[1]!.mode = 503;
  const tally = await load(world, { forMs: 10_000, workers: 10 });
  expect(tally.failed).toBeLessThan(0.005 * tally.calls);
});

it('a cold burst of 100 calls with one of three refusing: none fails', async () => {
  const world = await makeWorld();
  world.servers[1]!.mode = 'refuses';
  const tally = await load(world, { forMs: 1, workers: 100 });
  expect(tally).toMatchObject({ calls: 100, failed: 0 });
});

describe('the whole service down for 60 s', () => {
  const attempts = (servers: readonly { arrived: number }[]): number =>
    servers.reduce((sum, { arrived }) => sum + arrived, 0);

  it.each([100, 10])(
    'at %i calls/s: attempts stay within the budget, and it is well within 10 s of its return',
    async perSecond => {
      const world = await makeWorld({ deadlineMs: 1_000 });
      await offer(world, { perSecond, forMs: 10_000 });
      for (const server of world.servers) Object.assign(server, { mode: 503, arrived: 0 });
      const down = await offer(world, { perSecond, forMs: 60_000 });
      const most = perSecond >= 100 ? 1.2 * down.calls : 1.2 * down.calls + 10 * (60 + 10);
      expect(down.failed).toBe(down.calls);
      expect(attempts(world.servers)).toBeLessThanOrEqual(most);
      for (const server of world.servers) server.mode = 'ok';
      const from = world.runtime.now();
      const after = await offer(world, { perSecond, forMs: 15_000 });
      expect(failedBetween(after, from + 10_000, Infinity)).toBe(0);
    },
  );
});

it('one instance that fails fast does not attract traffic', async () => {
  const world = await makeWorld({ ejection: false, retry: false });
  world.servers[0]!.mode = 500;
  world.servers[0]!.latencyMs = 1;
  await load(world, { forMs: 2_000 });
  world.servers.forEach(server => (server.arrived = 0));
  await load(world, { forMs: 5_000 });
  const [sick, ...healthy] = world.servers.map(({ arrived }) => arrived);
  expect(sick).toBeLessThan(Math.min(...healthy));
});

it('one of ten instances 20 × slower is left almost alone by p2c', async () => {
  const world = await makeWorld({ count: 10 });
  world.servers[0]!.latencyMs = 1_000;
  const tally = await load(world, { forMs: 10_000 });
  const late = tally.log.filter(([startedAt]) => startedAt > 2_000).map(([, ms]) => ms);
  const p99 = late.sort((a, b) => a - b)[Math.floor(late.length * 0.99)]!;
  expect(p99).toBeLessThanOrEqual(100);
});

it('five calls whose deadline is too short for anybody eject nobody', async () => {
  const world = await makeWorld();
  await load(world, { forMs: 1_000 });
  for (let call = 0; call < 5; call += 1) {
    const cut = expect(world.client.fetch('/', { fairlead: { deadlineMs: 20 } })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    await world.runtime.advance(100);
    await cut;
  }
  expect(world.client.snapshot().instances.map(({ state }) => state)).toEqual(['serving', 'serving', 'serving']);
});
