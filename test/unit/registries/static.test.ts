import { describe, expect, it } from 'vitest';
import { DiscoveryClient } from '../../../src/discovery/discovery-client.js';
import { staticRegistry, type StaticInput } from '../../../src/registries/static.js';
import { RegistryReader } from '../../../src/testing/registry-reader.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';

const origins = async (instances: readonly (StaticInput | string)[], service = 'orders') =>
  (await staticRegistry(instances).discover(service)).map(
    ({ protocol, address, port }) => `${protocol} ${address} ${port}`,
  );

describe('staticRegistry', () => {
  it.each([
    ['10.0.0.1:8080', 'http 10.0.0.1 8080'],
    ['localhost:80', 'http localhost 80'],
    ['[::1]:8080', 'http ::1 8080'],
    ['http://users.local:81', 'http users.local 81'],
    ['HTTP://users.local/', 'http users.local 80'],
    ['https://users.example', 'https users.example 443'],
    ['https://[2001:db8::1]:8443', 'https 2001:db8::1 8443'],
    ['grpc://users.local:50051', 'grpc users.local 50051'],
  ])('reads %s', async (text, expected) => expect(await origins([text])).toEqual([expected]));

  it.each<[unknown, ErrorConstructor | RangeErrorConstructor | TypeErrorConstructor, string]>([
    ['h:70000', RangeError, 'instances[1]: port 70000 is not 1–65535'],
    ['h:0', RangeError, 'instances[1]: port 0 is not 1–65535'],
    ['host', TypeError, 'instances[1]: "host" has no port'],
    ['grpc://host', TypeError, 'instances[1]: "grpc://host" has no port'],
    ['http://h:80/path', TypeError, 'instances[1]: expected "host:port" or "http://host:port"'],
    ['http://h:80?x=1', TypeError, 'instances[1]: expected "host:port"'],
    ['http://me:secret@h:80', TypeError, 'instances[1]: expected "host:port"'],
    ['h o:80', TypeError, 'instances[1]: expected "host:port"'],
    ['', TypeError, 'instances[1]: expected "host:port"'],
    ['::1:80', TypeError, 'instances[1]: expected "host:port"'],
    [null, TypeError, 'instances[1]: expected an instance or a "host:port" string'],
    [8080, TypeError, 'instances[1]: expected an instance'],
    [{ address: 'h', port: 70_000 }, RangeError, 'instances[1]: port 70000 is not 1–65535'],
    [{ address: 'user@h', port: 80 }, TypeError, 'instances[1]: address "user@h"'],
    [{ address: 'h', port: 80, weight: -1 }, RangeError, 'instances[1]: weight -1'],
  ])('refuses %j, at construction and by its index', (bad, Kind, message) => {
    const make = () => staticRegistry(['good:80', bad as string]);
    expect(make).toThrow(Kind);
    expect(make).toThrow(message);
  });

  it('shows no password of an address that it refuses', () => {
    expect(() => staticRegistry(['http://me:secret@h:80'])).toThrow(/^(?!.*secret)/);
    expect(() => staticRegistry('h:80' as never)).toThrow(TypeError);
  });

  it('lists what names no service under every name, the rest under its own', async () => {
    const list = ['a:80', { address: 'b', port: 80 }, { address: 'c', port: 80, service: 'users' }];
    const registry = staticRegistry(list);
    expect((await registry.discover('orders')).map(({ id, service }) => [id, service])).toEqual([
      ['orders-a-80', 'orders'],
      ['orders-b-80', 'orders'],
    ]);
    expect((await registry.discover('users')).map(({ address }) => address)).toEqual(['a', 'b', 'c']);
    list.push('late:80');
    expect(await registry.discover('orders')).toHaveLength(2);
  });

  it('is watched: one set, then silence, until aborted or closed', async () => {
    const registry = staticRegistry(['a:80']);
    const runtime = testRuntime();
    const [one, other] = [1, 2].map(
      () => new RegistryReader({ registry, service: 'orders', runtime, withinMs: 1_000 }),
    );
    expect((await one!.next()).map(({ address }) => address)).toEqual(['a']);
    await one!.end();
    await other!.next();
    const step = other!.step().catch((error: unknown) => error);
    await registry.close();
    await registry.close();
    expect(await step).toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    await expect(registry.discover('orders')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(runtime.pendingTimers).toBe(0);
  });

  it('serves a DiscoveryClient', async () => {
    const runtime = testRuntime();
    const discovery = new DiscoveryClient({ registry: staticRegistry(['a:80', 'b:80']), runtime });
    expect((await discovery.getInstances('orders')).map(({ address }) => address)).toEqual(['a', 'b']);
    await runtime.advance(60_000);
    expect(discovery.status('orders')).toBeUndefined();
    expect(runtime.pendingTimers).toBe(0);
    await discovery.close();
  });
});
