/**
 * What may happen to an etcd, one server and three, while a registration lives and a DiscoveryClient watches: the last
 * good set is kept, nothing is asked in a hurry, and all is right again soon after etcd is. A witness looks by HTTP.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { etcdRegistry } from '../../src/registries/etcd/index.js';
import { eventually, serverOrSkip, startEtcd, type Etcd } from '../servers/index.js';
import { countConnections, requestsSeenBy, setStage, startWire, TTL_MS, witness, type Stage } from './etcd-stage.js';

const server = await serverOrSkip('etcd');
/** Of the promise, and some for a busy machine. */
const BACK_WITHIN_MS = TTL_MS + 2_000;
/** A DiscoveryClient waits longer between tries the longer it takes; after a few seconds, some more. */
const SEEN_WITHIN_MS = 12_000;
/** For each endpoint: two registries, of which one puts back an entry with a short TTL. */
const CALM_PER_SECOND = 15;
const OTHER = 'other';

let services = 0;
const freshService = (): string => `faulty-${(services += 1)}`;
const rejections: unknown[] = [];
const collect = (reason: unknown): void => void rejections.push(reason);

/** Our own registration and one entry that somebody else wrote, both seen. */
const settled = async (stage: Stage, url: string): Promise<Stage> => {
  stage.follow(await stage.pending);
  await witness(url).put(`${stage.prefix}${OTHER}`, '127.0.0.1:7002');
  await eventually(async () => expect(await stage.ids()).toEqual(['other', 'own']));
  return stage;
};

/** From now on: the witness sees our entry again in time, with a lease, and what it writes is seen by us. */
const rightAgain = async (stage: Stage, url: string): Promise<void> => {
  const from = performance.now();
  const { put, remove, list } = witness(url);
  const registration = await stage.pending;
  await eventually(
    async () => {
      const entry = (await list(stage.prefix))[`${stage.prefix}own`];
      expect(entry?.lease).toMatch(/^[1-9]\d*$/);
      expect(registration.state).toBe('registered');
    },
    { withinMs: BACK_WITHIN_MS, what: 'the registration' },
  );
  const backMs = performance.now() - from;
  await put(`${stage.prefix}${OTHER}`, '127.0.0.1:7002');
  await put(`${stage.prefix}late`, '127.0.0.1:7003');
  const isRight = async (): Promise<void> => expect(await stage.ids()).toEqual(['late', 'other', 'own']);
  await eventually(isRight, { withinMs: SEEN_WITHIN_MS, what: 'the right set' });
  const seenMs = performance.now() - from;
  await remove(`${stage.prefix}late`);
  await eventually(async () => expect(await stage.ids()).toEqual(['other', 'own']));
  console.log(`${expect.getState().currentTestName}: back ${backMs.toFixed(0)} ms, seen ${seenMs.toFixed(0)} ms`);
};

/** While etcd is away: nobody asks in a hurry, and who was known stays known. */
const calmFor = async (stage: Stage, ms: number, endpoints = 1): Promise<void> => {
  const stop = countConnections();
  await sleep(ms);
  const { perSecond } = stop();
  console.log(`${expect.getState().currentTestName}: ${perSecond.toFixed(1)} connections tried per second`);
  expect(perSecond).toBeLessThan(CALM_PER_SECOND * endpoints);
  expect(await stage.ids()).toEqual(['other', 'own']);
};

describe.skipIf(server === undefined)('etcdRegistry and an etcd in trouble', () => {
  const stages: Stage[] = [];
  const staged = async (...args: Parameters<typeof setStage>): Promise<Stage> => {
    const stage = await setStage(...args);
    stages.push(stage);
    return stage;
  };
  beforeEach(() => {
    rejections.length = 0;
    process.on('unhandledRejection', collect);
  });
  afterEach(async () => {
    await Promise.all(stages.splice(0).map(stage => stage.close()));
    process.off('unhandledRejection', collect);
    expect(rejections).toEqual([]);
  });

  describe('one server', () => {
    let etcd: Etcd;
    let url = '';
    beforeAll(async () => {
      etcd = await startEtcd();
      url = etcd.nodes[0].url;
    });
    afterAll(() => etcd?.stop());

    it.each([
      ['with its data', false],
      ['without its data', true],
    ])('that is killed and comes back %s', async (_, wiped) => {
      const stage = await settled(await staged({ endpoints: url }, freshService()), url);
      await etcd.kill();
      await calmFor(stage, TTL_MS + 1_000);
      const registration = await stage.pending;
      await eventually(() => expect(registration.state).toBe('lost'));
      if (wiped) await etcd.wipe();
      await etcd.restart();
      await rightAgain(stage, url);
      // Two at least: who was lost together was held, not dropped.
      expect(Math.min(...stage.sizes.slice(stage.sizes.indexOf(2)))).toBe(2);
      expect(stage.told.filter(type => type !== 'error')).toEqual(['lost', 'restored']);
      expect(stage.events.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['registry.lost', 'registry.restored']),
      );
    });

    it('that stands still for longer than the lease, and goes on', async () => {
      const stage = await settled(await staged({ endpoints: url }, freshService()), url);
      const registration = await stage.pending;
      await etcd.pause();
      await calmFor(stage, TTL_MS + 2_000);
      expect(registration.state).toBe('lost');
      expect(stage.events.map(({ type }) => type)).toContain('registry.lost');
      await expect(stage.reader.discover(stage.service)).rejects.toThrow(/had no answer within 1000 ms/);
      etcd.resume();
      await rightAgain(stage, url);
    });

    it('whose connections are cut under a watch', async () => {
      const wire = await startWire(url);
      const stage = await settled(await staged({ endpoints: wire.endpoint }, freshService()), url);
      wire.cut();
      await rightAgain(stage, url);
      expect((await stage.pending).state).toBe('registered');
      await stage.close();
      await eventually(() => expect(wire.connections).toBe(0));
      wire.close();
    });

    it('behind a wire that fell silent', async () => {
      const wire = await startWire(url);
      const stage = await settled(await staged({ endpoints: wire.endpoint }, freshService()), url);
      wire.stall(true);
      await calmFor(stage, TTL_MS + 2_000);
      expect(stage.events.map(({ type }) => type)).toContain('registry.lost');
      // What was sent meanwhile is lost: only new connections work.
      wire.cut();
      wire.stall(false);
      await rightAgain(stage, url);
      wire.close();
    });

    it('that comes up after its clients', async () => {
      await etcd.kill();
      const stage = await staged({ endpoints: url }, freshService());
      const stop = countConnections();
      await sleep(2_000);
      expect(stop().perSecond).toBeLessThan(CALM_PER_SECOND);
      await etcd.restart();
      stage.follow(await stage.pending);
      await witness(url).put(`${stage.prefix}${OTHER}`, '127.0.0.1:7002');
      await rightAgain(stage, url);
    });

    it('whose registration is given up while it is away', async () => {
      await etcd.kill();
      const registry = etcdRegistry({ endpoints: url, requestTimeoutMs: 1_000 });
      const controller = new AbortController();
      const input = { service: 'given-up', address: '127.0.0.1', port: 1 };
      const pending = registry.register(input, { signal: controller.signal });
      const outcome = expect(pending).rejects.toThrow('enough');
      await sleep(500);
      controller.abort(new Error('enough'));
      await outcome;
      await registry.close();
      await etcd.restart();
      expect(await witness(url).list('/services/given-up/')).toEqual({});
    });
  });

  describe('three servers', () => {
    let etcd: Etcd;
    let survivor = '';
    beforeAll(async () => {
      etcd = await startEtcd({ nodes: 3 });
    });
    beforeEach(async () => {
      await Promise.all(etcd.nodes.filter(({ state }) => state !== 'running').map(node => node.restart()));
    });
    afterAll(() => etcd?.stop());

    it('whose leader is killed', async () => {
      const leader = await etcd.leader();
      survivor = etcd.nodes.find(node => node !== leader)!.url;
      const stage = await settled(await staged({ endpoints: etcd.endpoints }, freshService()), survivor);
      await leader.kill();
      await etcd.leader();
      await rightAgain(stage, survivor);
      expect(Math.min(...stage.sizes.slice(stage.sizes.indexOf(2)))).toBe(2);
      await leader.restart();
    });

    it('of which each is killed and each stands still in turn, so those too that are asked and watched', async () => {
      const stage = await settled(await staged({ endpoints: etcd.endpoints }, freshService()), etcd.nodes[0].url);
      // Whichever member the watch is on now, it meets each of the two at least once.
      for (const trouble of ['pause', 'kill'] as const)
        for (const [at, node] of etcd.nodes.entries()) {
          await node[trouble]();
          try {
            await rightAgain(stage, etcd.nodes[at === 0 ? 1 : 0]!.url);
          } finally {
            await (trouble === 'pause' ? node.resume() : node.restart());
          }
        }
    });

    it('that lose their majority: the survivor is no source any more, and the last set stays', async () => {
      const [first, second, third] = etcd.nodes;
      const stage = await settled(await staged({ endpoints: etcd.endpoints }, freshService()), first.url);
      await Promise.all([second?.kill(), third?.kill()]);
      await calmFor(stage, TTL_MS + 2_000, 3);
      await expect(stage.reader.discover(stage.service)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
      await eventually(() => expect(stage.events.map(({ type }) => type)).toContain('registry.lost'));
      await Promise.all([second?.restart(), third?.restart()]);
      await rightAgain(stage, first.url);
    });

    it('of which one configured endpoint never was there, and another only takes connections', async () => {
      const mute = createServer(socket => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
      await once(mute, 'listening');
      const endpoints = [
        'http://127.0.0.1:1',
        `http://127.0.0.1:${(mute.address() as AddressInfo).port}`,
        etcd.nodes[0].url,
      ];
      const url = etcd.nodes[1]!.url;
      const stage = await settled(await staged({ endpoints }, freshService()), url);
      await sleep(TTL_MS + 1_000);
      expect(stage.told).toEqual([]);
      await rightAgain(stage, url);
      await stage.close();
      mute.close();
    });
  });

  it('that refuses a user: says so, asks seldom, and goes on when the user may', async () => {
    const etcd = await startEtcd();
    const { url } = etcd.nodes[0];
    const anonymous = witness(url);
    const login = { name: 'root', password: 'first-secret' };
    await anonymous.ask('auth/user/add', login);
    await anonymous.ask('auth/user/grant', { user: 'root', role: 'root' });
    await anonymous.ask('auth/enable', {});
    const wrong = { endpoints: url, username: 'root', password: 'wrong-secret' };
    const stage = await staged(wrong, freshService());
    const other = etcdRegistry(wrong);
    try {
      const refusal = await stage.pending.catch((error: unknown) => error);
      expect(refusal).toMatchObject({
        code: 'REGISTRATION_FAILED',
        message: expect.stringMatching(/authentication failed/),
      });
      const before = await requestsSeenBy(url);
      await sleep(3_000);
      const perSecond = ((await requestsSeenBy(url)) - before) / 3;
      console.log(`${expect.getState().currentTestName}: ${perSecond.toFixed(1)} requests per second`);
      expect(perSecond).toBeLessThan(CALM_PER_SECOND);
      const lost = stage.events.filter(({ type }) => type === 'registry.lost');
      expect(lost).toHaveLength(1);
      expect(JSON.stringify([stage.events, String(refusal), refusal])).not.toContain('wrong-secret');
      await expect(other.discover('x')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });

      const { token } = (await anonymous.ask('auth/authenticate', login)) as { token: string };
      await witness(url, token).ask('auth/user/changepw', { name: 'root', password: 'wrong-secret' });
      await eventually(async () => expect(await stage.ids()).toEqual([]), { withinMs: SEEN_WITHIN_MS });
      await other.register({ id: 'own', service: stage.service, address: '127.0.0.1', port: 1 }, { ttlMs: TTL_MS });
      await eventually(async () => expect(await stage.ids()).toEqual(['own']));
    } finally {
      await other.close();
      await stage.close();
      await etcd.stop();
    }
  });
});
