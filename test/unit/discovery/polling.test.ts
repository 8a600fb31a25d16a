import { describe, expect, it } from 'vitest';
import { DiscoveryClient, type DiscoveryOptions } from '../../../src/discovery/discovery-client.js';
import { pollingRegistry, type PolledRegistry } from '../../../src/discovery/polling-registry.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';
import { inputs, recorder, typesOf } from './scripted-registry.js';
import type { ClientEvent } from '../../../src/core/events.js';

/** A registry that can only be asked. */
const inventory = (ids: string) => {
  const asked: number[] = [];
  const state = { ids, mode: 'up' as 'up' | 'down' | 'hangs' };
  const runtime = testRuntime();
  const registry: PolledRegistry = {
    name: 'inventory',
    async discover() {
      asked.push(runtime.now());
      await Promise.resolve();
      if (state.mode === 'hangs') await new Promise(() => undefined);
      if (state.mode === 'down') throw new Error('503');
      return inputs(state.ids) as never;
    },
  };
  const events: ClientEvent[] = [];
  const client = (given: Partial<DiscoveryOptions> = {}) =>
    new DiscoveryClient({ registry, runtime, onEvent: event => void events.push(event), ...given });
  return { asked, state, runtime, registry, events, client };
};

describe('a registry that cannot watch', () => {
  it('is asked once for any number of lookups, and again when the answer is 30 to 36 s old', async () => {
    const { asked, state, runtime, client } = inventory('a b');
    const discovery = client();
    const observer = recorder();
    discovery.subscribe('orders', observer);
    const lookups = Array.from({ length: 200 }, () => discovery.getInstances('orders'));
    await Promise.all(lookups);
    expect(asked).toHaveLength(1);
    state.ids = 'a b c';
    await runtime.advance(29_900);
    expect([asked.length, observer.sets]).toEqual([1, ['a b']]);
    await runtime.advance(6_100);
    expect([asked.length, observer.sets]).toEqual([2, ['a b', 'a b c']]);
    await runtime.advance(3_600_000);
    const gaps = asked.slice(1).map((at, index) => at - asked[index]!);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(36_000);
    expect(new Set(gaps).size).toBeGreaterThan(50);
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('is left alone once nobody uses it, and asked anew after that', async () => {
    const { asked, runtime, client } = inventory('a');
    const discovery = client({ ttlMs: 10_000 });
    await discovery.getInstances('orders');
    await runtime.advance(60_000);
    expect(asked.length).toBeLessThanOrEqual(2);
    const before = asked.length;
    await discovery.getInstances('orders');
    expect(asked).toHaveLength(before + 1);
    await discovery.close();
  });

  it('is asked once for clients that share it, and the last one to leave ends it', async () => {
    const { asked, runtime, registry } = inventory('a');
    const shared = pollingRegistry(registry, { ttlMs: 20_000 });
    const clients = Array.from({ length: 10 }, () => new DiscoveryClient({ registry: shared, runtime }));
    clients.forEach(discovery => discovery.subscribe('orders', recorder()));
    await runtime.advance(10_000);
    const late = new DiscoveryClient({ registry: shared, runtime });
    await expect(late.getInstances('orders')).resolves.toHaveLength(1);
    expect(asked).toHaveLength(1);
    await late.close();
    for (const discovery of clients) await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
    await runtime.advance(100_000);
    expect(asked).toHaveLength(1);
  });

  it.each(['down', 'hangs'] as const)('%s: the last good set serves, and it is tried until it is back', async mode => {
    const { asked, state, runtime, events, client } = inventory('a b');
    const discovery = client();
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.advance(1_000);
    state.mode = mode;
    await runtime.advance(300_000);
    expect(observer.sets).toEqual(['a b']);
    expect(discovery.status('orders')).toMatchObject({ known: true, stale: true });
    expect(asked.length).toBeGreaterThan(20);
    state.mode = 'up';
    state.ids = 'a b c';
    await runtime.advance(20_000);
    expect(observer.sets).toEqual(['a b', 'a b c']);
    expect(typesOf(events).filter(type => type.startsWith('registry.'))).toEqual([
      'registry.lost',
      'registry.restored',
    ]);
    const lost = events.find(event => event.type === 'registry.lost');
    expect(lost).toMatchObject({ error: new Error(mode === 'down' ? '503' : 'no answer within 5000 ms') });
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('that was down from the start: the error says what was tried', async () => {
    const { state, runtime, client } = inventory('a');
    state.mode = 'down';
    const discovery = client();
    const failed = discovery.getInstances('orders').catch((error: unknown) => error);
    await runtime.advance(5_000);
    expect(await failed).toMatchObject({
      code: 'NO_INSTANCES',
      message: expect.stringMatching(
        /^orders: no instances known after 5000 ms: inventory was asked \d+ times, last error: 503$/,
      ),
    });
    await discovery.close();
  });

  it('ends its watches when it is closed', async () => {
    const { runtime, registry } = inventory('a');
    let closed = 0;
    const polled = pollingRegistry({ ...registry, close: async () => void (closed += 1) });
    const watching = new AbortController();
    const seen: number[] = [];
    const over = (async () => {
      const context = { signal: watching.signal, runtime, report: () => undefined };
      for await (const set of polled.watch('orders', context)) seen.push(set.length);
    })().catch((error: unknown) => error);
    await runtime.settle();
    await polled.close();
    expect(await over).toEqual(new Error('the registry is closed'));
    expect([seen, closed, runtime.pendingTimers]).toEqual([[1], 1, 0]);
  });

  it.each<[() => unknown, string]>([
    [() => pollingRegistry({} as PolledRegistry), 'registry: expected an object with a name and a method discover()'],
    [() => pollingRegistry(inventory('').registry, { ttlMs: 0 }), 'ttlMs: expected a number > 0, got 0'],
    [() => pollingRegistry(inventory('').registry, { ttl: 5 } as never), 'options.ttl: no such option'],
  ])('refuses what is wrong', (make, message) => {
    expect(make).toThrow(message);
  });
});
