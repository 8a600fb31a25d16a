/** A DiscoveryClient on a real etcd and a real disk. How many watches there are, etcd itself tells. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createServiceClient, DiscoveryClient, memoryRegistry, type ClientEvent } from 'fairlead';
import { etcdRegistry } from 'fairlead/etcd';
import { eventually, serverOrSkip, startEtcd, type Etcd } from '../servers/index.js';

const server = await serverOrSkip('etcd');

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fairlead-discovery-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const startInstance = async (): Promise<Server> => {
  const instance = createServer((_request, response) => response.end('ok'));
  await new Promise<void>(resolve => instance.listen(0, '127.0.0.1', resolve));
  return instance;
};

describe.skipIf(server === undefined)('on a real etcd', () => {
  let etcd: Etcd;
  let instance: Server;
  beforeAll(async () => {
    etcd = await startEtcd();
    instance = await startInstance();
  });
  afterAll(async () => {
    instance?.close();
    await etcd?.stop();
  });
  const listed = (service: string) => {
    const { port } = instance.address() as AddressInfo;
    return { id: `${service}-1`, service, address: '127.0.0.1', port };
  };

  it('200 clients on one DiscoveryClient, closed one by one: one watch, then none', async () => {
    const watchers = async (): Promise<number> => {
      const metrics = await (await fetch(`${etcd.nodes[0].url}/metrics`)).text();
      return Number(/^etcd_debugging_mvcc_watcher_total (\d+)/m.exec(metrics)?.[1]);
    };
    const registrar = etcdRegistry({ endpoints: etcd.endpoints });
    await registrar.register(listed('many'));
    const before = await watchers();
    const registry = etcdRegistry({ endpoints: etcd.endpoints });
    const discovery = new DiscoveryClient({ registry });
    const clients = Array.from({ length: 200 }, () => createServiceClient({ service: 'many', discovery }));
    const answers = await Promise.all(clients.map(client => client.fetch('/')));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    await Promise.all(answers.map(answer => answer.text()));
    expect((await watchers()) - before).toBe(1);
    for (const client of clients.slice(0, -1)) await client.close();
    expect((await watchers()) - before).toBe(1);
    await clients.at(-1)!.close();
    await eventually(async () => (await watchers()) === before, { what: 'the watch to end' });
    await discovery.close();
    await Promise.all([registry.close(), registrar.close()]);
  });

  it('down at the start: calls succeed with a snapshot file; without, by themselves once it is up', async () => {
    const path = join(directory, 'instances.json');
    const registrar = etcdRegistry({ endpoints: etcd.endpoints });
    await registrar.register(listed('cold'), { ttlMs: 60_000 });
    const open = (more: object) => {
      const registry = etcdRegistry({ endpoints: etcd.endpoints });
      const client = createServiceClient({ service: 'cold', registry, ...more });
      const close = async (): Promise<void> => {
        await client.close();
        await registry.close();
      };
      return { client, close };
    };
    const get = async ({ client }: ReturnType<typeof open>): Promise<number> => {
      const response = await client.fetch('/');
      await response.text();
      return response.status;
    };

    const before = open({ snapshotFile: path });
    expect(await get(before)).toBe(200);
    await before.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['instances.json']);

    await etcd.kill();
    const [warm, cold] = [open({ snapshotFile: path }), open({})];
    try {
      expect(await get(warm)).toBe(200);
      const error: unknown = await get(cold).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'NO_INSTANCES',
        message: expect.stringMatching(/^cold: no instances known after 5000 ms: etcd/),
      });
      console.log(`cold start without a snapshot: ${(error as Error).message}`);
      await etcd.restart();
      const serves = async (): Promise<boolean> => (await get(cold)) === 200;
      await eventually(serves, { withinMs: 40_000, what: 'calls to succeed' });
      await eventually(() => warm.client.snapshot().discovery.stale === false, { withinMs: 40_000 });
      expect(await get(warm)).toBe(200);
    } finally {
      await Promise.all([warm.close(), cold.close(), registrar.close()]);
    }
  });
});

describe('a snapshot file on a real disk', () => {
  const problemsWith = async (path: string, registry = memoryRegistry()): Promise<string[]> => {
    const events: ClientEvent[] = [];
    const onEvent = (event: ClientEvent): void => void events.push(event);
    const discovery = new DiscoveryClient({ registry, snapshotFile: path, firstTimeoutMs: 2_500, onEvent });
    await discovery.getInstances('users').catch(() => undefined);
    const told = (): string[] =>
      events.flatMap(event => (event.type === 'registry.problem' ? [event.problem.message] : []));
    await eventually(() => told().length > 0);
    await discovery.close();
    return told();
  };
  const down = () => {
    const registry = memoryRegistry();
    registry.fail(new Error('down'));
    return registry;
  };

  it('of 100 MB, or a directory, is not read', async () => {
    const huge = join(directory, 'huge.json');
    await writeFile(huge, '');
    await truncate(huge, 100 * 2 ** 20);
    expect(await problemsWith(huge, down())).toEqual([
      `the snapshot file ${huge} is ignored: it has 104857600 bytes, more than 16777216`,
    ]);
    expect(await problemsWith(directory, down())).toEqual([
      `the snapshot file ${directory} is ignored: it is not a file`,
    ]);
  });

  it('that cannot be written is one event, leaves nothing behind, and fails nobody', async () => {
    const taken = join(directory, 'taken');
    await mkdir(join(taken, 'inside'), { recursive: true });
    const registry = memoryRegistry({ instances: [{ service: 'users', address: 'a', port: 80 }] });
    const [told, ...more] = await problemsWith(taken, registry);
    expect(told).toMatch(/is not written: EISDIR|is not written: ENOTEMPTY|is not written: EEXIST/);
    expect(more).toEqual([]);
    const [missing] = await problemsWith(join(directory, 'no', 'such', 'place.json'), registry);
    expect(missing).toMatch(/is not written: ENOENT/);
    expect(await readdir(directory)).toEqual(['taken']);
  });

  it('takes the place of a damaged one, and of the draft that a crash left', async () => {
    const path = join(directory, 'instances.json');
    await writeFile(path, '\0\0\0\0');
    await writeFile(`${path}.${process.pid}-${threadId}.tmp`, 'half');
    const registry = memoryRegistry({ instances: [{ service: 'users', address: 'a', port: 80 }] });
    const discovery = new DiscoveryClient({ registry, snapshotFile: path });
    await discovery.getInstances('users');
    await discovery.close();
    expect(await readdir(directory)).toEqual(['instances.json']);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      format: 'fairlead-snapshot',
      version: 1,
      services: [{ service: 'users', instances: [{ address: 'a', port: 80 }] }],
    });
  });
});
