import { beforeAll, describe, expect, it } from 'vitest';
import type { InstanceInput } from '../../../src/core/instance.js';
import { zookeeperRegistry } from '../../../src/registries/zookeeper/index.js';
import { testRuntime } from '../../../src/testing/index.js';
import { contextOn } from './consul-fake.js';
import { FakeZooKeeper } from './zookeeper-fake.js';

const WEB: InstanceInput = { id: 'web-1', service: 'web', address: '10.0.0.1', port: 8080 };
const NODE = '/services/web/web-1';
const SESSION_MS = 15_000;

const staged = () => {
  const runtime = testRuntime();
  const server = new FakeZooKeeper();
  const registry = zookeeperRegistry({ client: server.make as never, runtime });
  return { runtime, server, registry };
};

const registered = async () => {
  const stage = staged();
  const pending = stage.registry.register(WEB);
  await stage.runtime.settle();
  const registration = await pending;
  const told: string[] = [];
  for (const type of ['lost', 'restored', 'error'] as const)
    registration.on(type, () => void told.push(`${Math.round(stage.runtime.now())} ${type}`));
  return { ...stage, registration, told };
};

/** Moves time on while the package's own loop tries to connect. */
const pass = async ({ runtime, server }: ReturnType<typeof staged>, ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 500) {
    server.client?.reach();
    await runtime.advance(500);
  }
};

beforeAll(async () => {
  // So that on virtual time it is there at once.
  // @ts-expect-error -- the package has no types
  await import('node-zookeeper-client');
});

describe('a session', () => {
  it('that the server ends is followed by a new one, with a new client, and the entry is back', async () => {
    const stage = await registered();
    stage.server.expire(stage.server.client);
    expect(stage.server.nodes.has(NODE)).toBe(false);
    await pass(stage, SESSION_MS / 3 + 1_000);
    expect(stage.server.clients).toHaveLength(2);
    expect(stage.server.clients[0]!.closed).toBe(true);
    expect(stage.server.nodes.has(NODE)).toBe(true);
    expect(stage.told.map(line => line.split(' ')[1])).toEqual(['lost', 'restored']);
  });

  it('with a server that falls silent is cut within two thirds of its time, and stays the same session', async () => {
    const stage = await registered();
    stage.server.mode = 'silent';
    await stage.runtime.advance((SESSION_MS * 2) / 3 - 1);
    expect(stage.server.client.cuts).toBe(0);
    await stage.runtime.advance(2);
    expect(stage.server.client.cuts).toBe(1);
    stage.server.mode = 'up';
    await pass(stage, 3_000);
    expect(stage.server.clients).toHaveLength(1);
    expect(stage.told.filter(line => !line.endsWith('error'))).toEqual([]);
  });

  it('without a server for its time is over, and so for every new one; the entry is put back with the first that answers', async () => {
    const stage = await registered();
    stage.server.mode = 'down';
    stage.server.client.cut();
    await pass(stage, 5 * SESSION_MS);
    expect(stage.told.filter(line => !line.endsWith('error'))).toEqual([`${SESSION_MS} lost`]);
    expect(stage.server.clients.length).toBeGreaterThan(2);
    expect(stage.server.clients.length).toBeLessThan(7);
    expect(stage.server.clients.slice(0, -1).every(({ closed }) => closed)).toBe(true);
    stage.server.mode = 'up';
    await pass(stage, SESSION_MS + 2_000);
    expect(stage.registration.state).toBe('registered');
    // The old node was still there, of a session that was ours: it was replaced, not refused.
    expect(stage.server.stat(NODE).ephemeralOwner).toEqual(stage.server.client.getSessionId());
  });

  it('is one for all, and ends a second after its last use; close() leaves no timer', async () => {
    const stage = await registered();
    const context = contextOn(stage.runtime);
    const watch = stage.registry.watch('web', context)[Symbol.asyncIterator]();
    expect(await watch.next()).toMatchObject({ value: [{ id: 'web-1' }] });
    context.abort();
    await watch.next();
    await stage.registration.deregister();
    await stage.runtime.advance(900);
    expect(stage.server.client.closed).toBe(false);
    await stage.runtime.advance(200);
    expect(stage.server.client.closed).toBe(true);
    expect(stage.server.clients).toHaveLength(1);
    await stage.registry.close();
    await stage.runtime.advance(1_000);
    expect(stage.runtime.pendingTimers).toBe(0);
  });

  it('of another length belongs to a registration with a TTL of its own', async () => {
    const stage = await registered();
    const pending = stage.registry.register({ ...WEB, id: 'web-2' }, { ttlMs: 4_000 });
    await stage.runtime.settle();
    await pending;
    expect(stage.server.clients.map(({ timeoutMs }) => timeoutMs)).toEqual([SESSION_MS, 4_000]);
    await stage.registry.close();
    expect(stage.server.nodes.has('/services/web/web-2')).toBe(false);
  });
});

describe('who waits for a connection', () => {
  it('is told by a rejection after the time of an operation; in the same outage a later watch waits on, and reports', async () => {
    const stage = staged();
    stage.server.mode = 'down';
    const first = contextOn(stage.runtime);
    const failed = stage.registry.watch('web', first)[Symbol.asyncIterator]().next();
    failed.catch(() => undefined);
    await pass(stage, 5_000);
    await expect(failed).rejects.toMatchObject({
      ...{ code: 'REGISTRY_UNAVAILABLE', message: 'zookeeper: no connection within 5000 ms' },
    });
    const second = contextOn(stage.runtime);
    const step = stage.registry.watch('web', second)[Symbol.asyncIterator]().next();
    await pass(stage, 60_000);
    expect(second.problems).toMatchObject([{ kind: 'unreachable' }]);
    stage.server.mode = 'up';
    await pass(stage, 6_000);
    expect(await step).toEqual({ done: false, value: [] });
  });

  it('is told at once that the credentials are refused, and register() gives up', async () => {
    const stage = staged();
    stage.server.mode = 'refusing';
    const refused = stage.registry.register(WEB);
    refused.catch(() => undefined);
    await stage.runtime.settle();
    await expect(refused).rejects.toMatchObject({ code: 'REGISTRATION_FAILED', service: 'web' });
    const read = stage.registry.discover('web');
    read.catch(() => undefined);
    await stage.runtime.advance(1_000);
    await expect(read).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(stage.server.clients.length).toBeLessThan(5);
  });

  it('is not held up by close()', async () => {
    const stage = staged();
    stage.server.mode = 'down';
    const pending = stage.registry.register(WEB);
    pending.catch(() => undefined);
    await pass(stage, 2_000);
    await stage.registry.close();
    await expect(pending).rejects.toMatchObject({ code: 'REGISTRATION_FAILED' });
    await expect(stage.registry.discover('web')).rejects.toThrow(/registry is closed/);
    await stage.runtime.advance(1_000);
    expect(stage.runtime.pendingTimers).toBe(0);
  });

  it('goes with the reason of its signal', async () => {
    const stage = staged();
    stage.server.mode = 'down';
    const { signal, abort } = contextOn(stage.runtime);
    const pending = stage.registry.register(WEB, { signal });
    pending.catch(() => undefined);
    await stage.runtime.settle();
    abort();
    await expect(pending).rejects.toThrow('enough');
  });
});

describe('a registration', () => {
  it.each([
    [-102, 'no right'],
    [-114, 'a bad ACL'],
    [-8, 'bad arguments'],
  ])('that is answered %d, %s, is refused at once', async code => {
    const stage = staged();
    stage.server.writeError = code;
    const pending = stage.registry.register(WEB);
    pending.catch(() => undefined);
    await stage.runtime.settle();
    await expect(pending).rejects.toMatchObject({ code: 'REGISTRATION_FAILED' });
  });

  it('is told while it lives that ZooKeeper hangs, update() is bounded, and what did not get through is written later', async () => {
    const stage = await registered();
    stage.server.mode = 'silent';
    const update = stage.registration.update({ weight: 9 });
    update.catch(() => undefined);
    await stage.runtime.advance(5_001);
    await expect(update).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    stage.server.mode = 'up';
    await pass(stage, SESSION_MS);
    expect(JSON.parse(stage.server.nodes.get(NODE)!.data.toString())).toMatchObject({ weight: 9 });
  });

  it('asks once in a third of its TTL whether its node is there', async () => {
    const stage = await registered();
    const before = stage.server.requests.length;
    await stage.runtime.advance(10 * SESSION_MS);
    const asked = stage.server.requests.slice(before);
    expect(asked.filter(request => request === `exists ${NODE}`)).toHaveLength(30);
    expect(asked.filter(request => request === 'exists /').length).toBeLessThanOrEqual(30);
    expect(asked.length).toBeLessThanOrEqual(60);
  });

  it('ends in bounded time when ZooKeeper hangs', async () => {
    const stage = await registered();
    stage.server.mode = 'silent';
    const ending = stage.registration.deregister();
    await stage.runtime.advance(5_001);
    await ending;
    expect(stage.registration.state).toBe('closed');
  });
});
