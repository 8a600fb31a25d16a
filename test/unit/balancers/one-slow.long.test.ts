import { expect, it } from 'vitest';
import { leastConnections, p2c, random, roundRobin, type BalancerFactory } from 'fairlead';
import { load, makeWorld, type Tally } from '../../scenarios/support.js';

const quantile = (tally: Tally, share: number): number => {
  const late = tally.log.flatMap(([startedAt, ms]) => (startedAt >= 2_000 ? [ms] : [])).sort((a, b) => a - b);
  return late[Math.floor(late.length * share)] ?? NaN;
};

const run = async (make: () => BalancerFactory, slowMs: number): Promise<Tally> => {
  const world = await makeWorld({ count: 10, balancer: make(), retry: false });
  // 40–60 ms, so that a quantile says something.
  world.servers.forEach((server, index) => (server.latencyMs = 40 + 2 * index));
  world.servers[0]!.latencyMs = slowMs;
  const tally = await load(world, { forMs: 5_000, workers: 20 });
  await world.client.close();
  return tally;
};

it('10 instances, one of them 20 times slower: p99 with p2c() is at most twice the healthy one after 2 s', async () => {
  const healthy = quantile(await run(p2c, 50), 0.99);
  const rows: Record<string, { p50: number; p99: number; calls: number; timesHealthy: number }> = {};
  for (const [name, make] of Object.entries({ p2c, leastConnections, roundRobin, random })) {
    const tally = await run(make, 1_000);
    const p99 = quantile(tally, 0.99);
    rows[name] = {
      p50: quantile(tally, 0.5),
      p99,
      calls: tally.calls,
      timesHealthy: Number((p99 / healthy).toFixed(1)),
    };
  }
  console.table(rows);
  expect(rows['p2c']!.timesHealthy).toBeLessThanOrEqual(2);
  // What it is for: those that do not measure send every tenth call there.
  expect(rows['roundRobin']!.timesHealthy).toBeGreaterThan(10);
}, 60_000);
