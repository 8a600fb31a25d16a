/**
 * zookeeperRegistry on a real ZooKeeper. What it wrote is read by ZooKeeper's own command line tool and its four-letter
 * commands, and what it reads was written by that tool or by a bare client.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceInstance } from '../../src/core/instance.js';
import type { RegistryProblem } from '../../src/core/registry.js';
import { systemRuntime } from '../../src/core/runtime.js';
import {
  zookeeperRegistry,
  type ZooKeeperClient,
  type ZooKeeperRegistry,
  type ZooKeeperRegistryOptions,
} from '../../src/registries/zookeeper/index.js';
import { loadPeer, type Stat } from '../../src/registries/zookeeper/peer.js';
import { askFourLetters, eventually, serverOrSkip, startZooKeeper, type ZooKeeper } from '../servers/index.js';
import { TTL_MS } from './support/fault-scene.js';
import { ownerThatLeaves } from './support/owners.js';
import { openWire } from './support/wire.js';
import { bare, ephemeralsOf, put, zkCli } from './zookeeper-stage.js';

const server = await serverOrSkip('zookeeper');
const WEB = { id: 'web-1', service: 'web', address: '10.0.0.1', port: 8080 };
const FULL = {
  ...{ ...WEB, weight: 7, version: '2', zone: 'a', tags: ['blue'], metadata: { k: 'v' }, protocol: 'https' },
};

describe.skipIf(server === undefined)('zookeeperRegistry on a real ZooKeeper', () => {
  let zookeeper: ZooKeeper;
  let servers = '';
  const registries: ZooKeeperRegistry[] = [];
  const registryOf = (options: ZooKeeperRegistryOptions = {}): ZooKeeperRegistry => {
    const given = options.client === undefined ? { servers, ...options } : options;
    const registry = zookeeperRegistry({ sessionTimeoutMs: TTL_MS, ...given });
    registries.push(registry);
    return registry;
  };
  const paths = async (): Promise<string[]> => [...(await ephemeralsOf(zookeeper)).keys()];
  const idsOf = (set: readonly ServiceInstance[]): string[] => set.map(({ id }) => id).sort();

  beforeAll(async () => {
    zookeeper = await startZooKeeper();
    servers = zookeeper.connectString;
  });
  afterEach(async () => {
    await Promise.all(registries.splice(0).map(registry => registry.close()));
  });
  afterAll(() => zookeeper?.stop());

  it('writes an entry that others read, whole, and removes it', async () => {
    const registry = registryOf();
    const registration = await registry.register(FULL);
    const said = await zkCli(servers, 'get', '-s', '/services/web/web-1');
    const value = JSON.parse(/^\{.*\}$/m.exec(said)?.[0] ?? '') as object;
    expect(value).toEqual({ ...FULL, service: undefined, status: 'passing' });
    expect(said).toMatch(/ephemeralOwner = 0x[1-9a-f]/);
    const czxid = /cZxid = (0x[0-9a-f]+)/.exec(said)?.[1];
    expect(await registry.discover('web')).toMatchObject([{ ...FULL, incarnation: czxid }]);
    await registration.update({ weight: 0.5, tags: ['green'] });
    expect(await registry.discover('web')).toMatchObject([{ weight: 0.5, tags: ['green'], incarnation: czxid }]);
    await registration.deregister();
    expect(await paths()).not.toContain('/services/web/web-1');
  });

  it('reads what the command line tool wrote, JSON and host:port, within a moment', async () => {
    const { next, abort } = watching(registryOf(), 'cli');
    expect(await next()).toEqual([]);
    await zkCli(servers, 'create', '/services', '').catch(() => undefined);
    await zkCli(servers, 'create', '/services/cli', '');
    await zkCli(servers, 'create', '/services/cli/plain', '10.0.0.9:81');
    expect(await next()).toMatchObject([{ id: 'plain', address: '10.0.0.9', port: 81, status: 'passing' }]);
    const json = '{"address":"::1","port":82,"weight":3,"zone":"b","tags":["t"],"status":"warning","more":[1]}';
    await zkCli(servers, 'create', '/services/cli/json', json);
    const [first] = await next();
    expect(first).toMatchObject({ id: 'json', address: '::1', port: 82, weight: 3, zone: 'b', status: 'warning' });
    await zkCli(servers, 'delete', '/services/cli/plain');
    expect(idsOf(await next())).toEqual(['json']);
    abort();
  });

  it('skips and reports what is no instance, and shows the rest', async () => {
    const wrong: Record<string, string> = {
      ...{
        html: '<html></html>',
        broken: '{"address":"a",',
        port0: '10.0.0.1:0',
        port70000: '{"address":"a","port":70000}',
      },
      ...{
        empty: '',
        list: '[1]',
        user: 'user@host:80',
        huge: `{"address":"a","port":1,"x":"${'y'.repeat(200_000)}"}`,
      },
      ...{ tags: '{"address":"a","port":1,"tags":7}', proto: '{"address":"a","port":1,"metadata":{"__proto__":"x"}}' },
    };
    for (const [id, value] of Object.entries(wrong)) await put(servers, `/services/junk/${id}`, value);
    await put(servers, '/services/junk/good', '10.0.0.1:80');
    const problems: RegistryProblem[] = [];
    const { next, abort } = watching(registryOf(), 'junk', problems);
    expect(idsOf(await next())).toEqual(['good']);
    expect(problems.map(({ entry }) => entry).sort()).toEqual(Object.keys(wrong).sort());
    expect(problems.map(({ message }) => message).join()).not.toContain('yyy');
    abort();
  });

  it('sees a node that was replaced by one of the same name between two reads, and one that was updated', async () => {
    const { next, abort } = watching(registryOf(), 'swap');
    await next();
    await put(servers, '/services/swap/other', '10.0.0.2:80');
    await put(servers, '/services/swap/a', '10.0.0.1:80');
    const [before] = await eventually(async () => {
      const set = await next();
      return set.length === 2 && set;
    });
    await bare<unknown>(servers, (client, done) =>
      client
        .transaction()
        .remove('/services/swap/a', -1)
        .create('/services/swap/a', Buffer.from('10.0.0.1:81'), undefined as never, 0)
        .commit(done),
    );
    const [after] = await next();
    expect([before?.port, after?.port]).toEqual([80, 81]);
    expect(after?.incarnation).not.toBe(before?.incarnation);
    abort();
  });

  it('reads no more than what changed: a look at the parent, and the new or updated node', async () => {
    const wire = await openWire(servers);
    const writer = registryOf();
    const registrations = await Promise.all(
      Array.from({ length: 100 }, (_, index) => writer.register({ ...WEB, id: `m-${index}`, service: 'many' })),
    );
    const { next, abort } = watching(registryOf({ servers: wire.address, sessionTimeoutMs: 30_000 }), 'many');
    expect(await next()).toHaveLength(100);
    const { received } = await statsOf(zookeeper);
    await registrations[50]!.update({ weight: 5 });
    expect((await next()).find(({ id }) => id === 'm-50')?.weight).toBe(5);
    const between = await statsOf(zookeeper);
    // The writer: exists and the transaction; the reader: two. And the question itself, and a ping or two.
    expect(between.received - received).toBeLessThan(15);
    await writer.register({ ...WEB, id: 'm-new', service: 'many' });
    expect(await next()).toHaveLength(101);
    expect((await statsOf(zookeeper)).received - between.received).toBeLessThan(15);
    abort();
    await wire.down();
  });

  it('takes over the entry of a process that died within its session, and gives way to a later one', async () => {
    const first = registryOf({ sessionTimeoutMs: 30_000 });
    const held = await first.register({ ...WEB, service: 'taken' }, { ttlMs: TTL_MS });
    const before = (await ephemeralsOf(zookeeper)).get('/services/taken/web-1');
    const second = registryOf();
    const taken = await second.register({ ...WEB, service: 'taken', port: 8081 });
    const after = (await ephemeralsOf(zookeeper)).get('/services/taken/web-1');
    expect(after).not.toBe(before);
    const told: unknown[] = [];
    held.on('error', cause => told.push(cause));
    await eventually(() => expect(held.state).toBe('lost'));
    await sleep(TTL_MS);
    // No war: the later keeps it, and the earlier says why it has none.
    expect((await ephemeralsOf(zookeeper)).get('/services/taken/web-1')).toBe(after);
    expect(String(told[0])).toMatch(/web-1 cannot be written: .* is of another session, 0x/);
    await taken.deregister();
    await eventually(() => expect(held.state).toBe('registered'));
    expect((await ephemeralsOf(zookeeper)).get('/services/taken/web-1')).toBe(before);
  });

  it('leaves a lasting node alone that bears its name', async () => {
    await put(servers, '/services/hand/web-1', '10.0.0.1:80');
    const refused = registryOf().register({ ...WEB, service: 'hand' });
    await expect(refused).rejects.toMatchObject({
      code: 'REGISTRATION_FAILED',
      message: expect.stringMatching(/is a lasting node/),
    });
  });

  it('makes missing parents, twenty at once, and again when somebody removed them', async () => {
    const [one, other] = [registryOf({ prefix: '/deep/er/services' }), registryOf({ prefix: '/deep/er/services' })];
    const registrations = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        [one, other][index % 2]!.register({ ...WEB, id: `p-${index}`, service: 'parents' }),
      ),
    );
    expect(await one.discover('parents')).toHaveLength(20);
    const { next, abort } = watching(one, 'parents');
    expect(await next()).toHaveLength(20);
    await zkCli(servers, 'deleteall', '/deep');
    await eventually(async () => expect(await next()).toHaveLength(20));
    await eventually(() => expect(registrations.every(({ state }) => state === 'registered')).toBe(true));
    abort();
  });

  it('works below a chroot, which others see as a path', async () => {
    await put(servers, '/teams', '');
    await put(servers, '/teams/blue', '');
    const registry = registryOf({ chroot: '/teams/blue' });
    const { next, abort } = watching(registry, 'web');
    expect(await next()).toEqual([]);
    const registration = await registry.register(WEB);
    expect(idsOf(await next())).toEqual(['web-1']);
    expect(await paths()).toContain('/teams/blue/services/web/web-1');
    await registration.update({ weight: 4 });
    expect(await next()).toMatchObject([{ weight: 4 }]);
    await registration.deregister();
    expect(await next()).toEqual([]);
    expect(idsOf(await registryOf({ servers: `${servers}/teams/blue` }).discover('web'))).toEqual([]);
    abort();
  });

  it('guards its nodes by the credentials that it has from the first request on', async () => {
    const user = { username: 'fair', password: 'le:ad' };
    const prefix = '/guarded';
    const owner = registryOf({ ...user, prefix });
    await owner.register(WEB);
    const acl = await zkCli(servers, 'getAcl', '/guarded/web/web-1');
    expect(acl).toMatch(/'digest,'fair:[^\n]+\n: cdrwa\n'world,'anyone\n: r/);
    const stranger = registryOf({ prefix });
    expect(idsOf(await stranger.discover('web'))).toEqual(['web-1']);
    await expect(stranger.register({ ...WEB, id: 'web-2' })).rejects.toMatchObject({
      ...{ code: 'REGISTRATION_FAILED', service: 'web' },
      message: expect.stringMatching(/create \/guarded\/web\/web-2 failed: NO_AUTH/),
    });
    const friend = registryOf({ ...user, prefix });
    await friend.register({ ...WEB, id: 'web-2' });
    expect(idsOf(await stranger.discover('web'))).toEqual(['web-1', 'web-2']);
  });

  it('tells apart one node that may not be read from a whole service', async () => {
    await put(servers, '/services/partly/open', '10.0.0.1:80');
    await zkCli(servers, 'create', '/services/partly/shut', '10.0.0.2:80', 'digest:x:y:cdrwa');
    const problems: RegistryProblem[] = [];
    const report = (problem: RegistryProblem): void => void problems.push(problem);
    expect(idsOf(await registryOf().discover('partly', { report }))).toEqual(['open']);
    expect(problems).toMatchObject([{ kind: 'bad-entry', entry: 'shut', message: expect.stringMatching(/NO_AUTH/) }]);
    await zkCli(servers, 'create', '/services/closed', '', 'digest:x:y:cdrwa');
    await expect(registryOf().discover('closed')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });

  it('refuses an instance that no node could hold, and names what ZooKeeper would not take', async () => {
    const registry = registryOf();
    const huge = { ...WEB, metadata: { text: 'x'.repeat(1024 * 1024) } };
    await expect(registry.register(huge)).rejects.toThrow(/takes \d+ bytes, more than 65536/);
    await registry.register({ ...WEB, service: 'näme 50% 😀', id: '😀 50%' });
    expect(await paths()).toContain('/services/näme 50%25 %F0%9F%98%80/%F0%9F%98%80 50%25');
    expect(idsOf(await registry.discover('näme 50% 😀'))).toEqual(['😀 50%']);
  });

  it('uses one session for all it does, and none when nothing is done any more', async () => {
    const wire = await openWire(servers);
    const registry = registryOf({ servers: wire.address });
    expect(wire.made).toBe(0);
    const registrations = await Promise.all([registry.register(WEB), registry.register({ ...WEB, id: 'web-2' })]);
    const { next, abort } = watching(registry, 'web');
    expect(await next()).toHaveLength(2);
    await registry.discover('web');
    expect(wire.made).toBe(1);
    abort();
    await Promise.all(registrations.map(registration => registration.deregister()));
    await eventually(() => expect(wire.connections).toBe(0));
    expect(await registry.discover('web')).toEqual([]);
    expect(wire.made).toBe(2);
    await wire.down();
  });

  it('removes later what it could not remove while the connection was away and others kept the session', async () => {
    const wire = await openWire(servers);
    const registry = registryOf({ servers: wire.address, sessionTimeoutMs: 20_000, requestTimeoutMs: 300 });
    const going = await registry.register({ ...WEB, id: 'going', service: 'left' });
    await registry.register({ ...WEB, id: 'staying', service: 'left' });
    wire.stall(true);
    await going.deregister();
    expect(await paths()).toContain('/services/left/going');
    wire.stall(false);
    wire.cut();
    await eventually(async () => expect(await paths()).not.toContain('/services/left/going'));
    expect(await paths()).toContain('/services/left/staying');
    await wire.down();
  });

  it('works with clients that the caller makes, and with one that the caller has', async () => {
    const peer = await loadPeer(
      // @ts-expect-error -- the package has no types
      (): Promise<unknown> => import('node-zookeeper-client'),
    );
    const make = (sessionTimeout = 10_000): ZooKeeperClient =>
      peer.createClient(servers, { sessionTimeout, spinDelay: 100, retries: 0 });
    await registryOf({ client: make }).register({ ...WEB, service: 'lent' });
    const own = make();
    own.connect();
    const registry = registryOf({ client: own });
    expect(idsOf(await registry.discover('lent'))).toEqual(['web-1']);
    await registry.register({ ...WEB, id: 'web-2', service: 'lent' });
    await registry.close();
    expect(await paths()).not.toContain('/services/lent/web-2');
    // It was not closed with the registry.
    expect(idsOf(await registryOf({ client: own }).discover('lent'))).toEqual(['web-1']);
    own.close();
  });

  it.each(['leave', 'give-up'] as const)('lets a process end that closed it: %s', async what => {
    const address = what === 'leave' ? servers : '127.0.0.1:1';
    const instance = { id: 'first', service: 'owned', address: '127.0.0.1', port: 9 };
    const left = await ownerThatLeaves({ kind: 'zookeeper', address, instance }, what);
    expect(left).toMatchObject({ said: 'closed\n', code: 0 });
    expect(left.lingeredMs).toBeLessThan(2_000);
    expect((await paths()).filter(path => path.startsWith('/services/owned/'))).toEqual([]);
  });

  it('counts children as it is relied upon: creations plus deletions, in the answer with their names', async () => {
    await put(servers, '/counted/a', '');
    await put(servers, '/counted/b', '');
    const stat = (): Promise<Stat> =>
      bare<Stat>(servers, (client, done) =>
        client.getChildren('/counted', undefined, (error, _names, parent) => done(error, parent)),
      );
    expect((await stat()).cversion).toBe(2);
    await zkCli(servers, 'delete', '/counted/a');
    await put(servers, '/counted/a', '');
    expect((await stat()).cversion).toBe(4);
  });
});

const statsOf = async (zookeeper: ZooKeeper): Promise<{ received: number }> => {
  const text = await askFourLetters(zookeeper.nodes[0].ports.client, 'mntr');
  return { received: Number(/zk_packets_received\s+(\d+)/.exec(text)?.[1]) };
};

const watching = (registry: ZooKeeperRegistry, service: string, problems: RegistryProblem[] = []) => {
  const controller = new AbortController();
  const report = (problem: RegistryProblem): void => void problems.push(problem);
  const context = { signal: controller.signal, runtime: systemRuntime, report };
  const sets = registry.watch(service, context)[Symbol.asyncIterator]();
  const next = async (): Promise<readonly ServiceInstance[]> => {
    const step = await Promise.race([sets.next(), sleep(10_000, undefined, { ref: false })]);
    if (step === undefined) throw new Error('no set within 10 s');
    if (step.done === true) throw new Error('the watch ended');
    return step.value;
  };
  return { next, abort: () => controller.abort() };
};
