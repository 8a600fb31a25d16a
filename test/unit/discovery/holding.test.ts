import { describe, expect, it } from 'vitest';
import { toInstance } from '../../../src/core/instance.js';
import { input, inputs, onMemory, onScript, recorder, typesOf } from './scripted-registry.js';

const started = async (ids: string, options = {}) => {
  const parts = onScript(options);
  const observer = recorder();
  parts.discovery.subscribe('orders', observer);
  await parts.runtime.settle();
  parts.registry.say(inputs(ids));
  await parts.runtime.settle();
  return { ...parts, observer };
};

describe('DiscoveryClient: a set that is suddenly gone', () => {
  it('outlives a registry that lists nobody for 20 s', async () => {
    const { discovery, registry, runtime, events } = onMemory();
    registry.set('orders', inputs('a b c'));
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.settle();
    registry.set('orders', []);
    await runtime.advance(20_000);
    expect(observer.sets.at(-1)).toBe('(a) (b) (c)');
    expect(discovery.status('orders')).toMatchObject({ count: 3, held: 3, stale: false });
    registry.set('orders', inputs('a b c'));
    await runtime.advance(120_000);
    expect(observer.sets).toEqual(['a b c', '(a) (b) (c)', 'a b c']);
    expect(typesOf(events)).toEqual(['instances.changed', 'instances.held']);
    expect(events[1]).toMatchObject({ held: ['a', 'b', 'c'], reason: 'memory dropped 3 of 3 instances at once' });
    expect(runtime.pendingTimers).toBe(0);
    await discovery.close();
  });

  it('accepts a true scale-down to zero after the hold, by a read of its own', async () => {
    const { discovery, registry, runtime, observer, events } = await started('a b');
    registry.say([]);
    await runtime.advance(29_999);
    expect(registry.reads).toBe(0);
    expect(observer.sets.at(-1)).toBe('(a) (b)');
    await runtime.advance(1);
    expect(registry.reads).toBe(1);
    expect(observer.sets.at(-1)).toBe('');
    expect(events.at(-1)).toMatchObject({ type: 'instances.changed', known: 0, removed: ['a', 'b'] });
    await runtime.advance(300_000);
    expect(registry.reads).toBe(1);
    expect(runtime.pendingTimers).toBe(0);
    await discovery.close();
  });

  it('goes on holding while the confirming read fails, tried for ever with back-off', async () => {
    const { discovery, registry, runtime, observer, events } = await started('a b');
    registry.onDiscover = () => {
      throw new Error('read failed');
    };
    registry.say([]);
    await runtime.advance(3_600_000);
    expect(observer.sets.at(-1)).toBe('(a) (b)');
    expect(registry.reads).toBeGreaterThan(100);
    expect(registry.reads).toBeLessThan(900);
    const told = events.filter(({ type }) => type === 'registry.problem');
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThanOrEqual(60);
    expect(told[0]).toMatchObject({
      problem: { kind: 'unreachable', message: 'a read to confirm a loss failed: read failed' },
    });
    registry.onDiscover = () => [];
    await runtime.advance(30_000);
    expect(observer.sets.at(-1)).toBe('');
    await discovery.close();
  });

  it.each([
    ['never answers', () => new Promise(() => undefined)],
    ['answers nonsense', () => ({ instances: [] })],
    ['answers with nothing', () => undefined],
  ])('takes a read that %s for none', async (_, onDiscover) => {
    const { discovery, registry, runtime, observer } = await started('a b');
    registry.onDiscover = onDiscover;
    registry.say([]);
    await runtime.advance(120_000);
    expect(registry.reads).toBeGreaterThan(2);
    expect(observer.sets.at(-1)).toBe('(a) (b)');
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('asks one read at a time, and aborts it at close', async () => {
    const { discovery, registry, runtime } = await started('a b c d');
    const signals: AbortSignal[] = [];
    registry.onDiscover = signal => {
      signals.push(signal);
      return new Promise(() => undefined);
    };
    registry.say([]);
    await runtime.advance(30_000);
    registry.say(inputs('a'));
    registry.say(inputs('a b'));
    await runtime.advance(1_000);
    expect(registry.reads).toBe(1);
    await discovery.close();
    expect(signals[0]?.aborted).toBe(true);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('does not apply a read over what the watch said while it was under way', async () => {
    const { discovery, registry, runtime, observer } = await started('a b');
    let answer = (_: unknown): void => undefined;
    registry.onDiscover = () => new Promise(resolve => (answer = resolve));
    registry.say([]);
    await runtime.advance(30_000);
    registry.say(inputs('a c'));
    await runtime.settle();
    answer([]);
    await runtime.settle();
    expect(observer.sets.at(-1)).toBe('a c');
    await discovery.close();
  });

  it('holds somebody anew whom the read lists', async () => {
    const { discovery, registry, runtime, observer } = await started('a b');
    registry.onDiscover = () => inputs('a');
    registry.say([]);
    await runtime.advance(30_000);
    expect(observer.sets.at(-1)).toBe('(a)');
    registry.onDiscover = () => [];
    await runtime.advance(29_999);
    expect(observer.sets.at(-1)).toBe('(a)');
    await runtime.advance(1);
    expect(observer.sets.at(-1)).toBe('');
    await discovery.close();
  });

  it('drops a held one that refused, at once, and keeps the last', async () => {
    const { discovery, registry, runtime, observer } = await started('a b');
    const [a, b] = ['a', 'b'].map(id => toInstance(input(id)));
    discovery.reportRefused(a!);
    registry.say([]);
    await runtime.settle();
    expect(observer.sets.at(-1)).toBe('(a) (b)');
    discovery.reportRefused(a!);
    expect(observer.sets.at(-1)).toBe('(b)');
    discovery.reportRefused(b!);
    expect(observer.sets.at(-1)).toBe('(b)');
    registry.say(inputs('z'));
    await runtime.settle();
    expect(observer.sets.at(-1)).toBe('z');
    expect(registry.reads).toBe(0);
    await discovery.close();
  });

  it('holds through an outage that follows the loss', async () => {
    const { discovery, registry, runtime, observer } = await started('a b');
    registry.say([]);
    await runtime.advance(10_000);
    registry.onDiscover = () => {
      throw new Error('down');
    };
    registry.onWatch = () => {
      throw new Error('down');
    };
    registry.breakDown(new Error('down'));
    await runtime.advance(600_000);
    expect(observer.sets.at(-1)).toBe('(a) (b)');
    registry.onWatch = () => registry.say(inputs('a b'));
    await runtime.advance(30_000);
    expect(observer.sets.at(-1)).toBe('a b');
    await discovery.close();
  });

  it('takes a read for contact: while one lists somebody, the set is not given up', async () => {
    const { discovery, registry, runtime, observer } = await started('a b', { maxStaleMs: 40_000 });
    registry.onDiscover = () => inputs('a');
    registry.say([]);
    await runtime.advance(10_000);
    registry.onWatch = () => {
      throw new Error('down');
    };
    registry.breakDown(new Error('down'));
    await runtime.advance(300_000);
    expect(observer.sets.at(-1)).toBe('(a)');
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('asks no more about a set that was given up', async () => {
    const { discovery, registry, runtime, observer } = await started('a b', { maxStaleMs: 60_000 });
    registry.onDiscover = registry.onWatch = () => {
      throw new Error('down');
    };
    registry.say([]);
    await runtime.settle();
    registry.breakDown(new Error('down'));
    await runtime.advance(60_000);
    expect(observer.sets.at(-1)).toMatch(/^the last set was given up/);
    const { reads } = registry;
    expect(reads).toBeGreaterThan(0);
    await runtime.advance(600_000);
    expect(registry.reads).toBe(reads);
    await discovery.close();
  });

  it('takes a set that turns critical as a loss, and one of nonsense too', async () => {
    const { discovery, registry, runtime, observer } = await started('a b');
    registry.say([input('a', { status: 'critical' }), input('b', { status: 'critical' })]);
    await runtime.settle();
    expect(observer.sets.at(-1)).toBe('(a) (b)');
    registry.say(inputs('a b'));
    await runtime.settle();
    registry.say([null, 7, { id: 'x' }]);
    await runtime.settle();
    expect(observer.sets.at(-1)).toBe('(a) (b)');
    await discovery.close();
  });
});

describe('DiscoveryClient: bad entries', () => {
  it('serves the good ones, counts the bad ones, and tells of each once a minute', async () => {
    const { discovery, registry, runtime, observer, events } = await started('a');
    const bad = [null, input('p', { port: 70_000 }), input('u', { address: 'user@host' })];
    const count = () => events.filter(({ type }) => type === 'registry.problem').length;
    for (let update = 0; update < 50; update += 1) {
      registry.say([...bad, input('a'), input('b', { weight: update })]);
      await runtime.settle();
    }
    expect(observer.sets.at(-1)).toBe('a b');
    expect(count()).toBe(3);
    expect(discovery.status('orders')?.problems).toBe(150);
    await runtime.advance(60_000);
    registry.say([...bad, input('a')]);
    await runtime.settle();
    expect(count()).toBe(6);
    await discovery.close();
  });

  it('tells of two ids on one address once', async () => {
    const { discovery, registry, runtime, observer, events } = await started('');
    for (let update = 0; update < 5; update += 1) {
      registry.say([input('old', { address: 'h' }), input('new', { address: 'h', weight: update + 1 })]);
      await runtime.advance(120_000);
    }
    expect(observer.sets.at(-1)).toBe('new');
    const told = events.filter(({ type }) => type === 'registry.problem');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ registry: 'scripted', problem: { kind: 'duplicate-address', entry: 'old' } });
    await discovery.close();
  });

  it.each([null, undefined, 7, 'a', {}, new Map()])('skips what is no list at all: %s', async value => {
    const { discovery, registry, runtime, observer, events } = await started('a');
    registry.say(value);
    await runtime.settle();
    registry.say(inputs('a b'));
    await runtime.settle();
    expect(observer.sets).toEqual(['a', 'a b']);
    expect(typesOf(events)).toEqual(['instances.changed', 'registry.problem', 'instances.changed']);
    expect(registry.watches).toBe(1);
    await discovery.close();
  });

  it.each([
    ['returns nothing', () => undefined],
    ['returns a number', () => 7],
    ['throws null', () => Promise.reject(null)],
    [
      'throws an object without a prototype',
      (): never => {
        throw Object.create(null);
      },
    ],
  ])('survives a watch that %s', async (_, watch) => {
    const { discovery, registry, runtime } = onScript();
    Object.assign(registry, { watch });
    discovery.subscribe('orders', recorder());
    const failed = discovery.whenKnown('orders').catch((error: unknown) => error);
    await runtime.advance(60_000);
    expect(await failed).toMatchObject({ code: 'NO_INSTANCES' });
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('tells what an adapter reports, and forgets nothing of the flood but its text', async () => {
    const { discovery, registry, runtime, events } = await started('a');
    for (let n = 0; n < 5_000; n += 1) registry.contexts[0]!.report({ kind: 'other', message: `nonsense ${n}` });
    await runtime.settle();
    expect(events.filter(({ type }) => type === 'registry.problem')).toHaveLength(1_000);
    expect(discovery.status('orders')?.problems).toBe(5_000);
    await discovery.close();
  });
});
