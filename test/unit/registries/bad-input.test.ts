/** What users get wrong, the same with each registry: an error before anything is sent, saying what, where and what was expected. */
import { describe, expect, it } from 'vitest';
import type { InstanceInput } from '../../../src/core/instance.js';
import type { Registrar, Registry, WatchContext } from '../../../src/core/registry.js';
import { consulRegistry } from '../../../src/registries/consul/index.js';
import { dnsRegistry } from '../../../src/registries/dns.js';
import { etcdRegistry } from '../../../src/registries/etcd/index.js';
import { zookeeperRegistry } from '../../../src/registries/zookeeper/index.js';
import { testRuntime } from '../../../src/testing/index.js';

const OPTIONS: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    'consul',
    () => consulRegistry({ url: 'localhost:8500' }),
    /url: expected an http or https URL such as .*, got "local/,
  ],
  ['consul', () => consulRegistry({ url: 'http://a:70000' }), /url: expected an http or https URL such as .*70000"$/],
  ['consul', () => consulRegistry({ url: 'ftp://a:1' }), /url: expected .*, got "ftp:\/\/a:1"/],
  ['consul', () => consulRegistry({ port: 8500 } as never), /port: no such option; use url: 'http:\/\/HOST:PORT'/],
  ['etcd', () => etcdRegistry({ endpoints: 'ftp://a:1' }), /endpoints: expected a URL such as .*, got "ftp:\/\/a:1"/],
  ['etcd', () => etcdRegistry({ endpoints: ['a:1', 'a:70000'] }), /endpoints\[1\]: expected .*, got "a:70000"/],
  ['etcd', () => etcdRegistry({ endpoints: 'http://a:b' }), /endpoints: expected .*, got "http:\/\/a:b"/],
  ['etcd', () => etcdRegistry({ url: 'http://a:1' } as never), /url: no such option; use endpoints/],
  [
    'zookeeper',
    () => zookeeperRegistry({ servers: 'http://a:1' }),
    /servers: expected 'host:port'.*without a scheme, got "http/,
  ],
  ['zookeeper', () => zookeeperRegistry({ servers: ['zk://a:1'] }), /servers: expected .*without a scheme, got "zk:/],
  ['zookeeper', () => zookeeperRegistry({ servers: 'a:70000' }), /servers: port: expected 1–65535, got 70000/],
  ['zookeeper', () => zookeeperRegistry({ servers: 'a:b' }), /servers: expected 'host:port'.*, got "a:b"/],
  ['zookeeper', () => zookeeperRegistry({ sessionTimeoutMs: 999 }), /sessionTimeoutMs: expected 1000–3600000, got 999/],
  ['dns', () => dnsRegistry({ servers: ['a:b'] }), /servers\[0\]: expected .*got "a:b"/],
  ['dns', () => dnsRegistry({ type: 'A', port: 70_000 }), /port: expected 1–65535, got 70000/],
];

it.each(OPTIONS)('%s: %s is refused when the registry is made', (name, make, message) => {
  expect(make).toThrow(message);
  expect(make).toThrow(new RegExp(`^${name}Registry: `));
});

const REGISTRIES: readonly (readonly [string, () => Registry & Registrar])[] = [
  ['consul', () => consulRegistry({ url: 'http://127.0.0.1:1', runtime: testRuntime() })],
  ['etcd', () => etcdRegistry({ endpoints: '127.0.0.1:1', runtime: testRuntime() })],
  ['zookeeper', () => zookeeperRegistry({ servers: '127.0.0.1:1', runtime: testRuntime() })],
];
const WEB: InstanceInput = { id: 'web-1', service: 'web', address: '10.0.0.1', port: 80 };
const SEGMENT = (path: string) => new RegExp(`${path}.*(expected a n|is not a non-empty string|control character)`);

describe.each(REGISTRIES)('%s', (_, make) => {
  it.each(['', 'a/b', '/', '..', '../a', 'a/../b', '.', 'a\u0000b', 'a\nb'])('refuses the name %j', async name => {
    const registry = make();
    const context = { signal: new AbortController().signal } as WatchContext;
    expect(() => registry.watch(name, context)).toThrow(SEGMENT('service'));
    await expect(registry.discover(name)).rejects.toThrow(SEGMENT('service'));
    await expect(registry.register({ ...WEB, service: name })).rejects.toThrow(SEGMENT('service'));
    await expect(registry.register({ ...WEB, id: name })).rejects.toThrow(SEGMENT('id'));
    await expect(registry.register({ ...WEB, id: name })).rejects.toBeInstanceOf(TypeError);
  });

  it.each([
    [{ ttlMs: 999 }, RangeError, /^register: ttlMs: expected 1000–\d+, got 999$/],
    [{ ttlMs: 0 }, RangeError, /ttlMs: expected 1000–\d+, got 0$/],
    [{ ttlMs: NaN }, RangeError, /ttlMs: expected 1000–\d+, got NaN$/],
    [{ ttlMs: Infinity }, RangeError, /ttlMs: expected 1000–\d+, got Infinity$/],
    [{ ttlMs: '15s' }, TypeError, /ttlMs: expected a number, got "15s"$/],
    [{ ttl: 15 }, TypeError, /^register: ttl: no such option; there are .*ttlMs/],
  ])('refuses to register with %j', async (options, kind, message) => {
    const registering = make().register(WEB, options as never);
    await expect(registering).rejects.toBeInstanceOf(kind);
    await expect(registering).rejects.toThrow(message);
  });

  it.each([
    [{ port: 0 }, RangeError, /^port 0 is not 1–65535/],
    [{ port: 70_000 }, RangeError, /^port 70000 is not 1–65535/],
    [{ port: '80' }, RangeError, /^port "80" is not 1–65535/],
    [{ address: '' }, TypeError, /^address "" is not a non-empty string/],
    [{ address: 'http://h' }, TypeError, /^address "http:\/\/h" is not a host name or an IP address/],
    [{ weight: -1 }, RangeError, /^weight -1 is not >= 0/],
    [{ status: 'up' }, TypeError, /^status "up" is not passing, warning or critical/],
  ])('refuses to register %j', async (wrong, kind, message) => {
    const registering = make().register({ ...WEB, ...wrong } as InstanceInput);
    await expect(registering).rejects.toBeInstanceOf(kind);
    await expect(registering).rejects.toThrow(message);
  });
});
