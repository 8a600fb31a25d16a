import { describe, expect, it } from 'vitest';
import { consistentHash, leastConnections, smoothWeighted } from 'fairlead';
import { load, makeWorld, type World } from '../../scenarios/support.js';

const inFlightOf = ({ client }: World) => client.snapshot().instances.map(({ inFlight }) => inFlight);

describe('leastConnections() in a client', () => {
  it('sends the next call to whoever is free, and is released however calls end', async () => {
    const world = await makeWorld({ count: 3, balancer: leastConnections(), retry: false, attemptTimeoutMs: 500 });
    const { client, runtime, servers } = world;
    const [a, b, c] = servers as [(typeof servers)[0], (typeof servers)[0], (typeof servers)[0]];
    a.mode = 'hangs';
    b.mode = 'resets';
    c.mode = 'refuses';
    const aborted = new AbortController();
    const calls = Array.from({ length: 9 }, (_, call) =>
      client.fetch('/', call % 2 ? { signal: aborted.signal } : {}).catch(() => undefined),
    );
    await runtime.advance(10);
    aborted.abort();
    await runtime.advance(1_000);
    await Promise.all(calls);
    expect(inFlightOf(world)).toEqual([0, 0, 0]);
    await client.close();
  });

  it('keeps a slow instance from collecting calls', async () => {
    const world = await makeWorld({ count: 3, balancer: leastConnections() });
    world.servers[0]!.latencyMs = 1_000;
    await load(world, { forMs: 10_000, workers: 12 });
    const [slow, ...fast] = world.servers.map(({ arrived }) => arrived);
    // 4 calls at a time on each: 20 times as slow, so a 20th of the calls.
    expect(slow).toBeLessThan(Math.min(...fast) / 10);
    expect(inFlightOf(world)).toEqual([0, 0, 0]);
    await world.client.close();
  });
});

describe('consistentHash() in a client', () => {
  const whereIs = async ({ client, runtime, servers }: World, keys: readonly string[]): Promise<string[]> => {
    const homes: string[] = [];
    for (const hashKey of keys) {
      const before = servers.map(({ processed }) => processed.length);
      const pending = client.fetch('/users', { fairlead: { hashKey } });
      await runtime.advance(200);
      await pending;
      homes.push(servers.find(({ processed }, index) => processed.length > before[index]!)!.id);
    }
    return homes;
  };

  it('keeps keys at home, moves those of an ejected instance only, and brings them back', async () => {
    const world = await makeWorld({ count: 5, balancer: consistentHash(), slowStartMs: 0 });
    const keys = Array.from({ length: 60 }, (_, index) => `user-${index}`);
    const homes = await whereIs(world, keys);
    const ill = world.servers.find(({ id }) => id === homes[0])!;
    ill.mode = 'refuses';
    const meanwhile = await whereIs(world, keys);
    keys.forEach((key, index) => {
      if (homes[index] === ill.id) expect(meanwhile[index], key).not.toBe(ill.id);
      else expect(meanwhile[index], key).toBe(homes[index]);
    });
    ill.mode = 'ok';
    await world.runtime.advance(20_000);
    // Probes come first: any calls that can be retried.
    await whereIs(world, ['x', 'y', 'z']);
    expect(await whereIs(world, keys)).toEqual(homes);
    await world.client.close();
  });

  it('takes the key from the request', async () => {
    const world = await makeWorld({ count: 10, balancer: consistentHash({ key: { path: 1 } }) });
    for (let call = 0; call < 20; call += 1) {
      const pending = world.client.fetch(`/users/42?page=${call}`);
      await world.runtime.advance(60);
      await pending;
    }
    expect(world.servers.filter(({ arrived }) => arrived > 0)).toHaveLength(1);
    await world.client.close();
  });
});

describe('smoothWeighted() in a client', () => {
  it('follows weights that the registry changes', async () => {
    const world = await makeWorld({ count: 3, balancer: smoothWeighted(), slowStartMs: 0 });
    await load(world, { forMs: 3_000, workers: 3 });
    const before = world.servers.map(({ arrived }) => arrived);
    expect(Math.max(...before) - Math.min(...before)).toBeLessThanOrEqual(1);
    const heavy = await world.registry.register({
      id: 'a',
      service: 'users',
      address: '127.0.0.1',
      port: 1_001,
      weight: 4,
    });
    await world.runtime.advance(10);
    await load(world, { forMs: 3_000, workers: 3 });
    const [a, b, c] = world.servers.map(({ arrived }, index) => arrived - before[index]!);
    expect(a! / (a! + b! + c!)).toBeGreaterThan(0.64);
    expect(a! / (a! + b! + c!)).toBeLessThan(0.69);
    await heavy.deregister();
    await world.client.close();
  });
});
