import { describe, expect, it } from 'vitest';
import { DiscoveryClient } from '../../../src/discovery/discovery-client.js';
import { mergeRegistries } from '../../../src/discovery/merge-registries.js';
import { preferRegistry } from '../../../src/discovery/prefer-registry.js';
import type { Registry } from '../../../src/core/registry.js';
import type { ClientEvent } from '../../../src/core/events.js';
import { memoryRegistry } from '../../../src/registries/memory.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';
import { inputs, recorder } from './scripted-registry.js';

const memory = (name: string, ids: string) => {
  const registry = memoryRegistry();
  registry.set('orders', inputs(ids));
  return Object.assign(registry, { name });
};

const follow = async (registry: Registry) => {
  const runtime = testRuntime();
  const problems: string[] = [];
  const onEvent = (event: ClientEvent): void => {
    if (event.type === 'registry.problem') problems.push(event.problem.message);
  };
  const discovery = new DiscoveryClient({ registry, runtime, holdMs: 0, onEvent });
  const seen = recorder();
  const unsubscribe = discovery.subscribe('orders', seen);
  await runtime.settle();
  return { runtime, problems, discovery, unsubscribe, now: () => seen.sets.at(-1) };
};

describe('mergeRegistries', () => {
  it('lists all of them, each id once, as the earlier registry has it', async () => {
    const old = memory('old', 'a b');
    const young = memory('young', 'c');
    young.set('orders', [...inputs('c'), { id: 'b', address: 'elsewhere', port: 81 }]);
    const { now, discovery } = await follow(mergeRegistries([old, young]));
    expect(now()).toBe('a b c');
    const found = await discovery.getInstances('orders');
    expect(found.map(({ id, address }) => `${id}@${address}`)).toEqual(['a@a', 'b@b', 'c@c']);
  });

  it('follows each of them', async () => {
    const [old, young] = [memory('old', 'a'), memory('young', '')];
    const { now, runtime } = await follow(mergeRegistries([old, young]));
    expect(now()).toBe('a');
    young.set('orders', inputs('b c'));
    await runtime.settle();
    expect(now()).toBe('a b c');
    old.set('orders', []);
    await runtime.settle();
    expect(now()).toBe('b c');
  });

  it('keeps what one listed that cannot be reached, and says so', async () => {
    const [old, young] = [memory('old', 'a'), memory('young', 'b')];
    const { now, runtime, problems } = await follow(mergeRegistries([old, young]));
    old.fail();
    young.set('orders', inputs('b c'));
    await runtime.advance(60_000);
    expect(now()).toBe('a b c');
    expect(problems).toContain('old: cannot be reached');
    old.set('orders', inputs('d'));
    old.recover();
    await runtime.advance(20_000);
    expect(now()).toBe('d b c');
  });

  it('keeps both sets when none can be reached, one coming back before the other', async () => {
    const [old, young] = [memory('old', 'a'), memory('young', 'b')];
    const { now, runtime, discovery } = await follow(mergeRegistries([old, young]));
    old.fail();
    young.fail();
    await runtime.advance(60_000);
    expect(discovery.status('orders')!.stale).toBe(true);
    young.recover();
    await runtime.advance(60_000);
    expect(now()).toBe('a b');
    expect(discovery.status('orders')!.stale).toBe(false);
  });

  it('waits for all of them before it says that there is nobody', async () => {
    const silent: Registry = {
      name: 'silent',
      watch: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }),
      discover: () => new Promise(() => undefined),
      close: () => Promise.resolve(),
    };
    const { now } = await follow(mergeRegistries([memory('empty', ''), silent]));
    expect(now()).toBeUndefined();
  });

  it('reports what they differ in, once for each difference', async () => {
    const [old, young] = [memory('old', 'a b'), memory('young', 'b')];
    const { problems, runtime } = await follow(mergeRegistries([old, young]));
    expect(problems).toEqual(['only in old: a']);
    young.set('orders', inputs('b c d e f g'));
    await runtime.settle();
    expect(problems.at(-1)).toBe('only in old: a; only in young: c, d, e and 2 more');
    young.set('orders', [{ id: 'a', address: 'moved', port: 1 }, ...inputs('b')]);
    await runtime.settle();
    expect(problems.at(-1)).toBe('at different places: a');
    young.set('orders', inputs('a b'));
    await runtime.settle();
    expect(problems).toHaveLength(3);
  });

  it('reads once from all, and fails only when all do', async () => {
    const [old, young] = [memory('old', 'a'), memory('young', 'b')];
    const merged = mergeRegistries([old, young]);
    old.fail();
    const problems: string[] = [];
    const found = await merged.discover('orders', { report: ({ message }) => problems.push(message) });
    expect([found.map(({ id }) => id), problems]).toEqual([['b'], ['old: cannot be reached']]);
    young.fail();
    await expect(merged.discover('orders')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });

  it('watches nobody when nobody asks any more', async () => {
    const [old, young] = [memory('old', 'a'), memory('young', 'b')];
    const { unsubscribe, discovery, runtime } = await follow(mergeRegistries([old, young]));
    expect([old.watching('orders'), young.watching('orders')]).toEqual([1, 1]);
    unsubscribe();
    await discovery.close();
    await runtime.settle();
    expect([old.watching('orders'), young.watching('orders')]).toEqual([0, 0]);
  });

  it('refuses what is no registry', () => {
    expect(() => mergeRegistries([])).toThrow('registries: expected an array of at least one registry');
    expect(() => mergeRegistries([memoryRegistry(), {} as Registry])).toThrow(
      'registries[1]: expected a registry, with a method watch()',
    );
  });
});

describe('preferRegistry', () => {
  it('asks the fallback only where the primary lists nobody', async () => {
    const [young, old] = [memory('young', ''), memory('old', 'a b')];
    const { now, runtime, problems } = await follow(preferRegistry(young, old));
    expect(now()).toBe('a b');
    young.set('orders', inputs('c'));
    await runtime.settle();
    expect([now(), old.watching('orders')]).toEqual(['c', 0]);
    young.set('orders', []);
    await runtime.settle();
    expect([now(), old.watching('orders')]).toEqual(['a b', 1]);
    // The same once more within a minute is no news.
    expect(problems).toEqual([
      'old: serves now in place of young, instances: 2',
      'young: serves now in place of old, instances: 1',
    ]);
  });

  it('keeps the primary’s last good set for a while, then asks the fallback, then goes back', async () => {
    const [young, old] = [memory('young', 'c'), memory('old', 'a')];
    const { now, runtime } = await follow(preferRegistry(young, old));
    young.fail();
    await runtime.advance(1_900);
    expect([now(), old.watching('orders')]).toEqual(['c', 0]);
    await runtime.advance(200);
    expect([now(), old.watching('orders')]).toEqual(['a', 1]);
    young.recover();
    await runtime.advance(15_000);
    expect([now(), old.watching('orders')]).toEqual(['c', 0]);
  });

  it('asks the fallback at once when the primary cannot be reached from the start', async () => {
    const [young, old] = [memory('young', 'c'), memory('old', 'a')];
    young.fail();
    const { now } = await follow(preferRegistry(young, old));
    expect(now()).toBe('a');
  });

  it('says that there is nobody only when both say so', async () => {
    const { now } = await follow(preferRegistry(memory('young', ''), memory('old', '')));
    expect(now()).toBe('');
  });

  it('keeps the last good set when neither can be reached', async () => {
    const [young, old] = [memory('young', 'c'), memory('old', 'a')];
    const { now, runtime, discovery } = await follow(preferRegistry(young, old));
    old.fail();
    young.fail();
    await runtime.advance(60_000);
    expect([now(), discovery.status('orders')!.stale]).toEqual(['c', true]);
    old.recover();
    await runtime.advance(60_000);
    expect(now()).toBe('a');
  });

  it.each<[string, string, string, string[]]>([
    ['c', 'a', '', ['c']],
    ['', 'a', '', ['a']],
    ['c', 'a', 'young', ['a']],
    ['', 'a', 'old', []],
  ])('reads once: primary %j, fallback %j, down: %j', async (first, second, down, expected) => {
    const [young, old] = [memory('young', first), memory('old', second)];
    if (down === 'young') young.fail();
    if (down === 'old') old.fail();
    const found = await preferRegistry(young, old).discover('orders');
    expect(found.map(({ id }) => id)).toEqual(expected);
  });

  it.each<[() => unknown, string]>([
    [() => preferRegistry({} as Registry, memoryRegistry()), 'primary: expected a registry'],
    [() => preferRegistry(memoryRegistry(), undefined as never), 'fallback: expected a registry'],
    [
      () => preferRegistry(memoryRegistry(), memoryRegistry(), { afterMs: -1 }),
      'afterMs: expected a number >= 0, got -1',
    ],
  ])('refuses what is wrong', (make, message) => {
    expect(make).toThrow(message);
  });
});
