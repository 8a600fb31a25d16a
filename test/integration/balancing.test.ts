/**
 * Balancing on real processes: who is slow, failing or only unread gets what it deserves. Shares and states are asserted;
 * times on the wall are printed, for they belong to the machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createServiceClient,
  leastConnections,
  memoryRegistry,
  p2c,
  roundRobin,
  type ServiceClientOptions,
} from 'fairlead';
import { startFleet, type Fleet, type Instance } from './support/instance.js';
import { Load, wallNow } from './support/load.js';

const SERVICE = 'users';
const SIZE = 10;
const WARM_MS = 2_000;
let fleet: Fleet;
let odd: Instance;

beforeAll(async () => {
  fleet = await startFleet({ latencyMs: 25 });
  for (let index = 3; index < SIZE; index += 1) await fleet.add(`i${index}`);
  [odd] = fleet.instances;
});
afterAll(() => fleet.stop());

const connect = (own: Partial<ServiceClientOptions>) =>
  createServiceClient({ service: SERVICE, registry: memoryRegistry({ instances: fleet.listed(SERVICE) }), ...own });

/** Under load for some seconds: latencies after 2 s, and which share of the calls one instance got. */
const measure = async (own: Partial<ServiceClientOptions>) => {
  const arrived = async (from: number): Promise<{ odd: number; all: number }> => {
    const since = (await fleet.journals()).filter(({ what, at }) => what === 'arrived' && at >= from);
    const ofOdd = (await odd.journal()).filter(({ what, at }) => what === 'arrived' && at >= from);
    return { odd: ofOdd.length, all: since.length };
  };
  await using client = connect(own);
  const load = new Load(client, { workers: 20 });
  await sleep(WARM_MS);
  const from = wallNow();
  await sleep(4_000);
  await load.stop();
  const calls = load.between(from);
  const counts = await arrived(from);
  return {
    p50: Math.round(calls.quantileMs(0.5)),
    p99: Math.round(calls.quantileMs(0.99)),
    calls: calls.count,
    share: Math.round((counts.odd / counts.all) * 1_000) / 1_000,
  };
};

it('10 instances, one of them 20 times slower: p2c() leaves it almost alone', async () => {
  const healthy = await measure({ balancer: p2c() });
  await odd.become('slow');
  const rows = {
    'p2c(), all healthy': healthy,
    'p2c()': await measure({ balancer: p2c() }),
    'leastConnections()': await measure({ balancer: leastConnections() }),
    'roundRobin()': await measure({ balancer: roundRobin() }),
  };
  await odd.become('ok');
  console.table(rows);
  expect(rows['roundRobin()'].share).toBeGreaterThan(0.05);
  expect(rows['p2c()'].share).toBeLessThan(0.02);
});

it('10 instances, one of them answers 503 at once: it attracts no traffic, ejected or not', async () => {
  await odd.become('fails');
  const rows = {
    'p2c()': await measure({ balancer: p2c() }),
    'p2c(), nobody ejected': await measure({ balancer: p2c(), ejection: false, circuitBreaker: false, retry: false }),
    'leastConnections()': await measure({ balancer: leastConnections() }),
  };
  await odd.become('ok');
  console.table(rows);
  expect(rows['p2c()'].share).toBeLessThan(0.02);
  expect(rows['p2c(), nobody ejected'].share).toBeLessThan(0.1);
  // It knows nothing of failures: ejection keeps it from sending everything there.
  expect(rows['leastConnections()'].share).toBeLessThan(0.02);
});

/** Holds up everything in this process, as a big JSON.parse or a synchronous hash does. */
const block = (ms: number): void => {
  for (const until = performance.now() + ms; performance.now() < until;);
};

it.each([
  ['right after calls began', 0],
  ['while they are in flight', 15],
  ['when their answers may have come', 40],
])('our own event loop stands still for 2 s %s: nobody is failing, slow or out', async (_when, afterMs) => {
  const ejection = { consecutiveFailures: 1, failureRatio: 0.05, minCalls: 1, slowCallMs: 1_000, slowCallRatio: 0.05 };
  await using client = connect({ ejection, attemptTimeoutMs: 1_500, balancer: roundRobin() });
  const down: string[] = [];
  client.on('instance.down', ({ instance, reason }) => down.push(`${instance}: ${reason}`));
  // Connections first: they are slow where the machine is.
  await Promise.all(Array.from({ length: 20 }, () => client.fetch('/work').then(response => response.text())));
  const calls = Array.from({ length: 20 }, () => client.fetch('/work').then(response => response.text()));
  if (afterMs > 0) await sleep(afterMs);
  block(2_000);
  await Promise.all(calls);
  const { instances } = client.snapshot();
  console.log(
    `blocked ${afterMs} ms after the start: latencies ${instances.map(each => Math.round(each.latencyMs)).join(' ')}`,
  );
  expect(down).toEqual([]);
  expect(instances.map(({ state, successRatio }) => `${state} ${successRatio}`)).toEqual(
    Array.from({ length: SIZE }, () => 'serving 1'),
  );
  for (const { latencyMs } of instances) expect(latencyMs).toBeLessThan(2_000);
});
