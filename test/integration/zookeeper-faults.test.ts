/**
 * What may happen to a ZooKeeper, one server and three, while a registration lives and a DiscoveryClient watches: the last
 * good set is kept, nothing is asked in a hurry, and all is right again soon after ZooKeeper is. The servers themselves
 * say what they hold.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { zookeeperRegistry } from '../../src/registries/zookeeper/index.js';
import { eventually, serverOrSkip, startZooKeeper, type ZooKeeper } from '../servers/index.js';
import { countConnections, ephemeralsOf, put, setStage, startWire, TTL_MS, type Stage } from './zookeeper-stage.js';

const server = await serverOrSkip('zookeeper');
/** The promise, and some for a busy machine. */
const BACK_WITHIN_MS = TTL_MS + 2_000;
const SEEN_WITHIN_MS = BACK_WITHIN_MS + 5_000;
/** Two registries; after it tried all servers the package waits half a second on average. */
const CALM_PER_SECOND = 15;

let services = 0;
const freshService = (): string => `faulty-${(services += 1)}`;
const rejections: unknown[] = [];
const collect = (reason: unknown): void => void rejections.push(reason);

/** Our own registration and one entry that somebody else wrote, both seen. */
const settled = async (stage: Stage, zookeeper: ZooKeeper): Promise<Stage> => {
  stage.follow(await stage.pending);
  await put(zookeeper.connectString, `${stage.path}/other`, '127.0.0.1:7002');
  await eventually(async () => expect(await stage.ids()).toEqual(['other', 'own']));
  return stage;
};

const runningOf = ({ nodes }: ZooKeeper): string =>
  nodes
    .filter(({ state }) => state === 'running')
    .map(({ address }) => address)
    .join(',');

/** From now on: the servers hold our entry in time, and what others write is seen by us. */
const rightAgain = async (stage: Stage, zookeeper: ZooKeeper): Promise<void> => {
  const from = performance.now();
  const registration = await stage.pending;
  await eventually(
    async () => {
      expect(registration.state).toBe('registered');
      expect([...(await ephemeralsOf(zookeeper)).keys()]).toContain(`${stage.path}/own`);
    },
    { withinMs: BACK_WITHIN_MS, what: 'the registration' },
  );
  const backMs = performance.now() - from;
  for (const [id, port] of [
    ['other', 7002],
    ['late', 7003],
  ])
    await eventually(() => put(runningOf(zookeeper), `${stage.path}/${id}`, `127.0.0.1:${port}`));
  const isRight = async (): Promise<void> => expect(await stage.ids()).toEqual(['late', 'other', 'own']);
  await eventually(isRight, { withinMs: SEEN_WITHIN_MS, what: 'the right set' });
  const seenMs = performance.now() - from;
  console.log(`${expect.getState().currentTestName}: back ${backMs.toFixed(0)} ms, seen ${seenMs.toFixed(0)} ms`);
};

/** While ZooKeeper is away: nobody asks in a hurry, and who was known stays known. */
const calmFor = async (stage: Stage, ms: number, endpoints = 1): Promise<void> => {
  const stop = countConnections();
  await sleep(ms);
  const perSecond = stop();
  console.log(`${expect.getState().currentTestName}: ${perSecond.toFixed(1)} connections tried per second`);
  expect(perSecond).toBeLessThan(CALM_PER_SECOND * endpoints);
  expect(await stage.ids()).toEqual(['other', 'own']);
};

describe.skipIf(server === undefined)('zookeeperRegistry and a ZooKeeper in trouble', () => {
  const stages: Stage[] = [];
  const staged = async (...args: Parameters<typeof setStage>): Promise<Stage> => {
    const stage = await setStage(...args);
    stages.push(stage);
    return stage;
  };
  beforeEach(() => {
    rejections.length = 0;
    process.on('unhandledRejection', collect);
    process.on('uncaughtException', collect);
  });
  afterEach(async () => {
    await Promise.all(stages.splice(0).map(stage => stage.close()));
    process.off('unhandledRejection', collect);
    process.off('uncaughtException', collect);
    expect(rejections).toEqual([]);
  });

  describe('one server', () => {
    let zookeeper: ZooKeeper;
    let servers = '';
    beforeAll(async () => {
      zookeeper = await startZooKeeper();
      servers = zookeeper.connectString;
    });
    afterAll(() => zookeeper?.stop());

    it.each([
      ['with its data', false],
      ['without its data', true],
    ])('that is killed for longer than a session and comes back %s', async (_, wiped) => {
      const stage = await settled(await staged({ servers }, freshService()), zookeeper);
      await zookeeper.kill();
      await calmFor(stage, TTL_MS + 1_000);
      const registration = await stage.pending;
      await eventually(() => expect(registration.state).toBe('lost'));
      if (wiped) await zookeeper.wipe();
      await zookeeper.restart();
      await rightAgain(stage, zookeeper);
      // Two at least: who was lost together was held, not dropped.
      expect(Math.min(...stage.sizes.slice(stage.sizes.indexOf(2)))).toBe(2);
      expect(stage.told.filter(type => type !== 'error')).toEqual(['lost', 'restored']);
      expect(stage.events.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['registry.lost', 'registry.restored']),
      );
    });

    it('that comes back without its data before anybody gave up: it refuses who saw more than it did', async () => {
      const wire = await startWire(servers);
      const options = { servers: wire.address, sessionTimeoutMs: 6_000 };
      const stage = await settled(await staged(options, freshService()), zookeeper);
      await zookeeper.kill();
      await zookeeper.wipe();
      await zookeeper.restart();
      const [madeBefore, from] = [wire.made, performance.now()];
      await eventually(async () => expect([...(await ephemeralsOf(zookeeper)).keys()]).toEqual([`${stage.path}/own`]), {
        withinMs: 6_000 + 4_000,
        what: 'a new session',
      });
      const tookMs = performance.now() - from;
      const perSecond = (wire.made - madeBefore) / (tookMs / 1_000);
      console.log(`refused for ${tookMs.toFixed(0)} ms: ${perSecond.toFixed(1)} connections tried per second`);
      expect(perSecond).toBeLessThan(CALM_PER_SECOND);
      await rightAgain(stage, zookeeper);
      await stage.close();
      wire.close();
    });

    it('that stands still for longer than the session, and goes on', async () => {
      const stage = await settled(await staged({ servers }, freshService()), zookeeper);
      const registration = await stage.pending;
      await zookeeper.pause();
      await calmFor(stage, TTL_MS + 2_000);
      expect(registration.state).toBe('lost');
      expect(stage.events.map(({ type }) => type)).toContain('registry.lost');
      await expect(stage.reader.discover(stage.service)).rejects.toThrow(/no connection within 1000 ms/);
      zookeeper.resume();
      await rightAgain(stage, zookeeper);
    });

    it('whose connections are cut under a watch: the session goes on, and the entry with it', async () => {
      const wire = await startWire(servers);
      const stage = await settled(await staged({ servers: wire.address }, freshService()), zookeeper);
      const before = (await ephemeralsOf(zookeeper)).get(`${stage.path}/own`);
      wire.cut();
      await rightAgain(stage, zookeeper);
      expect((await ephemeralsOf(zookeeper)).get(`${stage.path}/own`)).toBe(before);
      expect(stage.told.filter(type => type !== 'error')).toEqual([]);
      expect(stage.events.map(({ type }) => type)).toContain('registry.lost');
      await stage.close();
      await eventually(() => expect(wire.connections).toBe(0));
      wire.close();
    });

    it('behind a wire that falls silent', async () => {
      const wire = await startWire(servers);
      const stage = await settled(await staged({ servers: wire.address }, freshService()), zookeeper);
      wire.stall(true);
      await calmFor(stage, TTL_MS + 2_000);
      expect((await stage.pending).state).toBe('lost');
      wire.stall(false);
      await rightAgain(stage, zookeeper);
      await stage.close();
      wire.close();
    });

    it('that is up only after the client', async () => {
      await zookeeper.kill();
      const stage = await staged({ servers }, freshService());
      await sleep(TTL_MS + 1_500);
      await expect(stage.ids()).rejects.toMatchObject({ code: 'NO_INSTANCES' });
      expect(stage.events.map(({ type }) => type)).toContain('registry.lost');
      await zookeeper.restart();
      await stage.pending;
      await rightAgain(stage, zookeeper);
    });

    it('of which one endpoint is dead from the start', async () => {
      const dead = createServer().listen(0, '127.0.0.1');
      await once(dead, 'listening');
      const { port } = dead.address() as AddressInfo;
      dead.close();
      const stage = await staged({ servers: [`127.0.0.1:${port}`, servers] }, freshService());
      await settled(stage, zookeeper);
      await rightAgain(stage, zookeeper);
    });

    it('that lets only others in: a refusal, no waiting, no empty list, and no word of the password', async () => {
      const service = freshService();
      const owner = zookeeperRegistry({ servers, username: 'boss', password: 'hush-1', acl: 'private' });
      await owner.register({ id: 'i', service, address: '127.0.0.1', port: 1 });
      const stage = await staged({ servers, username: 'eve', password: 'hush-2' }, service);
      const refused = await stage.pending.catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: 'REGISTRATION_FAILED',
        service,
        message: expect.stringMatching(/NO_AUTH/),
      });
      await expect(stage.reader.discover(service)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
      await eventually(() => expect(stage.events.map(({ type }) => type)).toContain('registry.lost'));
      expect(stage.sizes).toEqual([]);
      const said = [refused, ...stage.events].map(thing => JSON.stringify(thing) + String(thing));
      expect(said.join()).not.toContain('hush');
      await owner.close();
    });
  });

  describe('three servers', () => {
    let zookeeper: ZooKeeper;
    beforeAll(async () => {
      zookeeper = await startZooKeeper({ nodes: 3 });
    });
    afterAll(() => zookeeper?.stop());

    it('of which the leader is killed', async () => {
      const stage = await settled(await staged({ servers: zookeeper.connectString }, freshService()), zookeeper);
      const leader = await zookeeper.leader();
      await leader.kill();
      await zookeeper.leader();
      await rightAgain(stage, zookeeper);
      await leader.restart();
    });

    it('of which the leader stands still for longer than the session', async () => {
      const stage = await settled(await staged({ servers: zookeeper.connectString }, freshService()), zookeeper);
      const leader = await zookeeper.leader();
      await leader.pause();
      await calmFor(stage, TTL_MS + 2_000, 3);
      await rightAgain(stage, zookeeper);
      leader.resume();
      await sleep(1_000);
      expect(await stage.ids()).toEqual(['late', 'other', 'own']);
    });

    it('which are all killed and come back', async () => {
      const stage = await settled(await staged({ servers: zookeeper.connectString }, freshService()), zookeeper);
      await zookeeper.kill();
      await calmFor(stage, TTL_MS + 1_000, 3);
      await zookeeper.restart();
      await rightAgain(stage, zookeeper);
    });
  });
});
