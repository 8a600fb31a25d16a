/** Refreshes of dnsRegistry on virtual time. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { DiscoveryClient } from '../../../src/discovery/discovery-client.js';
import type { ClientEvent } from '../../../src/core/events.js';
import { dnsRegistry, type DnsRegistryOptions } from '../../../src/registries/dns.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';
import { at, contextOn, dnsError, fakeResolver, srv } from './dns-fake.js';

const setUp = (options: DnsRegistryOptions = { type: 'A', port: 80 }, ttl = 20) => {
  const runtime = testRuntime();
  const resolver = fakeResolver({ a: { users: [at('10.0.0.1', ttl)] } });
  const registry = dnsRegistry({ resolver, runtime, ...options });
  const watch = () => {
    const context = contextOn(runtime);
    const sets = registry.watch('users', context)[Symbol.asyncIterator]();
    return { context, sets };
  };
  return { runtime, resolver, registry, watch };
};
const idsOf = (set: unknown): string[] => (set as readonly { id: string }[]).map(({ id }) => id);

describe('a watch of DNS', () => {
  it.each([
    ['at the TTL', 20, {}, 20_000, 24_000],
    ['after 5 s when the TTL is 0', 0, {}, 5_000, 6_000],
    ['after 60 s when the TTL is an hour', 3_600, {}, 50_000, 60_000],
    ['within other bounds', 1, { minRefreshMs: 1_000, maxRefreshMs: 2_000 }, 1_000, 1_200],
  ])('asks again %s, a little later by chance', async (_, ttl, bounds, min, max) => {
    const { runtime, resolver, watch } = setUp({ type: 'A', port: 80, ...bounds }, ttl);
    const { sets, context } = watch();
    await sets.next();
    void sets.next();
    const at: number[] = [];
    for (let seen = 1, ms = 0; ms < 1_000_000; ms += 100) {
      await runtime.advance(100);
      for (; seen < resolver.queries.length; seen += 1) at.push(runtime.now());
    }
    const waits = at.map((time, n) => time - (at[n - 1] ?? 0));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(min - 100);
    expect(Math.max(...waits)).toBeLessThanOrEqual(max + 100);
    expect(new Set(waits).size).toBeGreaterThan(1);
    context.abort();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('takes 10 s for the TTL of SRV records, which tell none, and the TTL of the targets where it looks them up', async () => {
    for (const [targets, expected] of [
      ['name', 10_000],
      ['address', 30_000],
    ] as const) {
      const { runtime, resolver, watch } = setUp({ targets });
      resolver.zone = {
        srv: { users: [srv('one'), srv('two')] },
        a: { one: [at('10.0.0.1', 30)], two: [at('10.0.0.2', 99)] },
      };
      const { sets, context } = watch();
      await sets.next();
      void sets.next();
      const asked = (): number => resolver.queries.filter(query => query === 'SRV users').length;
      await runtime.advance(expected - 1);
      expect(asked()).toBe(1);
      await runtime.advance(expected * 0.2 + 1);
      expect(asked()).toBe(2);
      context.abort();
    }
  });

  it('tells a change with the next refresh, whole, and is silent while nothing but the order changes', async () => {
    const { runtime, resolver, watch } = setUp();
    resolver.zone.a = { users: [at('10.0.0.1'), at('10.0.0.2')] };
    const { sets, context } = watch();
    expect(idsOf((await sets.next()).value)).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
    let told: unknown;
    void sets.next().then(({ value }) => (told = value));
    resolver.zone.a = { users: [at('10.0.0.2', 7), at('10.0.0.1', 7)] };
    await runtime.advance(30_000);
    expect(told).toBeUndefined();
    resolver.zone.a = { users: [at('10.0.0.3'), at('10.0.0.2'), at('10.0.0.1')] };
    await runtime.advance(30_000);
    expect(idsOf(told)).toEqual(['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']);
    context.abort();
  });

  it('asks once for a hundred watches and reads of one service, and each time', async () => {
    const { runtime, resolver, registry, watch } = setUp();
    const watches = Array.from({ length: 100 }, watch);
    const reads = Array.from({ length: 100 }, () => registry.discover('users'));
    await Promise.all(watches.map(({ sets }) => sets.next()));
    await Promise.all(reads);
    expect(resolver.queries).toHaveLength(1);
    for (const { sets } of watches) void sets.next();
    await runtime.advance(24_000);
    expect(resolver.queries).toHaveLength(2);
    for (const { context } of watches) context.abort();
    expect(runtime.pendingTimers).toBe(0);
    await runtime.advance(100_000);
    expect(resolver.queries).toHaveLength(2);
  });

  it('knows nothing of a service that nobody watches any more', async () => {
    const { resolver, watch } = setUp();
    const { sets, context } = watch();
    await sets.next();
    context.abort();
    resolver.zone.a = { users: [at('10.0.0.9')] };
    expect(idsOf((await watch().sets.next()).value)).toEqual(['10.0.0.9:80']);
  });

  it('throws when the name is gone, and a new one asks anew', async () => {
    const { runtime, resolver, watch } = setUp();
    const { sets, context } = watch();
    await sets.next();
    const lost = expect(sets.next()).rejects.toThrow(/there is no such name/);
    resolver.zone = {};
    await runtime.advance(24_000);
    await lost;
    expect((await sets.next()).done).toBe(true);
    expect(getEventListeners(context.signal, 'abort')).toHaveLength(0);
    const again = watch();
    await expect(again.sets.next()).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(resolver.queries).toHaveLength(3);
  });

  it('gives up a refresh that has no answer in time, and takes no late one', async () => {
    const { runtime, resolver, registry, watch } = setUp({ type: 'A', port: 80, timeoutMs: 2_000 });
    resolver.silent = true;
    const { sets } = watch();
    const step = expect(sets.next()).rejects.toThrow(/^dns: users \(A\): no whole answer within 2000 ms$/);
    const read = expect(registry.discover('users')).rejects.toThrow(/2000 ms/);
    await runtime.advance(2_000);
    await step;
    await read;
    expect(runtime.pendingTimers).toBe(0);
    resolver.silent = false;
    expect(idsOf(await registry.discover('users'))).toEqual(['10.0.0.1:80']);
  });

  it('ends at once when its signal aborts, wherever it is, and so does a read', async () => {
    const { runtime, resolver, registry, watch } = setUp();
    const before = watch();
    before.context.abort();
    expect((await before.sets.next()).done).toBe(true);
    expect(resolver.queries).toEqual([]);

    resolver.silent = true;
    const asking = watch();
    const asked = asking.sets.next();
    const read = contextOn(runtime);
    const reading = expect(registry.discover('users', read)).rejects.toThrow('enough');
    await runtime.settle();
    asking.context.abort();
    read.abort();
    expect((await asked).done).toBe(true);
    await reading;

    resolver.silent = false;
    const waiting = watch();
    await waiting.sets.next();
    const waited = waiting.sets.next();
    await runtime.settle();
    waiting.context.abort();
    expect((await waited).done).toBe(true);

    for (const { signal } of [before.context, asking.context, read, waiting.context])
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('ends when the registry closes; later ones are refused', async () => {
    const { runtime, registry, resolver, watch } = setUp();
    const [one, two] = [watch(), watch()];
    await one.sets.next();
    const step = one.sets.next();
    resolver.silent = true;
    const reading = expect(registry.discover('users')).rejects.toThrow(/the registry is closed/);
    await runtime.settle();
    await registry.close();
    await registry.close();
    expect((await step).done).toBe(true);
    await reading;
    expect(runtime.pendingTimers).toBe(0);
    await expect(two.sets.next()).rejects.toThrow(/the registry is closed/);
    await expect(registry.discover('users')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });
});

describe('a discovery client on DNS', () => {
  it.each(['ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'ETIMEOUT'])(
    'keeps the last good set through an hour of %s, asks less and less, and is right again at most 10 s after it',
    async code => {
      const { runtime, resolver, registry } = setUp();
      const events: ClientEvent[] = [];
      const discovery = new DiscoveryClient({ registry, runtime, onEvent: event => void events.push(event) });
      let ids: string[] = [];
      discovery.subscribe('users', {
        changed: set => (ids = set.instances.map(({ id }) => id)),
      });
      await runtime.advance(1_000);
      expect(ids).toEqual(['10.0.0.1:80']);
      resolver.zone.a = { users: dnsError(code) };
      await runtime.advance(120_000);
      const before = resolver.queries.length;
      await runtime.advance(3_600_000);
      expect(ids).toEqual(['10.0.0.1:80']);
      expect(resolver.queries.length - before).toBeLessThan(3_600 / 4);
      expect(events.map(({ type }) => type)).toContain('registry.lost');
      resolver.zone.a = { users: [at('10.0.0.1'), at('10.0.0.2')] };
      await runtime.advance(10_000);
      expect(ids).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
      await discovery.close();
      await registry.close();
      expect(runtime.pendingTimers).toBe(0);
    },
  );
});
