import { describe, expect, it, vi } from 'vitest';
import { input, inputs, onMemory, onScript, recorder } from './scripted-registry.js';

describe('DiscoveryClient: one watch for each service', () => {
  it('serves 200 subscribers with one watch, and ends it with the last of them', async () => {
    const { discovery, registry, runtime } = onMemory();
    registry.set('orders', inputs('a b'));
    const observers = Array.from({ length: 200 }, recorder);
    const leave = observers.map(observer => discovery.subscribe('orders', observer));
    const lookups = observers.map(() => discovery.whenKnown('orders'));
    await runtime.settle();
    await Promise.all(lookups);
    expect(registry.watching('orders')).toBe(1);
    expect(observers.every(({ sets }) => sets.length === 1 && sets[0] === 'a b')).toBe(true);

    for (const [index, stop] of leave.entries()) {
      expect(registry.watching('orders'), `before the end of subscriber ${index}`).toBe(1);
      stop();
      stop();
      await runtime.settle();
    }
    expect(registry.watching('orders')).toBe(0);
    expect(discovery.status('orders')).toBeUndefined();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('counts one observer that subscribed twice as two', async () => {
    const { discovery, registry, runtime } = onMemory();
    const observer = recorder();
    const [first, second] = [discovery.subscribe('orders', observer), discovery.subscribe('orders', observer)];
    await runtime.settle();
    first();
    first();
    await runtime.settle();
    expect(registry.watching('orders')).toBe(1);
    second();
    await runtime.settle();
    expect(registry.watching('orders')).toBe(0);
  });

  it('tells who comes late what is known, at once', async () => {
    const { discovery, registry, runtime } = onMemory();
    registry.set('orders', inputs('a'));
    discovery.subscribe('orders', recorder());
    await runtime.settle();
    const late = recorder();
    discovery.subscribe('orders', late);
    expect(late.sets).toEqual(['a']);
  });

  it('tells of changes only when something changed', async () => {
    const { discovery, registry, runtime } = onScript();
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.settle();
    const a = input('a');
    const steps: (readonly [sets: readonly object[], told: boolean])[] = [
      [[a, input('b')], true],
      [[a, input('b')], false],
      [[input('b'), a], false],
      [[a, input('b'), input('c', { status: 'critical' })], false],
      [[a, input('b', { weight: 2 })], true],
      [[a, input('b', { weight: 2, metadata: { x: '1' } })], true],
      [[a, input('b', { weight: 2, metadata: { x: '2' } })], true],
      [[a, input('b', { weight: 2, metadata: { x: '2' }, tags: ['t'] })], true],
      [[a, input('b', { weight: 2, metadata: { x: '2' }, tags: ['t'], incarnation: '2' })], true],
      [[a, input('b', { weight: 2, metadata: { x: '2' }, tags: ['t'], incarnation: '2', zone: 'z' })], true],
      [[a, input('b', { status: 'critical' })], true],
      [[a, input('b', { port: 81 })], true],
    ];
    for (const [index, [set, told]] of steps.entries()) {
      const before = observer.sets.length;
      registry.say(set);
      await runtime.settle();
      expect(observer.sets.length - before, `step ${index}`).toBe(told ? 1 : 0);
    }
  });

  it('ends the watch of a lookup ttlMs after the last one', async () => {
    const { discovery, registry, runtime } = onMemory({ ttlMs: 30_000 });
    registry.set('orders', inputs('a'));
    const ids = async () => (await discovery.getInstances('orders')).map(({ id }) => id);
    expect(await ids()).toEqual(['a']);
    await runtime.advance(20_000);
    expect(await ids()).toEqual(['a']);
    expect(runtime.pendingTimers).toBe(1);
    await runtime.advance(29_999);
    expect(registry.watching('orders')).toBe(1);
    await runtime.advance(1);
    expect(registry.watching('orders')).toBe(0);
    expect(runtime.pendingTimers).toBe(0);
    expect(await ids()).toEqual(['a']);
    await discovery.close();
  });

  it('does not keep a watch that was only waited for by a subscriber', async () => {
    const { discovery, registry, runtime } = onMemory();
    registry.set('orders', inputs('a'));
    const leave = discovery.subscribe('orders', recorder());
    await discovery.whenKnown('orders');
    leave();
    await runtime.settle();
    expect(registry.watching('orders')).toBe(0);
  });

  it('keeps a watch that lookups used after its last subscriber left', async () => {
    const { discovery, registry, runtime } = onMemory({ ttlMs: 1_000 });
    const leave = discovery.subscribe('orders', recorder());
    await discovery.getInstances('orders');
    leave();
    await runtime.advance(999);
    expect(registry.watching('orders')).toBe(1);
    await runtime.advance(1);
    expect(registry.watching('orders')).toBe(0);
  });

  it('lets no observer disturb another: one that throws, one that leaves while it is told', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { discovery, registry, runtime } = onMemory({
      onEvent: () => {
        throw new Error('listener');
      },
    });
    const last = recorder();
    let leave = (): void => undefined;
    discovery.subscribe('orders', {
      changed() {
        throw new Error('observer');
      },
    });
    leave = discovery.subscribe('orders', { changed: () => leave() });
    discovery.subscribe('orders', { changed: () => Promise.reject(new Error('async')) as unknown as void });
    discovery.subscribe('orders', last);
    await runtime.settle();
    registry.set('orders', inputs('a'));
    await runtime.settle();
    expect(last.sets).toEqual(['', 'a']);
    expect(registry.watching('orders')).toBe(1);
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
    await discovery.close();
  });

  it('does not tell an observer that another one has just sent away', async () => {
    const { discovery, registry, runtime } = onMemory();
    const sentAway = recorder();
    let leave = (): void => undefined;
    discovery.subscribe('orders', { changed: ({ instances }) => void (instances.length > 0 && leave()) });
    leave = discovery.subscribe('orders', sentAway);
    await runtime.settle();
    registry.set('orders', inputs('a'));
    await runtime.settle();
    expect(sentAway.sets).toEqual(['']);
    await discovery.close();
  });

  it('goes on for a caller that waits when the last subscriber leaves', async () => {
    const { discovery, registry, runtime } = onScript();
    const leave = discovery.subscribe('orders', recorder());
    await runtime.settle();
    let known = false;
    void discovery.whenKnown('orders').then(() => (known = true));
    leave();
    await runtime.advance(1_000);
    registry.say(inputs('a'));
    await runtime.settle();
    expect(known).toBe(true);
    expect(discovery.status('orders')).toBeUndefined();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('starts no timer for each lookup', async () => {
    const { discovery, runtime } = onMemory();
    await discovery.getInstances('orders');
    const after = vi.spyOn(runtime, 'after');
    for (let n = 0; n < 50; n += 1) {
      await runtime.advance(1);
      await discovery.getInstances('orders');
    }
    expect(after).not.toHaveBeenCalled();
    await discovery.close();
  });

  it('hears nothing more of a watch that it has left, whatever that still says', async () => {
    const { discovery, registry, runtime, events } = onScript();
    let answer = (_: unknown): void => undefined;
    const next = () => new Promise(resolve => (answer = resolve));
    Object.assign(registry, { watch: () => ({ [Symbol.asyncIterator]: () => ({ next }) }) });
    discovery.subscribe('orders', recorder())();
    discovery.subscribe('users', recorder());
    await runtime.settle();
    const closed = discovery.close();
    answer({ done: false, value: inputs('a') });
    await closed;
    await runtime.settle();
    expect(events).toEqual([]);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('can be closed by an observer', async () => {
    const { discovery, registry, runtime } = onMemory();
    let closed: Promise<void> | undefined;
    discovery.subscribe('orders', { changed: () => void (closed = discovery.close()) });
    await runtime.settle();
    await closed;
    expect(registry.watching('orders')).toBe(0);
    expect(runtime.pendingTimers).toBe(0);
  });
});

describe('DiscoveryClient: close', () => {
  it('ends watches, holds and waits, refuses what comes after, and leaves no timer', async () => {
    const { discovery, registry, runtime } = onMemory();
    registry.set('orders', inputs('a b c'));
    discovery.subscribe('orders', recorder());
    await discovery.getInstances('users');
    await runtime.settle();
    registry.set('orders', []);
    registry.fail(new Error('down'));
    const waiting = discovery.whenKnown('payments').catch((error: unknown) => error);
    await runtime.advance(10);
    expect(runtime.pendingTimers).toBeGreaterThan(0);

    await discovery.close();
    await discovery[Symbol.asyncDispose]();
    expect(await waiting).toMatchObject({ code: 'CLIENT_CLOSED', service: 'payments' });
    expect(runtime.pendingTimers).toBe(0);
    expect(registry.watching('orders') + registry.watching('users') + registry.watching('payments')).toBe(0);

    expect(() => discovery.subscribe('orders', recorder())).toThrow(expect.objectContaining({ code: 'CLIENT_CLOSED' }));
    await expect(discovery.whenKnown('orders')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await expect(discovery.getInstances('orders')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(discovery.status('orders')).toBeUndefined();
  });

  it('leaves the registry open: it may serve others', async () => {
    const { discovery, registry } = onMemory();
    await discovery.getInstances('orders');
    await discovery.close();
    await expect(registry.discover('orders')).resolves.toEqual([]);
  });

  it('does not wait for ever for a registry that ignores the abort', async () => {
    const { discovery, registry, runtime } = onScript();
    Object.assign(registry, {
      watch: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }),
    });
    discovery.subscribe('orders', recorder());
    await runtime.settle();
    let closed = false;
    void discovery.close().then(() => (closed = true));
    await runtime.advance(999);
    expect(closed).toBe(false);
    await runtime.advance(1);
    expect(closed).toBe(true);
    expect(runtime.pendingTimers).toBe(0);
  });
});
