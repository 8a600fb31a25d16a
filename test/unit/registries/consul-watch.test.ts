import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { ServiceInstance } from '../../../src/core/instance.js';
import { consulRegistry } from '../../../src/registries/consul/index.js';
import { testRuntime } from '../../../src/testing/index.js';
import { contextOn, entry, fakeClient, unreachable, type FakeAnswer, type FakeRequest } from './consul-fake.js';

const never = (): Promise<FakeAnswer> => new Promise(() => undefined);
const at = (index: number | string, ...ids: string[]): FakeAnswer => ({
  headers: { 'x-consul-index': String(index) },
  body: ids.map(id => entry(id)),
});

/** A watch on answers given in order; the server blocks for ever when they are used up. */
const watching = (answers: readonly (FakeAnswer | (() => never))[], options: object = {}) => {
  const runtime = testRuntime();
  const context = contextOn(runtime);
  let asked = 0;
  const client = fakeClient(() => {
    const answer = answers[asked++];
    return answer === undefined ? never() : typeof answer === 'function' ? answer() : answer;
  });
  const registry = consulRegistry({ client, runtime, ...options });
  return { runtime, context, client, registry, ...collect(registry.watch('web', context)) };
};

const collect = (sets: AsyncIterable<readonly ServiceInstance[]>) => {
  const seen: string[] = [];
  const state = { seen, ended: undefined as unknown };
  void (async () => {
    try {
      for await (const set of sets) seen.push(set.map(({ id }) => id).join(' '));
      state.ended = 'quietly';
    } catch (error) {
      state.ended = error;
    }
  })();
  return { state };
};

const indexes = (requests: readonly FakeRequest[]): unknown[] => requests.map(({ query }) => query['index']);

describe('a watch on Consul', () => {
  it('starts with a plain read and then blocks on its index', async () => {
    const { runtime, client, state } = watching([at(5, 'a'), at(9, 'a', 'b')]);
    await runtime.advance(1_000);
    expect(state.seen).toEqual(['a', 'a b']);
    expect(client.requests.map(({ path, query }) => [path, query])).toEqual([
      ['/health/service/web', {}],
      ['/health/service/web', { index: '5', wait: '30000ms' }],
      ['/health/service/web', { index: '9', wait: '30000ms' }],
    ]);
  });

  it('tells an empty service too', async () => {
    const { runtime, state } = watching([at(5)]);
    await runtime.advance(0);
    expect(state.seen).toEqual(['']);
  });

  it('tells nothing when the index moved and nothing else', async () => {
    const { runtime, state, client } = watching([at(5, 'a'), at(6, 'a'), at(7, 'a'), at(8, 'b')]);
    await runtime.advance(1_000);
    expect(state.seen).toEqual(['a', 'b']);
    expect(client.requests).toHaveLength(5);
  });

  it.each([
    ['goes back', '3'],
    ['is 0', '0'],
    ['is no number', 'NaN'],
    ['is negative', '-4'],
  ])('reads plainly when the index %s: the server was wiped, and would hold the old one', async (_, index) => {
    const { runtime, state, client } = watching([at(500, 'a'), at(index, 'b'), at(7, 'b'), at(8, 'c')]);
    await runtime.advance(1_000);
    expect(indexes(client.requests)).toEqual([undefined, '500', undefined, '7', '8']);
    expect(state.seen).toEqual(['a', 'b', 'c']);
  });

  it('keeps apart indexes that a floating point number would not', async () => {
    const { runtime, client } = watching([at('18446744073709551614', 'a'), at('18446744073709551615', 'b')]);
    await runtime.advance(0);
    expect(indexes(client.requests)).toEqual([undefined, '18446744073709551614', '18446744073709551615']);
  });

  it.each([
    ['never blocks', () => at(5, 'a')],
    ['sends no index', () => ({ body: [] })],
    ['changes all the time', (n: number) => at(n, `a${n}`)],
  ])('asks a server that %s at most 20 times in the first second and 10 times in each later one', async (_, answer) => {
    const runtime = testRuntime();
    const context = contextOn(runtime);
    let n = 0;
    const client = fakeClient(() => answer((n += 1)));
    collect(consulRegistry({ client, runtime }).watch('web', context));
    await runtime.advance(1_000);
    expect(client.requests.length).toBeGreaterThan(5);
    expect(client.requests.length).toBeLessThanOrEqual(21);
    const before = client.requests.length;
    await runtime.advance(10_000);
    expect(client.requests.length - before).toBeLessThanOrEqual(100);
    context.abort();
  });

  it.each([
    ['answers 500', { statusCode: 500, body: 'No cluster leader' }, /answered 500: No cluster leader/],
    ['answers 403', { statusCode: 403, body: 'Permission denied' }, /answered 403: Permission denied/],
    ['answers a page', { body: '<html>welcome</html>' }, /answered 200: <html>/],
    ['answers an object', { body: { error: 'x' } }, /answered 200/],
    ['answers nothing', {}, /answered 200/],
    ['is gone', unreachable, /ECONNREFUSED/],
  ])('ends with an error, not with an empty set, when the server %s', async (_, answer, message) => {
    const { runtime, state, client } = watching([at(5, 'a'), answer]);
    await runtime.advance(60_000);
    expect(state.seen).toEqual(['a']);
    expect(state.ended).toMatchObject({ code: 'REGISTRY_UNAVAILABLE', message: expect.stringMatching(message) });
    expect(client.requests).toHaveLength(2);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('ends with an error when a held request is not even answered after its wait', async () => {
    const { runtime, state } = watching([at(5, 'a')], { waitMs: 10_000, requestTimeoutMs: 2_000 });
    await runtime.advance(12_999);
    expect(state.ended).toBeUndefined();
    await runtime.advance(1);
    expect(state.ended).toMatchObject({ message: expect.stringMatching(/no answer within 13000 ms/) });
  });

  it.each([0, 1, 2])('ends quietly and at once when aborted after %d answers, and leaves nothing behind', async n => {
    const { runtime, state, context, client } = watching([at(5, 'a'), at(6, 'b')].slice(0, n));
    await runtime.advance(0);
    const cancelled: FakeRequest[] = [];
    for (const request of client.requests) request.ctx.once('cancel', () => cancelled.push(request));
    context.abort();
    await runtime.settle();
    expect(state.ended).toBe('quietly');
    expect(cancelled).toEqual(client.requests.slice(-1));
    expect(getEventListeners(context.signal, 'abort')).toEqual([]);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('ends quietly when aborted before it began, without asking', async () => {
    const runtime = testRuntime();
    const context = contextOn(runtime);
    const client = fakeClient(never);
    context.abort();
    const { state } = collect(consulRegistry({ client, runtime }).watch('web', context));
    await runtime.settle();
    expect(state.ended).toBe('quietly');
    expect(client.requests).toEqual([]);
  });

  it('reads nothing ahead: who comes late finds the newest set', async () => {
    const runtime = testRuntime();
    const context = contextOn(runtime);
    let now = at(5, 'a');
    const client = fakeClient(({ query }) => (query['index'] === now.headers?.['x-consul-index'] ? never() : now));
    const sets = consulRegistry({ client, runtime }).watch('web', context)[Symbol.asyncIterator]();
    await sets.next();
    for (const n of [6, 7, 8]) {
      now = at(n, `a${n}`);
      await runtime.advance(1_000);
    }
    expect(client.requests).toHaveLength(1);
    const next = await sets.next();
    expect((next.value as readonly ServiceInstance[]).map(({ id }) => id)).toEqual(['a8']);
    context.abort();
  });

  it('reports bad entries once for each change, and goes on', async () => {
    const bad = (index: number, ...ids: string[]): FakeAnswer => ({
      ...at(index),
      body: [null, ...ids.map(id => entry(id))],
    });
    const { runtime, state, context } = watching([bad(5, 'a'), bad(6, 'a'), bad(7, 'b')]);
    await runtime.advance(1_000);
    expect(state.seen).toEqual(['a', 'b']);
    expect(context.problems).toHaveLength(2);
  });

  it('takes an empty answer that Consul says it filtered for a refusal', async () => {
    const filtered = (answer: FakeAnswer): FakeAnswer => ({
      ...answer,
      headers: { ...answer.headers, 'x-consul-results-filtered-by-acls': 'true' },
    });
    const { runtime, state, context } = watching([filtered(at(5, 'a')), filtered(at(6))]);
    await runtime.advance(1_000);
    expect(state.seen).toEqual(['a']);
    expect(context.problems).toMatchObject([
      { kind: 'other', message: expect.stringMatching(/token may not read all/) },
    ]);
    expect(state.ended).toMatchObject({ message: expect.stringMatching(/token may not read this service/) });
  });

  it('escapes the name of the service, and takes none that leads elsewhere', async () => {
    const runtime = testRuntime();
    const client = fakeClient(() => at(1));
    const registry = consulRegistry({ client, runtime });
    await registry.discover('wéb ?#{x}');
    expect(client.requests[0]?.path).toBe('/health/service/w%C3%A9b%20%3F%23%7Bx%7D');
    for (const name of ['', 'a/b', '..', 'a..b', '.', 'a\nb', 7 as never]) {
      expect(() => registry.watch(name, contextOn(runtime))).toThrow(/^service: expected/);
      await expect(registry.discover(name)).rejects.toThrow(TypeError);
    }
  });
});

describe('one read of Consul', () => {
  it('gives the set, or an error: never an empty set for an error', async () => {
    const runtime = testRuntime();
    const answers: (FakeAnswer | (() => never))[] = [at(5, 'a'), at(6), { statusCode: 500 }, unreachable];
    const client = fakeClient(() => {
      const answer = answers.shift()!;
      return typeof answer === 'function' ? answer() : answer;
    });
    const registry = consulRegistry({ client, runtime });
    expect((await registry.discover('web')).map(({ id }) => id)).toEqual(['a']);
    expect(await registry.discover('web')).toEqual([]);
    await expect(registry.discover('web')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    await expect(registry.discover('web')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(runtime.pendingTimers).toBe(0);
  });

  it('has a time limit, and rejects with the reason of an abort', async () => {
    const runtime = testRuntime();
    const registry = consulRegistry({ client: fakeClient(never), runtime, requestTimeoutMs: 1_000 });
    const late = registry.discover('web');
    const { signal, abort } = contextOn(runtime);
    const aborted = registry.discover('web', { signal });
    late.catch(() => undefined);
    aborted.catch(() => undefined);
    await runtime.settle();
    abort();
    await expect(aborted).rejects.toThrow('enough');
    await runtime.advance(1_000);
    await expect(late).rejects.toThrow(/no answer within 1000 ms/);
  });
});
