import { expect, it } from 'vitest';
import { zookeeperRegistry } from '../../../src/registries/zookeeper/index.js';
import { resolveOptions } from '../../../src/registries/zookeeper/options.js';
import { loadPeer } from '../../../src/registries/zookeeper/peer.js';

it('has defaults for all', () => {
  expect(resolveOptions()).toMatchObject({
    ...{ servers: ['127.0.0.1:2181'], chroot: '', prefix: '/services', sessionTimeoutMs: 15_000 },
    ...{ requestTimeoutMs: 5_000, credentials: undefined, acl: [{ scheme: 'world', permissions: 'cdrwa' }] },
  });
});

it.each([
  ['a', ['a:2181'], ''],
  ['a:1,b:2', ['a:1', 'b:2'], ''],
  ['a:1,b/x/y', ['a:1', 'b:2181'], '/x/y'],
  ['a/', ['a:2181'], ''],
  [['a:1', 'b_c.d-e:2'], ['a:1', 'b_c.d-e:2'], ''],
])('reads the servers %j', (servers, expected, chroot) => {
  expect(resolveOptions({ servers })).toMatchObject({ servers: expected, chroot });
});

it.each([
  [null, /expected options such as/],
  [{ hosts: 'a' }, /hosts: no such option; use servers/],
  [{ color: 1 }, /color: no such option; there are servers, chroot/],
  [{ servers: '' }, /servers: expected 'host:port'.*got ""/],
  [{ servers: [] }, /servers: expected.*got none/],
  [{ servers: 5 }, /servers: expected.*got 5/],
  [{ servers: 'a:1,,b:1' }, /servers: expected/],
  [{ servers: 'zk://a:1' }, /servers: expected/],
  [{ servers: '[::1]:2181' }, /cannot read an IPv6 literal, give a host name, got "\[::1\]:2181"/],
  [{ servers: ['::1'] }, /cannot read an IPv6 literal/],
  [{ servers: 'a:0' }, /servers: port: expected 1–65535, got 0/],
  [{ servers: 'a:70000' }, /servers: port: expected 1–65535/],
  [{ servers: 'me:hush@a:1' }, /got one with a user name/],
  [{ servers: 'a/../b' }, /servers: expected.*chroot path/],
  [{ servers: 'a/x', chroot: '/y' }, /chroot: is given in servers already/],
  [{ chroot: 'x' }, /chroot: expected a path/],
  [{ prefix: '/' }, /prefix: expected a path such as "\/services", got "\/"/],
  [{ prefix: '/a/../b' }, /prefix: expected a path/],
  [{ prefix: '/a//' }, /prefix: expected a path/],
  [{ prefix: 7 }, /prefix: expected a non-empty string/],
  [{ sessionTimeoutMs: 999 }, /sessionTimeoutMs: expected 1000–3600000, got 999/],
  [{ sessionTimeoutMs: '5s' }, /sessionTimeoutMs: expected a number, got "5s"/],
  [{ sessionTimeoutMs: NaN }, /sessionTimeoutMs: expected 1000/],
  [{ requestTimeoutMs: 0 }, /requestTimeoutMs: expected 100–60000/],
  [{ username: 'a:b', password: 'hush' }, /username, password: expected both/],
  [{ password: 'hush' }, /username, password: expected both/],
  [{ credentials: {} }, /credentials: no such option; use username and password/],
  [{ acl: 'private' }, /acl: "private" needs username and password/],
  [{ acl: 'all' }, /acl: expected 'open'.*got "all"/],
  [{ acl: [] }, /acl: expected 'open'/],
  [{ acl: [{ scheme: 'world', id: 'anyone', permissions: 'x' }] }, /acl: expected 'open'/],
  [{ client: {} }, /client: expected createClient\(…\).*got an object/],
  [{ client: () => undefined, servers: 'a' }, /client: comes instead of servers/],
])('refuses %j', (options, message) => {
  let error: unknown;
  try {
    zookeeperRegistry(options as never);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toMatch(message);
  expect(String(error)).toMatch(/^(Type|Range)Error: zookeeperRegistry: /);
  expect(String(error)).not.toContain('hush');
});

it.each([['a/b'], ['..'], [''], ['a\u0000']])('refuses the name %j before anything is sent', async name => {
  const registry = zookeeperRegistry();
  const instance = { id: 'a', service: 'web', address: 'h', port: 1 };
  expect(() => registry.watch(name, {} as never)).toThrow(TypeError);
  await expect(registry.discover(name)).rejects.toBeInstanceOf(TypeError);
  await expect(registry.register({ ...instance, service: name })).rejects.toBeInstanceOf(TypeError);
  await expect(registry.register({ ...instance, id: name })).rejects.toBeInstanceOf(TypeError);
});

it.each([
  [{ ttlMs: 999 }, RangeError],
  [{ ttlMs: '15s' }, TypeError],
  [{ check: {} }, TypeError],
])('refuses to register with %j', async (options, kind) => {
  const instance = { id: 'a', service: 'web', address: 'h', port: 1 };
  await expect(zookeeperRegistry().register(instance, options as never)).rejects.toBeInstanceOf(kind);
});

it('says which package to install when there is none, or another', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  await expect(loadPeer(() => Promise.reject(missing))).rejects.toMatchObject({
    ...{ code: 'MISSING_PEER', message: expect.stringMatching(/npm install node-zookeeper-client$/) },
  });
  await expect(loadPeer(() => Promise.resolve({ default: {} }))).rejects.toMatchObject({ code: 'MISSING_PEER' });
  const broken = new Error('broken');
  await expect(loadPeer(() => Promise.reject(broken))).rejects.toBe(broken);
});
