import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { input, inputs, onMemory, onScript, recorder, typesOf } from './scripted-registry.js';

describe('DiscoveryClient: while the registry is down', () => {
  it('keeps the last good set, tries for ever at a bounded pace, and goes on by itself', async () => {
    const { discovery, registry, runtime, events } = onScript();
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.settle();
    registry.say(inputs('a b'));
    await runtime.advance(60_000);
    registry.onWatch = () => {
      throw new Error('connect ECONNREFUSED');
    };
    registry.breakDown(new Error('reset'));
    await runtime.advance(24 * 3_600_000);

    expect(observer.sets).toEqual(['a b']);
    expect(discovery.status('orders')).toMatchObject({ known: true, count: 2, stale: true, ageMs: 24 * 3_600_000 });
    // Full jitter up to 10 s is 5 s in the mean: 17 280 a day.
    expect(registry.watches).toBeGreaterThan(16_000);
    expect(registry.watches).toBeLessThan(18_500);
    expect(typesOf(events)).toEqual(['instances.changed', 'registry.lost']);
    expect(events[1]).toMatchObject({ service: 'orders', registry: 'scripted', error: new Error('reset') });

    registry.onWatch = () => registry.say(inputs('a b c'));
    await runtime.advance(30_000);
    expect(observer.sets).toEqual(['a b', 'a b c']);
    expect(discovery.status('orders')).toMatchObject({ known: true, count: 3, stale: false, ageMs: 0 });
    expect(typesOf(events).slice(2).sort()).toEqual(['instances.changed', 'registry.restored']);
    expect(events.find(({ type }) => type === 'registry.restored')).toMatchObject({ registry: 'scripted' });
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('waits no longer than 100 ms after the first loss, and at most twice that after the next', async () => {
    const { discovery, registry, runtime } = onScript();
    discovery.subscribe('orders', recorder());
    await runtime.settle();
    registry.say(inputs('a'));
    await runtime.advance(5_000);
    registry.breakDown(new Error('reset'));
    await runtime.advance(100);
    expect(registry.watches).toBe(2);
    registry.breakDown(new Error('reset'));
    await runtime.advance(200);
    expect(registry.watches).toBe(3);
    await discovery.close();
  });

  it('takes a watch that ends as lost, and each of a hundred leaves nothing behind', async () => {
    const { discovery, registry, runtime } = onScript();
    const ended = async function* () {};
    const { watch } = registry;
    Object.assign(registry, {
      watch: (...args: Parameters<typeof watch>) => {
        void watch.apply(registry, args);
        args[1].signal.addEventListener('abort', () => undefined);
        return ended();
      },
    });
    discovery.subscribe('orders', recorder());
    await runtime.advance(3_600_000);
    expect(registry.watches).toBeGreaterThan(100);
    const live = registry.contexts.filter(({ signal }) => !signal.aborted);
    expect(live).toEqual([]);
    expect(new Set(registry.contexts.map(({ signal }) => signal)).size).toBe(registry.watches);
    expect(runtime.pendingTimers).toBe(1);
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('is not made to hammer by a registry that gives a set and breaks at once', async () => {
    const { discovery, registry, runtime } = onScript();
    registry.onWatch = () => {
      registry.say(inputs('a'));
      registry.breakDown(new Error('flap'));
    };
    discovery.subscribe('orders', recorder());
    await runtime.advance(600_000);
    expect(registry.watches).toBeLessThan(160);
    await discovery.close();
  });

  it('tells of each outage once', async () => {
    const { discovery, registry, runtime, events } = onMemory();
    registry.set('orders', inputs('a'));
    discovery.subscribe('orders', recorder());
    await runtime.settle();
    for (let outage = 0; outage < 3; outage += 1) {
      registry.fail(new Error('down'));
      await runtime.advance(120_000);
      registry.recover();
      await runtime.advance(30_000);
    }
    const told = typesOf(events).filter(type => type.startsWith('registry.'));
    expect(told).toEqual(Array.from({ length: 3 }, () => ['registry.lost', 'registry.restored']).flat());
    await discovery.close();
  });
});

describe('DiscoveryClient: the first lookup', () => {
  it('fails after firstTimeoutMs and says what was tried; the watch goes on and heals by itself', async () => {
    const { discovery, registry, runtime } = onMemory();
    registry.set('orders', inputs('a'));
    registry.fail(new Error('connect ECONNREFUSED 127.0.0.1:8500'));
    const observer = recorder();
    discovery.subscribe('orders', observer);
    const failed = discovery.whenKnown('orders').catch((error: unknown) => error as Error);
    await runtime.advance(4_999);
    await expect(Promise.race([failed, Promise.resolve('waiting')])).resolves.toBe('waiting');
    await runtime.advance(1);
    const error = await failed;
    expect(error).toMatchObject({
      code: 'NO_INSTANCES',
      service: 'orders',
      cause: new Error('connect ECONNREFUSED 127.0.0.1:8500'),
    });
    expect((error as Error).message).toMatch(
      /^orders: no instances known after 5000 ms: memory was asked \d+ times, last error: connect ECONNREFUSED 127\.0\.0\.1:8500$/,
    );
    registry.recover();
    await runtime.advance(30_000);
    expect(observer.sets).toEqual(['a']);
    await expect(discovery.whenKnown('orders')).resolves.toBeUndefined();
    await discovery.close();
  });

  it('says so when there was no answer at all', async () => {
    const { discovery, runtime } = onScript({ firstTimeoutMs: 100 });
    const failed = discovery.getInstances('orders').catch((error: unknown) => error);
    await runtime.advance(100);
    expect(await failed).toMatchObject({
      message: 'orders: no instances known after 100 ms: scripted was asked once, no answer yet',
    });
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('gives each caller a bounded wait of its own, and asks no more often for more callers', async () => {
    const pace = async (callers: number): Promise<number> => {
      const { discovery, registry, runtime } = onScript();
      registry.onWatch = () => {
        throw new Error('down');
      };
      for (let round = 0; round < 3; round += 1) {
        const waits = Array.from({ length: callers }, () =>
          discovery.getInstances('orders').catch((error: unknown) => error),
        );
        await runtime.advance(5_000);
        for (const error of await Promise.all(waits)) expect(error).toMatchObject({ code: 'NO_INSTANCES' });
      }
      await discovery.close();
      return registry.watches;
    };
    expect(await pace(100)).toBe(await pace(1));
  });

  it('rejects with the reason of the signal, at once, and leaves no listener', async () => {
    const { discovery, runtime } = onScript();
    const controller = new AbortController();
    const reason = new Error('mine');
    const waiting = discovery.getInstances('orders', { signal: controller.signal }).catch((error: unknown) => error);
    await runtime.settle();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await expect(discovery.whenKnown('orders', controller.signal)).rejects.toBe(reason);

    const other = new AbortController();
    const timedOut = discovery.whenKnown('orders', other.signal).catch((error: unknown) => error);
    await runtime.advance(5_000);
    expect(await timedOut).toMatchObject({ code: 'NO_INSTANCES' });
    expect(getEventListeners(other.signal, 'abort')).toHaveLength(0);
    await discovery.close();
  });

  it('takes an empty set as an answer', async () => {
    const { discovery } = onMemory();
    await expect(discovery.getInstances('orders')).resolves.toEqual([]);
    expect(discovery.status('orders')).toEqual({ known: true, count: 0, held: 0, ageMs: 0, stale: false, problems: 0 });
    await discovery.close();
  });
});

describe('DiscoveryClient: maxStaleMs', () => {
  it('gives the last set up after so long without contact, says so, and starts anew', async () => {
    const { discovery, registry, runtime, events } = onMemory({ maxStaleMs: 60_000, firstTimeoutMs: 1_000 });
    registry.set('orders', inputs('a b'));
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.advance(300_000);
    registry.fail(new Error('down'));
    await runtime.advance(59_999);
    expect(discovery.status('orders')).toMatchObject({ known: true, count: 2, stale: true });
    await runtime.advance(1);
    const why = 'the last set was given up after 60000 ms without contact to memory';
    expect(observer.sets).toEqual(['a b', why]);
    expect(discovery.status('orders')).toMatchObject({ known: false, count: 0 });
    expect(events.at(-1)).toMatchObject({ type: 'instances.changed', known: 0, removed: ['a', 'b'] });

    const failed = discovery.whenKnown('orders').catch((error: unknown) => error as Error);
    await runtime.advance(1_000);
    expect(await failed).toMatchObject({ code: 'NO_INSTANCES' });
    expect(((await failed) as Error).message).toContain(`${why}; memory was asked `);

    registry.set('orders', inputs('z'));
    registry.recover();
    await runtime.advance(30_000);
    expect(observer.sets.at(-1)).toBe('z');
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('does not tire of a quiet registry that is up', async () => {
    const { discovery, registry, runtime } = onMemory({ maxStaleMs: 60_000 });
    registry.set('orders', [input('a')]);
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.advance(3_600_000);
    expect(observer.sets).toEqual(['a']);
    await discovery.close();
  });

  it('counts from the end of the contact, also when outages follow one another', async () => {
    const { discovery, registry, runtime } = onMemory({ maxStaleMs: 60_000 });
    registry.set('orders', [input('a')]);
    const observer = recorder();
    discovery.subscribe('orders', observer);
    for (let outage = 0; outage < 5; outage += 1) {
      await runtime.advance(2_000);
      registry.fail(new Error('down'));
      await runtime.advance(25_000);
      registry.recover();
      await runtime.advance(30_000);
    }
    await runtime.advance(300_000);
    expect(observer.sets).toEqual(['a']);
    registry.fail(new Error('down'));
    await runtime.advance(1_000);
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });
});
