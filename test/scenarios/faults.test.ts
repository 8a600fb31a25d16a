import { describe, expect, it } from 'vitest';
import { p2c, roundRobin } from 'fairlead';
import { failedBetween, load, makeWorld, type Mode } from './support.js';

const BALANCERS = { p2c, roundRobin };
const FAULTS: readonly Mode[] = ['refuses', 'resets', 'hangs', 503, 'asks for 60 s'];

describe.each(['p2c', 'roundRobin'] as const)('one of three instances, with %s()', name => {
  it.each(FAULTS)('%s: no GET fails once 10 s have passed, and few before', async mode => {
    const world = await makeWorld({ balancer: BALANCERS[name]() });
    await load(world, { forMs: 1_000, workers: 10 });
    world.servers[0]!.mode = mode;
    const from = world.runtime.now();
    const tally = await load(world, { forMs: 20_000, workers: 4 });
    expect(failedBetween(tally, from, from + 10_000)).toBeLessThan(0.005 * tally.calls);
    expect(failedBetween(tally, from + 10_000, Infinity)).toBe(0);
  });

  it('after a second it gets single probes only, and is used again within 10 s of its return', async () => {
    const world = await makeWorld({ balancer: BALANCERS[name]() });
    const [sick] = world.servers;
    sick!.mode = 'refuses';
    await load(world, { forMs: 1_000 });
    sick!.arrivals = [];
    await load(world, { forMs: 60_000, workers: 2 });
    const gaps = sick!.arrivals.slice(1).map(([at], index) => at - sick!.arrivals[index]![0]);
    expect(Math.min(...gaps)).toBeGreaterThan(3_000);
    sick!.mode = 'ok';
    sick!.processed = [];
    await load(world, { forMs: 10_000, workers: 2 });
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
