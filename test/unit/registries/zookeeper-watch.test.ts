import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { zookeeperRegistry } from '../../../src/registries/zookeeper/index.js';
import { testRuntime } from '../../../src/testing/index.js';
import { contextOn, type TestContext } from './consul-fake.js';
import { FakeZooKeeper } from './zookeeper-fake.js';

const PARENT = '/services/web';

beforeAll(async () => {
  // So that on virtual time it is there at once.
  // @ts-expect-error -- the package has no types
  await import('node-zookeeper-client');
});

describe('a watch', () => {
  let server: FakeZooKeeper;
  let context: TestContext;
  let sets: AsyncIterator<readonly { id: string; port: number }[]>;
  const next = async (): Promise<string[]> => {
    const step = await sets.next();
    return step.done === true ? ['ended'] : step.value.map(({ id, port }) => `${id}:${port}`);
  };
  const requestsSince = (before: number): string[] => server.requests.slice(before).filter(text => text !== 'exists /');

  beforeEach(async () => {
    const runtime = testRuntime();
    server = new FakeZooKeeper();
    for (const path of ['/services', PARENT]) server.put(path, '');
    for (const id of ['a', 'b', 'c']) server.put(`${PARENT}/${id}`, 'host:1');
    context = contextOn(runtime);
    sets = zookeeperRegistry({ client: server.make as never, runtime })
      .watch('web', context)
      [Symbol.asyncIterator]();
    expect(await next()).toEqual(['a:1', 'b:1', 'c:1']);
  });

  it('reads the names and the new node, when one comes', async () => {
    const before = server.requests.length;
    server.put(`${PARENT}/d`, 'host:4');
    expect(await next()).toEqual(['a:1', 'b:1', 'c:1', 'd:4']);
    expect(requestsSince(before)).toEqual([`getChildren ${PARENT}`, `getData ${PARENT}/d`]);
  });

  it('reads the names only, when one goes', async () => {
    const before = server.requests.length;
    server.drop(`${PARENT}/b`);
    expect(await next()).toEqual(['a:1', 'c:1']);
    expect(requestsSince(before)).toEqual([`getChildren ${PARENT}`]);
  });

  it('reads the node that an update names', async () => {
    const before = server.requests.length;
    server.set(`${PARENT}/b`, Buffer.from('host:2'));
    server.set(PARENT, Buffer.from('b'));
    expect(await next()).toEqual(['a:1', 'b:2', 'c:1']);
    expect(requestsSince(before)).toEqual([`getData ${PARENT}`, `getData ${PARENT}/b`]);
  });

  it('reads all when several were updated before it looked: only the last is named', async () => {
    for (const id of ['a', 'b']) {
      server.set(`${PARENT}/${id}`, Buffer.from('host:2'));
      server.set(PARENT, Buffer.from(id));
    }
    expect(await next()).toEqual(['a:2', 'b:2', 'c:1']);
  });

  it('reads all when one was replaced under its name before it looked', async () => {
    server.drop(`${PARENT}/a`);
    server.put(`${PARENT}/a`, 'host:9');
    expect(await next()).toEqual(['a:9', 'b:1', 'c:1']);
  });

  it('begins anew when the service itself was replaced, and waits for it when it is gone', async () => {
    for (const id of ['a', 'b', 'c']) server.drop(`${PARENT}/${id}`);
    server.drop(PARENT);
    server.fire(PARENT, 2);
    expect(await next()).toEqual([]);
    const step = next();
    server.put(PARENT, '');
    server.put(`${PARENT}/a`, 'host:7');
    expect(await step).toEqual(['a:7']);
  });

  it('yields nothing for news that change nothing', async () => {
    const step = next();
    server.set(PARENT, Buffer.from('nobody'));
    server.put(`${PARENT}/d`, 'host:4');
    expect(await step).toEqual(['a:1', 'b:1', 'c:1', 'd:4']);
  });

  it('throws when the connection is lost, though the session goes on, and ends quietly with an abort', async () => {
    const step = sets.next();
    server.client.cut();
    await expect(step).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect((await sets.next()).done).toBe(true);
  });
});
