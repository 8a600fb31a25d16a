import { describe, expect, it } from 'vitest';
import {
  createServiceClient,
  memoryRegistry,
  mergeRegistries,
  preferRegistry,
  type ServiceClientOptions,
} from 'fairlead';
import type { MemoryRegistry, Registry, SnapshotFiles } from 'fairlead';
import { failedBetween, load, makeWorld } from './support.js';

const fleet = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: 'abcdef'[index]!,
    service: 'users',
    address: '127.0.0.1',
    port: 1_001 + index,
  }));

describe('a registry that suddenly answers an empty list', () => {
  it('for 20 s: no call fails, and all instances go on serving', async () => {
    const world = await makeWorld();
    const { registry, runtime, servers, client } = world;
    runtime.after(5_000, () => registry.set('users', []));
    runtime.after(25_000, () => registry.set('users', fleet(3)));
    const tally = await load(world, { forMs: 40_000, workers: 5 });
    expect(tally.failed).toBe(0);
    expect(tally.calls).toBeGreaterThan(3_000);
    for (const server of servers) expect(server.arrived).toBeGreaterThan(tally.calls / 5);
    expect(client.snapshot().instances.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    await client.close();
  });

  it('and means it: after the hold nobody is listed, and calls are refused', async () => {
    const world = await makeWorld();
    const { registry, runtime, client } = world;
    runtime.after(5_000, () => registry.set('users', []));
    const tally = await load(world, { forMs: 40_000, workers: 5 });
    expect(failedBetween(tally, 0, 34_900)).toBe(0);
    expect(failedBetween(tally, 36_000, Infinity)).toBe(tally.log.filter(([at]) => at >= 36_000).length);
    expect(client.instances()).toEqual([]);
    await expect(client.fetch('/users/1')).rejects.toMatchObject({ code: 'NO_INSTANCES' });
    await client.close();
  });
});

describe('a start while the registry is down', () => {
  const down = async (options: Partial<ServiceClientOptions>) => {
    const registry = memoryRegistry({ instances: fleet(3) });
    registry.fail(new Error('connect ECONNREFUSED 127.0.0.1:8500'));
    const world = await makeWorld({ registry, ...options });
    return { ...world, registry };
  };

  it('without a snapshot: the first call fails within 5 s, saying what was tried, and it serves once the registry is up', async () => {
    const world = await down({});
    const { client, runtime, registry } = world;
    const startedAt = runtime.now();
    let failedAt = NaN;
    const failed = client.fetch('/users/1').catch((error: unknown) => {
      failedAt = runtime.now();
      return error;
    });
    await runtime.advance(6_000);
    const message =
      /^users: no instances known after 5000 ms: memory was asked \d+ times, last error: connect ECONNREFUSED 127\.0\.0\.1:8500$/;
    expect(await failed).toMatchObject({ code: 'NO_INSTANCES', message: expect.stringMatching(message) });
    expect(failedAt - startedAt).toBeLessThanOrEqual(5_000);

    registry.recover();
    await runtime.advance(15_000);
    await client.ready();
    expect(await load(world, { forMs: 1_000 })).toMatchObject({ failed: 0 });
    await client.close();
  });

  it('with a snapshot that the process before left: no call fails, then or when the registry is up', async () => {
    const texts = new Map<string, string>();
    const files: SnapshotFiles = {
      read: async path => texts.get(path),
      write: async (path, text) => void texts.set(path, text),
    };
    const snapshotFile = { path: '/data/instances.json', files };
    const before = await makeWorld({ snapshotFile });
    expect(await load(before, { forMs: 1_000 })).toMatchObject({ failed: 0 });
    await before.client.close();

    const world = await down({ snapshotFile });
    world.runtime.after(30_000, () => world.registry.recover());
    const tally = await load(world, { forMs: 60_000, workers: 5 });
    expect(tally.failed).toBe(0);
    expect(tally.calls).toBeGreaterThan(5_000);
    expect(tally.log[0]).toEqual([0, 50, false]);
    expect(world.client.snapshot().discovery).toMatchObject({ known: true, stale: false });
    await world.client.close();
    expect(world.runtime.pendingTimers).toBe(0);
  });
});

describe('a migration from one registry to another under load', () => {
  /** Only the reading half of the contract: what the callers may rely on. */
  const reading = (name: string, memory: MemoryRegistry): Registry => ({
    name,
    watch: (service, context) => memory.watch(service, context),
    discover: (service, context) => memory.discover(service, context),
    close: () => memory.close(),
  });

  it.each<[string, (old: Registry, young: Registry) => Registry]>([
    ['mergeRegistries', (old, young) => mergeRegistries([old, young])],
    ['preferRegistry', (old, young) => preferRegistry(young, old)],
  ])('%s: instances move one by one, the old registry dies, callers move: no call fails', async (_name, join) => {
    const [old, young] = [memoryRegistry(), memoryRegistry()];
    const inputs = fleet(3);
    const registrations = await Promise.all(inputs.map(instance => old.register(instance)));
    const events: string[] = [];
    const world = await makeWorld({
      registry: join(reading('old', old), reading('young', young)),
      onEvent: ({ type }) => void events.push(type),
    });
    const { runtime, client, servers } = world;
    // Each registers with the young one before any leaves the old one.
    inputs.forEach((instance, index) => runtime.after(5_000 * (index + 1), () => void young.register(instance)));
    registrations.forEach((registration, index) => {
      runtime.after(25_000 + 5_000 * index, () => void registration.deregister());
    });
    runtime.after(50_000, () => old.fail(new Error('switched off')));
    const tally = await load(world, { forMs: 70_000, workers: 5 });
    expect(tally.failed).toBe(0);
    expect(client.instances().map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    for (const server of servers) expect(server.arrived).toBeGreaterThan(100);

    // The callers' own move: a new client on the young one alone, while the one before still works.
    const next = createServiceClient({ service: 'users', registry: reading('young', young), runtime });
    const after = await Promise.all([
      load(world, { forMs: 2_000 }),
      load({ ...world, client: next }, { forMs: 2_000 }),
    ]);
    expect(after.map(({ failed }) => failed)).toEqual([0, 0]);
    await client.close();
    expect(await load({ ...world, client: next }, { forMs: 2_000 })).toMatchObject({ failed: 0 });
    await next.close();
    expect([old.watching('users'), young.watching('users'), runtime.pendingTimers]).toEqual([0, 0, 0]);
  });
});
