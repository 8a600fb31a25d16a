import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { ServiceInstance } from '../../../src/core/instance.js';
import { etcdRegistry, type EtcdRegistryOptions } from '../../../src/registries/etcd/index.js';
import { testRuntime } from '../../../src/testing/index.js';
import { contextOn, FakeEtcd, UNAVAILABLE, type Fault } from './etcd-fake.js';

const KEY = '/services/web/';

/** Reads a watch until it ends, and keeps what it said. */
const watching = (etcd = new FakeEtcd(), options: EtcdRegistryOptions = {}) => {
  const runtime = testRuntime();
  const context = contextOn(runtime);
  const registry = etcdRegistry({ client: etcd, runtime, ...options });
  const state = { seen: [] as string[], ended: undefined as unknown };
  const collect = async (): Promise<void> => {
    for await (const set of registry.watch('web', context))
      state.seen.push(set.map(({ id, port }) => `${id}:${port}`).join(' '));
  };
  collect().then(
    () => (state.ended = 'quietly'),
    (error: unknown) => (state.ended = error),
  );
  return { runtime, context, etcd, registry, state };
};

const stocked = (...ids: string[]): FakeEtcd => {
  const etcd = new FakeEtcd();
  for (const [at, id] of ids.entries()) etcd.put(`${KEY}${id}`, `h:${at + 1}`);
  return etcd;
};

describe('a watch of etcd', () => {
  it('lists, then follows from the next revision on', async () => {
    const etcd = stocked('a', 'b');
    etcd.put('/services/webs/x', 'h:9');
    const { runtime, state } = watching(etcd);
    await runtime.advance(0);
    etcd.put(`${KEY}c`, '{"address":"h","port":3}');
    await runtime.advance(0);
    etcd.put(`${KEY}a`, 'h:7');
    await runtime.advance(0);
    etcd.remove(`${KEY}b`);
    await runtime.advance(0);
    expect(state.seen).toEqual(['a:1 b:2', 'a:1 b:2 c:3', 'a:7 b:2 c:3', 'a:7 c:3']);
    expect(etcd.watches[0]?.written).toEqual([
      { create_request: { key: Buffer.from(KEY), range_end: Buffer.from('/services/web0'), start_revision: '5' } },
    ]);
    expect(etcd.metadata.every(sent => sent['hasleader'] === 'true' && sent['token'] === undefined)).toBe(true);
  });

  it('yields nothing before the server has the watch: a proxy that passes no streams would be asked without end', async () => {
    const etcd = stocked('a');
    etcd.faults.set('watch', 'hang');
    const { runtime, state } = watching(etcd, { requestTimeoutMs: 1_000 });
    await runtime.advance(999);
    expect(state).toEqual({ seen: [], ended: undefined });
    await runtime.advance(1);
    expect(state.ended).toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: 'etcd: a watch was not begun within 1000 ms',
    });
    expect(etcd.watches[0]?.ended).toBe(true);
    expect(etcd.cancelled).toBe(1);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('reads what does not fit into one answer page by page, at one revision, and by halves where need be', async () => {
    const etcd = stocked(...Array.from({ length: 2_500 }, (_, index) => `i${String(index).padStart(4, '0')}`));
    etcd.maxBytes = 100;
    const { runtime, registry } = watching(etcd);
    await runtime.advance(0);
    etcd.requests.length = 0;
    const pending = registry.discover('web');
    await runtime.advance(0);
    expect(await pending).toHaveLength(2_500);
    expect(new Set((await pending).map(({ id }) => id)).size).toBe(2_500);
    const limits = etcd.requests.map(({ request }) => request['limit']);
    expect(limits.slice(0, 4)).toEqual([50, 25, 25, 25]);
    const revisions = etcd.requests.map(({ request }) => request['revision']);
    expect([...new Set(revisions)]).toEqual([undefined, String(etcd.revision)]);
  });

  it('gives up on a value that alone does not fit', async () => {
    const etcd = stocked('a');
    etcd.maxBytes = 1;
    const { runtime, state } = watching(etcd);
    await runtime.advance(0);
    expect(state.ended).toMatchObject({
      message: expect.stringMatching(/RESOURCE_EXHAUSTED: Received message larger/),
    });
  });

  it.each<[string, (etcd: FakeEtcd) => void, RegExp]>([
    [
      'the stream breaks',
      etcd => etcd.watches[0]?.emit('error', new Error('read ECONNRESET')),
      /a watch of .* failed: read ECONNRESET/,
    ],
    ['the stream ends', etcd => etcd.watches[0]?.emit('end'), /was ended by the server/],
    [
      'it was compacted away',
      etcd => etcd.say({ canceled: true, compact_revision: '9' }),
      /cancelled, compacted up to 9$/,
    ],
    [
      'it may not go on',
      etcd => etcd.say({ canceled: true, cancel_reason: 'permission denied' }),
      /cancelled: permission denied$/,
    ],
    ['the server lost its data', etcd => etcd.say({ header: { revision: '1' } }), /revision went back from 3 to 1/],
    ['what comes is no answer', etcd => etcd.say({ header: { revision: 'x' } }), /x/],
  ])('ends with an error when %s, and does not resume', async (_, happen, message) => {
    const { runtime, state, etcd, context } = watching(stocked('a', 'b'));
    await runtime.advance(0);
    happen(etcd);
    await runtime.advance(60_000);
    expect(state.seen).toEqual(['a:1 b:2']);
    expect((state.ended as Error).message).toMatch(message);
    expect(etcd.calls).toEqual(['range', 'watch']);
    expect(etcd.watches[0]?.ended).toBe(true);
    expect(getEventListeners(context.signal, 'abort')).toEqual([]);
    expect(runtime.pendingTimers).toBe(0);
  });

  it.each<[string, Fault, RegExp]>([
    ['is away', UNAVAILABLE, /etcd: a read of \/services\/web\/ failed: UNAVAILABLE: connect ECONNREFUSED/],
    [
      'refuses',
      { code: 7, details: 'etcdserver: permission denied' },
      /PERMISSION_DENIED: etcdserver: permission denied/,
    ],
    ['says something new', { code: 99, details: '' }, /failed: UNKNOWN$/],
  ])('ends with an error, not with an empty set, when the server %s', async (_, fault, message) => {
    const etcd = stocked('a');
    etcd.faults.set('*', fault);
    const { runtime, state } = watching(etcd);
    await runtime.advance(0);
    expect(state.seen).toEqual([]);
    expect(state.ended).toMatchObject({ code: 'REGISTRY_UNAVAILABLE', message: expect.stringMatching(message) });
  });

  it('asks a silent server every 10 s whether it still serves, and ends when it does not answer', async () => {
    const { runtime, state, etcd } = watching(stocked('a'));
    await runtime.advance(60_000);
    const looks = etcd.calls.length - 2;
    expect(looks).toBe(6);
    etcd.faults.set('range', 'hang');
    await runtime.advance(14_999);
    expect(state.ended).toBeUndefined();
    await runtime.advance(1);
    expect(state.ended).toMatchObject({ message: expect.stringMatching(/a look at .* had no answer within 5000 ms/) });
    expect(runtime.pendingTimers).toBe(0);
  });

  it('does not ask a server that tells news, and ends when a look finds a revision of another life', async () => {
    const { runtime, state, etcd } = watching(stocked('a', 'b', 'c'));
    for (let second = 0; second < 60; second += 1) {
      await runtime.advance(1_000);
      etcd.put(`${KEY}a`, `h:${second + 1}`);
    }
    expect(etcd.calls).toEqual(['range', 'watch']);
    etcd.revision = 2;
    await runtime.advance(20_000);
    expect((state.ended as Error).message).toMatch(/revision went back/);
  });

  it.each([0, 1, 2])('ends quietly and at once when aborted after %d turns, and leaves nothing behind', async turns => {
    const etcd = stocked('a');
    if (turns === 0) etcd.faults.set('range', 'hang');
    if (turns === 1) etcd.faults.set('watch', 'hang');
    const { runtime, state, context } = watching(etcd);
    await runtime.advance(0);
    context.abort();
    await runtime.settle();
    expect(state.ended).toBe('quietly');
    expect(etcd.cancelled).toBe(1);
    expect(etcd.watches.every(({ ended }) => ended)).toBe(true);
    expect(getEventListeners(context.signal, 'abort')).toEqual([]);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('ends quietly when aborted before it began, without asking', async () => {
    const runtime = testRuntime();
    const etcd = stocked('a');
    const context = contextOn(runtime);
    context.abort();
    const sets = etcdRegistry({ client: etcd, runtime }).watch('web', context)[Symbol.asyncIterator]();
    expect((await sets.next()).done).toBe(true);
    expect(etcd.calls).toEqual([]);
  });

  it('makes no set that nobody reads: who comes late finds the newest', async () => {
    const runtime = testRuntime();
    const etcd = stocked('a');
    const context = contextOn(runtime);
    const sets = etcdRegistry({ client: etcd, runtime }).watch('web', context)[Symbol.asyncIterator]();
    const first = sets.next();
    await runtime.settle();
    expect((await first).value).toHaveLength(1);
    for (const port of [6, 7, 8]) etcd.put(`${KEY}a`, `h:${port}`);
    await runtime.settle();
    expect((await sets.next()).value).toMatchObject([{ port: 8 }]);
    let more = false;
    void sets.next().then(() => (more = true));
    await runtime.settle();
    expect(more).toBe(false);
    context.abort();
  });

  it('leaves out and tells what is no instance, in the list and later, and what was replaced by it is gone', async () => {
    const etcd = stocked('a', 'b');
    etcd.put(`${KEY}c`, '<html>');
    etcd.put(`${KEY}d/e`, 'h:1');
    const { runtime, state, context } = watching(etcd);
    await runtime.advance(0);
    etcd.put(`${KEY}a`, 'h:0');
    await runtime.advance(0);
    etcd.put(`${KEY}a`, 'h:5');
    await runtime.advance(0);
    expect(state.seen).toEqual(['a:1 b:2', 'b:2', 'b:2 a:5']);
    expect(context.problems.map(({ kind, entry }) => [kind, entry])).toEqual([
      ['bad-entry', 'c'],
      ['bad-entry', 'd/e'],
      ['bad-entry', 'a'],
    ]);
  });

  it('tells the first twenty of many, and the rest as a number', async () => {
    const etcd = new FakeEtcd();
    for (let at = 0; at < 100; at += 1) etcd.put(`${KEY}${at}`, 'junk');
    const { runtime, state, context } = watching(etcd);
    await runtime.advance(0);
    expect(state.seen).toEqual(['']);
    expect(context.problems).toHaveLength(21);
    expect(context.problems.at(-1)?.message).toBe('etcd: 80 more entries of web were skipped');
  });

  it('takes no name that leads elsewhere', async () => {
    const runtime = testRuntime();
    const registry = etcdRegistry({ client: new FakeEtcd(), runtime });
    for (const name of ['', 'a/b', '..', 'a..b', '.', 'a\nb', 7 as never]) {
      expect(() => registry.watch(name, contextOn(runtime))).toThrow(/^service: expected/);
      await expect(registry.discover(name)).rejects.toThrow(TypeError);
    }
  });

  it('ends with its registry, quietly, and a closed one is asked in vain', async () => {
    const { runtime, state, registry, etcd } = watching(stocked('a'));
    await runtime.advance(0);
    await Promise.all([registry.close(), registry.close()]);
    await runtime.settle();
    expect(state.ended).toBe('quietly');
    expect(etcd.watches[0]?.ended).toBe(true);
    expect(etcd.closed).toBe(0);
    expect(runtime.pendingTimers).toBe(0);
    await expect(registry.discover('web')).rejects.toThrow('etcd: the registry is closed');
    const input = { service: 'web', address: 'h', port: 1 };
    await expect(registry.register(input)).rejects.toThrow('etcd: the registry is closed');
  });
});

describe('one read of etcd', () => {
  it('gives the set, or an error; is bounded; and rejects with the reason of an abort', async () => {
    const runtime = testRuntime();
    const etcd = stocked('a');
    const registry = etcdRegistry({ client: etcd, runtime });
    const read = async (signal?: AbortSignal): Promise<unknown> => {
      const pending = registry.discover('web', { signal: signal! }).catch((error: unknown) => error);
      await runtime.advance(5_000);
      return pending;
    };
    expect((await read()) as readonly ServiceInstance[]).toMatchObject([{ id: 'a', incarnation: '2' }]);
    etcd.faults.set('range', 'hang');
    expect(await read()).toMatchObject({ message: expect.stringMatching(/had no answer within 5000 ms/) });
    expect(etcd.cancelled).toBe(1);
    expect(await read(AbortSignal.abort('enough'))).toBe('enough');
    expect(runtime.pendingTimers).toBe(0);
  });
});
