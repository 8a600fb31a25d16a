import { describe, expect, it } from 'vitest';
import { DiscoveryClient } from '../../../src/discovery/discovery-client.js';
import type { SnapshotFiles } from '../../../src/discovery/snapshot-disk.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';
import { input, inputs, onMemory, onScript, recorder, typesOf } from './scripted-registry.js';

/** Files in memory; a path that begins with /ro cannot be written. */
const memoryFiles = () => {
  const texts = new Map<string, string>();
  const writes: string[] = [];
  let reads = 0;
  const files: SnapshotFiles = {
    async read(path, maxBytes) {
      reads += 1;
      const text = texts.get(path);
      if (text !== undefined && text.length > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
      return text;
    },
    async write(path, text) {
      if (path.startsWith('/ro')) throw new Error('EROFS: read-only file system');
      writes.push(text);
      texts.set(path, text);
    },
  };
  return { files, texts, writes, reads: () => reads };
};

const PATH = '/data/instances.json';
const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const textOf = (services: unknown, version: unknown = 1) =>
  JSON.stringify({ format: 'fairlead-snapshot', version, services });
const entry = (ids: string, more: object = {}) => ({ service: 'orders', at: START, instances: inputs(ids), ...more });
const idsOf = (text: string): Record<string, string[]> => {
  const { services } = JSON.parse(text) as { services: { service: string; instances: { id: string }[] }[] };
  return Object.fromEntries(services.map(({ service, instances }) => [service, instances.map(({ id }) => id)]));
};

describe('snapshotFile: what is written', () => {
  it('is the last good set of each service, once for a burst of changes, and again at close', async () => {
    const { files, texts, writes } = memoryFiles();
    const { discovery, registry, runtime } = onMemory({ snapshotFile: { path: PATH, files } });
    registry.set('users', inputs('u'));
    discovery.subscribe('users', recorder());
    discovery.subscribe('orders', recorder());
    for (const ids of ['a', 'a b', 'a b c']) {
      registry.set('orders', inputs(ids));
      await runtime.advance(100);
    }
    expect(writes).toHaveLength(0);
    await runtime.advance(1_000);
    expect(writes).toHaveLength(1);
    expect(idsOf(texts.get(PATH)!)).toEqual({ users: ['u'], orders: ['a', 'b', 'c'] });

    registry.set('orders', inputs('a b c d'));
    await runtime.settle();
    await discovery.close();
    expect(idsOf(texts.get(PATH)!)['orders']).toEqual(['a', 'b', 'c', 'd']);
    expect(writes).toHaveLength(2);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('holds whom the loss protection holds, and nobody once that is over', async () => {
    const { files, texts } = memoryFiles();
    const { discovery, registry, runtime } = onMemory({ snapshotFile: { path: PATH, files } });
    registry.set('orders', inputs('a b'));
    discovery.subscribe('orders', recorder());
    await runtime.advance(2_000);
    registry.set('orders', []);
    await runtime.advance(5_000);
    expect(idsOf(texts.get(PATH)!)).toEqual({ orders: ['a', 'b'] });
    await runtime.advance(40_000);
    expect(idsOf(texts.get(PATH)!)).toEqual({});
    await discovery.close();
  });

  it('stays young while the registry is in contact, and ages while it is not', async () => {
    const { files, texts } = memoryFiles();
    const { discovery, registry, runtime } = onMemory({ snapshotFile: { path: PATH, files } });
    registry.set('orders', inputs('a'));
    discovery.subscribe('orders', recorder());
    await runtime.advance(3 * 3_600_000);
    const at = () => (JSON.parse(texts.get(PATH)!) as { services: { at: number }[] }).services[0]!.at;
    expect(runtime.wallNow() - at()).toBeLessThan(700_000);
    const lostAt = runtime.wallNow();
    registry.fail(new Error('down'));
    await runtime.advance(3_600_000);
    expect(at()).toBe(lostAt);
    await discovery.close();
  });

  it('is without what is called like a secret, or has a password in a URL', async () => {
    const { files, texts } = memoryFiles();
    const { discovery, registry, runtime } = onMemory({ snapshotFile: { path: PATH, files } });
    const metadata = {
      zone: 'z1',
      DB_PASSWORD: 's3cret-1',
      apiKey: 's3cret-2',
      'auth.token': 's3cret-3',
      db: 'pg://u:s3cret-4@h/x',
    };
    registry.set('orders', [input('a', { metadata, tags: ['v2', 'token=s3cret-5', 'https://u:s3cret-6@h'] })]);
    discovery.subscribe('orders', recorder());
    await runtime.advance(2_000);
    await discovery.close();
    expect(texts.get(PATH)).not.toContain('s3cret');
    expect(texts.get(PATH)).toContain('"tags":["v2"]');
    expect(texts.get(PATH)).toContain('"metadata":{"zone":"z1"}');
  });

  it('is one file for several clients of the process, and keeps what another process wrote for other services', async () => {
    const { files, texts } = memoryFiles();
    texts.set(
      PATH,
      textOf([entry('x', { service: 'elsewhere' }), entry('y', { service: 'old', at: START - 2 * DAY_MS })]),
    );
    const { discovery, registry, runtime } = onMemory({ snapshotFile: { path: PATH, files } });
    const other = new DiscoveryClient({ registry, runtime, snapshotFile: { path: PATH, files } });
    registry.set('orders', inputs('a'));
    registry.set('users', inputs('u'));
    discovery.subscribe('orders', recorder());
    other.subscribe('users', recorder());
    await runtime.advance(2_000);
    expect(idsOf(texts.get(PATH)!)).toEqual({ elsewhere: ['x'], orders: ['a'], users: ['u'] });
    await discovery.close();
    registry.set('users', inputs('u v'));
    await runtime.advance(2_000);
    await other.close();
    expect(idsOf(texts.get(PATH)!)).toEqual({ elsewhere: ['x'], orders: ['a'], users: ['u', 'v'] });
  });

  it('cannot be written: one event, until it could be written again; lookups go on', async () => {
    const { files } = memoryFiles();
    const { discovery, registry, runtime, events } = onMemory({ snapshotFile: { path: '/ro/instances.json', files } });
    discovery.subscribe('orders', recorder());
    for (const ids of ['a', 'a b', 'a b c']) {
      registry.set('orders', inputs(ids));
      await runtime.advance(60_000);
    }
    expect(typesOf(events).filter(type => type === 'registry.problem')).toHaveLength(1);
    const told = events.find(({ type }) => type === 'registry.problem');
    const message = 'the snapshot file /ro/instances.json is not written: EROFS: read-only file system';
    expect(told).toMatchObject({ service: 'orders', problem: { message } });
    await expect(discovery.getInstances('orders')).resolves.toHaveLength(3);
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });
});

describe('snapshotFile: a cold start', () => {
  const cold = (text: string | undefined, more: object = {}) => {
    const memory = memoryFiles();
    if (text !== undefined) memory.texts.set(PATH, text);
    return { ...memory, ...onScript({ snapshotFile: { path: PATH, files: memory.files }, ...more }) };
  };

  it('uses it at once when the registry fails, until the registry names somebody', async () => {
    const { discovery, registry, runtime, events } = cold(textOf([entry('a b', { at: START - 60_000 })]));
    registry.onWatch = () => {
      throw new Error('connect ECONNREFUSED');
    };
    const observer = recorder();
    discovery.subscribe('orders', observer);
    const found = discovery.getInstances('orders');
    await runtime.settle();
    expect((await found).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(runtime.now()).toBe(0);
    expect(discovery.status('orders')).toMatchObject({ known: true, stale: true, ageMs: 60_000 });
    expect(typesOf(events).sort()).toEqual(['instances.changed', 'registry.lost', 'registry.problem']);
    expect(events.find(({ type }) => type === 'registry.problem')).toMatchObject({
      problem: { message: 'the last good set is taken from the snapshot file, 60000 ms old' },
    });

    registry.onWatch = () => registry.say(inputs('z'));
    await runtime.advance(15_000);
    expect(observer.sets).toEqual(['a b', 'z']);
    expect(discovery.status('orders')).toMatchObject({ stale: false, ageMs: 0, held: 0 });
    await discovery.close();
    expect(runtime.pendingTimers).toBe(0);
  });

  it('uses it after a second when the registry does not answer', async () => {
    const { discovery, runtime, reads } = cold(textOf([entry('a')]));
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.advance(999);
    expect([observer.sets, reads()]).toEqual([[], 0]);
    await runtime.advance(1);
    expect(observer.sets).toEqual(['a']);
    await discovery.close();
  });

  it('does not look at it when the registry answers', async () => {
    const { discovery, registry, runtime, reads } = cold(textOf([entry('a')]));
    registry.onWatch = () => registry.say(inputs('z'));
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.advance(900);
    registry.breakDown(new Error('reset'));
    await runtime.advance(50);
    expect([observer.sets, reads()]).toEqual([['z'], 0]);
    await discovery.close();
  });

  it('believes an empty answer of a registry that came back only after the hold', async () => {
    const { discovery, registry, runtime } = cold(textOf([entry('a b')]));
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.advance(1_000);
    registry.say([]);
    await runtime.advance(29_000);
    expect(observer.sets).toEqual(['a b', '(a) (b)']);
    await runtime.advance(2_000);
    expect(observer.sets.at(-1)).toBe('');
    await discovery.close();
  });

  it.each<[string, string, string | undefined]>([
    ['no JSON', '{"format":"fairlead-snapshot","vers', 'it is damaged: it is not JSON'],
    ['empty', '', 'it is damaged: it is not JSON'],
    ['something else', '{"name":"shop"}', 'it is no snapshot of instances'],
    ['null', 'null', 'it is no snapshot of instances'],
    ['of another version', textOf([entry('a')], 2), 'it has version 2, not 1'],
    ['without a list', textOf({ orders: ['a'] }), 'it is damaged: it lists no services'],
    ['too old', textOf([entry('a', { at: START - DAY_MS - 1_001 })]), /its set is 8640\d{4} ms old, more than/.source],
    ['from the future', textOf([entry('a', { at: 1e300 })]), 'its set is from the future'],
    ['too large', ' '.repeat(16 * 2 ** 20 + 1), 'it has more than 16777216 bytes'],
    ['not there', '-', undefined],
    ['without the service', textOf([entry('a', { service: 'users' }), null, 5, { service: 'orders' }]), undefined],
    ['without instances', textOf([entry('')]), undefined],
  ])('goes on as without it when the file is %s, and says why', async (_what, text, problem) => {
    const { discovery, runtime, events } = cold(text === '-' ? undefined : text);
    const failed = discovery.getInstances('orders').catch((error: unknown) => error);
    await runtime.advance(5_000);
    expect(await failed).toMatchObject({ code: 'NO_INSTANCES' });
    const told = events.flatMap(event => (event.type === 'registry.problem' ? [event.problem.message] : []));
    if (problem === undefined) expect(told).toEqual([]);
    else expect(told).toEqual([expect.stringMatching(`^the snapshot file .*instances.json is ignored: .*${problem}`)]);
    await discovery.close();
  });

  it('takes the good entries of a file with bad ones, and no prototype from it', async () => {
    const hostile = `[{"id":"a","service":"orders","address":"a","port":80,"__proto__":{"polluted":1},"constructor":{}},
      {"id":"b","service":"orders","address":"b","port":80,"metadata":{"__proto__":"x"}}, null, 7, {"id":"c"},
      {"id":"d","service":"orders","address":"http://evil@d","port":80}]`;
    const text = `{"format":"fairlead-snapshot","version":1,"__proto__":{"polluted":1},"services":
      [{"service":"orders","at":${START},"instances":${hostile},"unknown":true}]}`;
    const { discovery, runtime } = cold(text);
    const found = discovery.getInstances('orders');
    await runtime.advance(1_000);
    expect((await found).map(({ id }) => id)).toEqual(['a']);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    await discovery.close();
  });

  it('gives its set up maxStaleMs after the last contact, wherever that was', async () => {
    const { discovery, runtime } = cold(textOf([entry('a', { at: START - 60_000 })]), { maxStaleMs: 100_000 });
    const observer = recorder();
    discovery.subscribe('orders', observer);
    await runtime.advance(39_900);
    expect(observer.sets).toEqual(['a']);
    await runtime.advance(2_000);
    expect(observer.sets.at(-1)).toContain('given up after 100000 ms');
    await discovery.close();
  });

  it('is what a process finds that another one left', async () => {
    const { files } = memoryFiles();
    const before = onMemory({ snapshotFile: { path: PATH, files } });
    before.registry.set('orders', [input('a', { metadata: { version: 'v1' }, weight: 3, zone: 'z' })]);
    const [was] = await before.discovery.getInstances('orders');
    await before.discovery.close();

    const after = onMemory({
      snapshotFile: { path: PATH, files },
      runtime: testRuntime({ wallNow: START + 3_600_000 }),
    });
    after.registry.fail(new Error('down'));
    expect(await after.discovery.getInstances('orders')).toEqual([was]);
    await after.discovery.close();
  });
});
