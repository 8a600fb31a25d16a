import { describe, expect, it } from 'vitest';
import type { BalancerFactory } from '../../../src/core/balancer.js';
import { consistentHash } from '../../../src/balancers/consistent-hash.js';
import { leastConnections } from '../../../src/balancers/least-connections.js';
import { roundRobin } from '../../../src/balancers/round-robin.js';
import type { LookupOptions } from '../../../src/discovery/discovery-client.js';
import { input, inputs, onMemory } from './scripted-registry.js';

const withFleet = (ids: string, given = {}) => {
  const made = onMemory(given);
  made.registry.set('orders', inputs(ids));
  const idOf = async (options?: LookupOptions) => (await made.discovery.getInstance('orders', options)).id;
  const idsOf = async (count: number, options?: LookupOptions) => {
    const ids: string[] = [];
    for (let turn = 0; turn < count; turn += 1) ids.push(await idOf(options));
    return ids;
  };
  return { ...made, idOf, idsOf };
};

describe('DiscoveryClient.getInstance', () => {
  it('gives each in turn, and goes on so when somebody comes', async () => {
    const { discovery, registry, runtime, idsOf } = withFleet('a b c');
    const first = await idsOf(3);
    expect([...first].sort()).toEqual(['a', 'b', 'c']);
    expect(await idsOf(6)).toEqual([...first, ...first]);
    registry.set('orders', inputs('a b c d'));
    await runtime.settle();
    expect((await idsOf(8)).sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']);
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('minds weights, and gives nobody of weight 0', async () => {
    const { discovery, registry, idsOf } = withFleet('');
    registry.set('orders', [input('a', { weight: 3 }), input('b'), input('c', { weight: 0 })]);
    const ids = await idsOf(400);
    expect(ids.filter(id => id === 'a')).toHaveLength(300);
    expect(ids.filter(id => id === 'b')).toHaveLength(100);
    await discovery.close();
  });

  it('keeps the turns of a balancer that was given, apart from those of others', async () => {
    const { discovery, idsOf } = withFleet('a b c');
    const [one, other] = [roundRobin(), roundRobin()];
    const ofOne: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      ofOne.push(...(await idsOf(1, { balancer: one })));
      await idsOf(2, { balancer: other });
    }
    expect(ofOne.sort()).toEqual(['a', 'b', 'c']);
    await discovery.close();
  });

  it('hands the key to a hashing balancer', async () => {
    const { discovery, idOf, idsOf } = withFleet('a b c d e f');
    const balancer = consistentHash();
    const keys = Array.from({ length: 40 }, (_, key) => `user-${key}`);
    const homes = new Map<string, string>();
    for (const hashKey of keys) homes.set(hashKey, await idOf({ balancer, hashKey }));
    expect(new Set(homes.values()).size).toBeGreaterThan(3);
    for (const hashKey of keys)
      expect(await idsOf(3, { balancer, hashKey })).toEqual(Array(3).fill(homes.get(hashKey)));
    await discovery.close();
  });

  it.each<[string, string, string]>([
    ['', '', 'orders: no instances, the registry lists none'],
    ['a', 'weightless', 'orders: no instances, all 1 have weight 0 or speak another protocol'],
  ])('says why there is nobody: %j %s', async (ids, how, message) => {
    const { discovery, registry, idOf } = withFleet(ids);
    if (how !== '') registry.set('orders', [input('a', { weight: 0 })]);
    await expect(idOf()).rejects.toMatchObject({ code: 'NO_INSTANCES', message });
    await discovery.close();
  });

  it('waits for a first set no longer than firstTimeoutMs, nor than the signal', async () => {
    const { discovery, registry, runtime } = withFleet('a');
    registry.fail(new Error('down'));
    const failed = discovery.getInstance('orders').catch((error: unknown) => error);
    const controller = new AbortController();
    const aborted = discovery.getInstance('orders', { signal: controller.signal }).catch((error: unknown) => error);
    controller.abort('mine');
    expect(await aborted).toBe('mine');
    await runtime.advance(5_000);
    expect(await failed).toMatchObject({ code: 'NO_INSTANCES' });
    await discovery.close();
    await expect(discovery.getInstance('orders')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  it('keeps one watch for all lookups, for ttlMs after the last', async () => {
    const { discovery, registry, runtime, idsOf } = withFleet('a b', { ttlMs: 10_000 });
    await idsOf(100);
    expect(registry.watching('orders')).toBe(1);
    await runtime.advance(9_000);
    await idsOf(1);
    await runtime.advance(9_000);
    expect(registry.watching('orders')).toBe(1);
    await runtime.advance(2_000);
    expect(registry.watching('orders')).toBe(0);
    await discovery.close();
  });

  it.each<[unknown, string]>([
    [{ balancer: 'p2c' }, 'options.balancer: expected a function, got "p2c"'],
    [{ hashKey: 5 }, 'options.hashKey: expected a string, got 5'],
    [{ balncer: roundRobin() }, 'options.balncer: no such option; there are balancer, hashKey, signal'],
  ])('refuses %o', async (options, message) => {
    const { discovery } = withFleet('a');
    await expect(discovery.getInstance('orders', options as LookupOptions)).rejects.toThrow(message);
    await expect(discovery.call('orders', () => 1, options as LookupOptions)).rejects.toThrow(message);
    await discovery.close();
  });
});

describe('DiscoveryClient.call', () => {
  it('runs the function once with an instance, and gives back what it gives or throws', async () => {
    const { discovery } = withFleet('a b');
    let runs = 0;
    await expect(discovery.call('orders', ({ address, port }) => `${address}:${port}`)).resolves.toMatch(/^[ab]:80$/);
    const error = new Error('mine');
    const fails = async (): Promise<never> => {
      runs += 1;
      throw error;
    };
    await expect(discovery.call('orders', fails)).rejects.toBe(error);
    const throws = (): never => {
      throw error;
    };
    await expect(discovery.call('orders', throws)).rejects.toBe(error);
    expect(runs).toBe(1);
    await expect(discovery.call('orders', undefined as never)).rejects.toThrow(
      'fn: expected a function of an instance',
    );
    await discovery.close();
  });

  it('tells the balancer who is busy, and for how long', async () => {
    const { discovery, runtime } = withFleet('a b c');
    const balancer = leastConnections();
    const busy: string[] = [];
    const hold = () => discovery.call('orders', ({ id }) => (busy.push(id), runtime.sleep(1_000)), { balancer });
    const held = [hold(), hold(), hold()];
    await runtime.settle();
    expect([...busy].sort()).toEqual(['a', 'b', 'c']);
    await runtime.advance(1_000);
    await Promise.all(held);
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('settles once for each start, whatever the function does', async () => {
    const { discovery } = withFleet('a');
    const told: string[] = [];
    const balancer: BalancerFactory = () => ({
      pick: ({ eligible }) => eligible[0]!,
      started: () => void told.push('started'),
      settled: (_endpoint, outcome) => void told.push(outcome),
    });
    await discovery.call('orders', () => 1, { balancer });
    await discovery.call('orders', () => Promise.reject(new Error('no')), { balancer }).catch(() => undefined);
    await discovery.getInstance('orders', { balancer });
    expect(told).toEqual(['started', 'success', 'started', 'failure', 'started', 'ignored']);
    await discovery.close();
  });
});
