import { describe, expect, it, vi } from 'vitest';
import { memoryRegistry } from '../../../src/registries/memory.js';
import { RegistryReader } from '../../../src/testing/registry-reader.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';

const at = (id: string, more: object = {}) => ({ id, service: 'orders', address: id, port: 80, ...more });
const read = (registry: ReturnType<typeof memoryRegistry>, service = 'orders') =>
  new RegistryReader({ registry, service, runtime: testRuntime(), withinMs: 1_000 });

describe('memoryRegistry', () => {
  it('lists what it was given at the start, each with its incarnation', async () => {
    const registry = memoryRegistry({
      instances: [at('a'), at('b', { incarnation: '77' }), at('u', { service: 'users' })],
    });
    const orders = await registry.discover('orders');
    expect(orders.map(({ id, incarnation }) => [id, incarnation])).toEqual([
      ['a', '1'],
      ['b', '77'],
    ]);
    expect(await registry.discover('users')).toHaveLength(1);
  });

  it('grows the incarnation with each registration, and not with updates', async () => {
    const registry = memoryRegistry();
    const seen = async () => Number((await registry.discover('orders'))[0]?.incarnation);
    const first = await registry.register(at('a'));
    const before = await seen();
    await first.update({ weight: 2 });
    expect(await seen()).toBe(before);
    await registry.register(at('a'));
    expect(await seen()).toBeGreaterThan(before);
  });

  it('gives the entry to the later registration of an id; the earlier one is lost and has no say any more', async () => {
    const registry = memoryRegistry();
    const earlier = await registry.register(at('a', { port: 1 }));
    const heard: unknown[] = [];
    const off = earlier.on('lost', () => heard.push('left'));
    earlier.on('lost', cause => heard.push((cause as Error).message));
    off();
    const later = await registry.register(at('a', { port: 2 }));
    expect([earlier.state, later.state]).toEqual(['lost', 'registered']);
    expect(heard).toEqual(['another registration took its id']);
    await expect(earlier.update({ weight: 5 })).rejects.toMatchObject({ code: 'REGISTRATION_FAILED' });
    await earlier.deregister();
    expect(earlier.state).toBe('closed');
    expect((await registry.discover('orders')).map(({ port, weight }) => [port, weight])).toEqual([[2, 1]]);
  });

  it('does not let a listener that throws keep the next from being told', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const registry = memoryRegistry();
    const registration = await registry.register(at('a'));
    const next = vi.fn();
    registration.on('lost', () => {
      throw new Error('listener');
    });
    registration.on('lost', next);
    registry.set('orders', []);
    expect(next).toHaveBeenCalledTimes(1);
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
  });

  it('reads weight and zone anew when an update brings other metadata', async () => {
    const registry = memoryRegistry();
    const registration = await registry.register(at('a', { metadata: { weight: '2', zone: 'x' } }));
    await registration.update({ metadata: { weight: '9', zone: 'y' } });
    expect((await registry.discover('orders'))[0]).toMatchObject({ weight: 9, zone: 'y' });
    await expect(registration.update({ weight: -1 })).rejects.toThrow(RangeError);
    expect((await registry.discover('orders'))[0]).toMatchObject({ weight: 9 });
  });

  it('set() replaces a whole set in one step and keeps the incarnation of who stays', async () => {
    const registry = memoryRegistry();
    registry.set('orders', [at('a'), at('b')]);
    const reader = read(registry);
    const before = await reader.next();
    registry.set('orders', [{ id: 'c', address: 'c', port: 80 }, at('b', { weight: 3 })]);
    const after = await reader.next();
    expect(after.map(({ id }) => id)).toEqual(['c', 'b']);
    expect(after[1]?.incarnation).toBe(before[1]?.incarnation);
    await reader.end();
  });

  it('set() refuses a bad instance by its index and then changes nothing', async () => {
    const registry = memoryRegistry({ instances: [at('a')] });
    expect(() => registry.set('orders', [at('b'), at('c', { port: 70_000 })])).toThrow(
      new RangeError('orders[1]: port 70000 is not 1–65535'),
    );
    expect(() => registry.set('orders', 'b:80' as never)).toThrow(TypeError);
    expect(() => memoryRegistry({ instances: [at('a', { address: 'user@host' })] })).toThrow(
      /^instances\[0\]: address/,
    );
    expect((await registry.discover('orders')).map(({ id }) => id)).toEqual(['a']);
  });

  it('set() makes registrations of that service lost, as a wiped registry would', async () => {
    const registry = memoryRegistry();
    const [orders, users] = [await registry.register(at('a')), await registry.register(at('u', { service: 'users' }))];
    registry.set('orders', []);
    expect([orders.state, users.state]).toEqual(['lost', 'registered']);
  });

  it('fail() breaks watches, reads and registrations until recover(), and forgets nothing', async () => {
    const registry = memoryRegistry();
    const registration = await registry.register(at('a'));
    const reader = read(registry);
    await reader.next();
    const error = new Error('down');
    registry.fail(error);
    await expect(reader.next()).rejects.toBe(error);
    await expect(read(registry).next()).rejects.toBe(error);
    await expect(registry.discover('orders')).rejects.toBe(error);
    await expect(registry.register(at('b'))).rejects.toMatchObject({ code: 'REGISTRATION_FAILED', cause: error });
    await expect(registration.update({ weight: 2 })).rejects.toMatchObject({
      code: 'REGISTRATION_FAILED',
      cause: error,
    });
    expect(registry.watching('orders')).toBe(0);

    registry.recover();
    expect((await read(registry).next()).map(({ id, weight }) => [id, weight])).toEqual([['a', 1]]);
    registry.fail();
    await expect(registry.discover('orders')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });

  it('deregisters even while it is down, and never rejects', async () => {
    const registry = memoryRegistry();
    const registration = await registry.register(at('a'));
    registry.fail();
    await registration.deregister();
    await registration.deregister();
    registry.recover();
    expect(await registry.discover('orders')).toEqual([]);
  });

  it('counts its watches: begun by the first read, ended by an abort or by the reader', async () => {
    const registry = memoryRegistry();
    const readers = [read(registry), read(registry)];
    expect(registry.watching('orders')).toBe(0);
    await Promise.all(readers.map(reader => reader.next()));
    expect(registry.watching('orders')).toBe(2);
    await readers[0]!.end();
    expect(registry.watching('orders')).toBe(1);
    const context = { signal: new AbortController().signal, runtime: testRuntime(), report: () => undefined };
    for await (const _ of registry.watch('orders', context)) {
      expect(registry.watching('orders')).toBe(2);
      break;
    }
    expect(registry.watching('orders')).toBe(1);
  });

  it('is closed for good', async () => {
    const registry = memoryRegistry();
    const registration = await registry.register(at('a'));
    const reader = read(registry);
    await reader.next();
    await registry.close();
    await registry.close();
    registry.recover();
    expect(registration.state).toBe('closed');
    await expect(reader.next()).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: 'memory: the registry is closed',
    });
    await expect(registry.discover('orders')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    await expect(registry.register(at('b'))).rejects.toMatchObject({ code: 'REGISTRATION_FAILED' });
    await registration.deregister();
  });

  it('heeds the signal of a read and of a registration', async () => {
    const registry = memoryRegistry();
    const reason = new Error('mine');
    await expect(registry.discover('orders', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(registry.register(at('a'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await registry.discover('orders')).toEqual([]);
  });
});
