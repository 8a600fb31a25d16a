/** Several agents: whom to ask, and where an entry is. On real sockets. */
import type { RequestListener, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { systemRuntime } from '../../../src/core/runtime.js';
import { consulRegistry } from '../../../src/registries/consul/index.js';
import { Route } from '../../../src/registries/consul/route.js';
import { contextOn, entry, fakeServer } from './consul-fake.js';

const NOBODY = 'http://127.0.0.1:1';
const WEB = { id: 'web-1', service: 'web', address: '10.0.0.1', port: 80 };
const json = (response: ServerResponse, body: unknown, index = '5'): void =>
  void response
    .writeHead(200, { 'content-type': 'application/json', 'x-consul-index': index })
    .end(JSON.stringify(body));
const listing =
  (...ids: string[]): RequestListener =>
  (_, response) =>
    json(
      response,
      ids.map(id => entry(id)),
    );
const failing =
  (status: number, words: string): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'text/plain' }).end(words);
/** An agent that keeps what is registered on it. */
const agent = () => {
  const entries = new Set<string>();
  const answer: RequestListener = (request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/v1/agent/service/register')) entries.add('web-1');
    else if (path.startsWith('/v1/agent/service/deregister/')) entries.delete('web-1');
    else if (!entries.has('web-1')) return failing(500, 'unknown check')(request, response);
    json(response, null);
  };
  return { entries, answer };
};

const eventually = async (condition: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 600 && !condition(); turn += 1) await systemRuntime.sleep(5);
  expect(condition()).toBe(true);
};

describe('a route', () => {
  it('stays, moves on once for all who saw an agent fail, and comes round', () => {
    const route = new Route(['a', 'b', 'c']);
    expect([route.take(), route.take()]).toEqual(['a', 'a']);
    route.leave('a');
    route.leave('a');
    expect(route.take()).toBe('b');
    route.leave('b');
    route.leave('c');
    expect(route.take()).toBe('a');
    expect([...route.used]).toEqual(['a', 'b']);
  });
});

describe('reads with several agents', () => {
  it('stay with the one that answers', async () => {
    await using one = await fakeServer(listing('one'));
    await using two = await fakeServer(listing('two'));
    const registry = consulRegistry({ urls: [NOBODY, one.url, two.url] });
    for (let n = 0; n < 3; n += 1) expect((await registry.discover('web')).map(({ id }) => id)).toEqual(['one']);
    expect([one.requests.length, two.requests.length]).toEqual([3, 0]);
  });

  it('go on to the next when an agent has lost its servers, or keeps silent, all within the time limit', async () => {
    await using lost = await fakeServer(failing(500, 'No cluster leader'));
    await using silent = await fakeServer(() => undefined);
    await using good = await fakeServer(listing('good'));
    const registry = consulRegistry({ urls: [lost.url, silent.url, good.url], requestTimeoutMs: 3_000 });
    const startedAt = performance.now();
    expect((await registry.discover('web')).map(({ id }) => id)).toEqual(['good']);
    expect(performance.now() - startedAt).toBeLessThan(2_900);
    await registry.discover('web');
    expect([lost.requests.length, silent.requests.length, good.requests.length]).toEqual([1, 1, 2]);
  });

  it('do not go on when an agent refuses: the others have the same rules', async () => {
    await using one = await fakeServer(failing(403, 'Permission denied'));
    await using two = await fakeServer(listing('two'));
    await expect(consulRegistry({ urls: [one.url, two.url] }).discover('web')).rejects.toThrow(/answered 403/);
    expect(two.requests).toHaveLength(0);
  });

  it('say of each what was wrong, and no token', async () => {
    await using lost = await fakeServer(failing(500, 'not you, hunter2'));
    const registry = consulRegistry({ urls: [NOBODY, lost.url], token: 'hunter2' });
    const error: unknown = await registry.discover('web').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect((error as Error).message).toMatch(/127\.0\.0\.1:1: .*ECONNREFUSED/);
    const all = consulRegistry({ urls: [NOBODY, 'http://127.0.0.1:2'] });
    await expect(all.discover('web')).rejects.toThrow(
      /127\.0\.0\.1:1: .*ECONNREFUSED.*; .*127\.0\.0\.1:2: .*ECONNREFUSED/,
    );
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('hunter2');
  });

  it('throw when a held request breaks, and the next watch starts plainly, on the next agent', async () => {
    await using one = await fakeServer((request, response) => {
      if (request.url?.includes('index=')) request.socket.destroy();
      else json(response, [entry('one')]);
    });
    await using two = await fakeServer((request, response) => {
      if (!request.url?.includes('index=')) json(response, [entry('two')], '3');
    });
    const registry = consulRegistry({ urls: [one.url, two.url] });
    const context = contextOn(systemRuntime);
    const broken = registry.watch('web', context)[Symbol.asyncIterator]();
    expect((await broken.next()).value).toMatchObject([{ id: 'one' }]);
    await expect(broken.next()).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(two.requests).toHaveLength(0);
    const anew = registry.watch('web', context)[Symbol.asyncIterator]();
    expect((await anew.next()).value).toMatchObject([{ id: 'two' }]);
    expect(two.requests[0]?.url).not.toContain('index=');
    context.abort();
    await registry.close();
  });
});

describe('a registration with several agents', () => {
  it('moves to the next when its own cannot be reached, and is removed from wherever it was', async () => {
    const [first, second] = [agent(), agent()];
    let cut = false;
    await using one = await fakeServer((request, response) => {
      if (cut) request.socket.destroy();
      else first.answer(request, response);
    });
    await using two = await fakeServer(second.answer);
    const registry = consulRegistry({ urls: [one.url, two.url] });
    const registration = await registry.register(WEB, { ttlMs: 1_000 });
    const told: string[] = [];
    for (const type of ['lost', 'restored'] as const) registration.on(type, () => void told.push(type));
    expect([first.entries.size, second.entries.size]).toEqual([1, 0]);
    cut = true;
    await eventually(() => second.entries.size === 1 && registration.state === 'registered');
    await eventually(() => told.length === 2);
    expect(told).toEqual(['lost', 'restored']);
    cut = false;
    await registration.deregister();
    expect([first.entries.size, second.entries.size]).toEqual([0, 0]);
    await registry.close();
  });

  it('does not move because a read failed', async () => {
    const [first, second] = [agent(), agent()];
    await using one = await fakeServer((request, response) => {
      if (request.url?.includes('/health/')) request.socket.destroy();
      else first.answer(request, response);
    });
    await using two = await fakeServer((request, response) => {
      if (request.url?.includes('/health/')) json(response, []);
      else second.answer(request, response);
    });
    const registry = consulRegistry({ urls: [one.url, two.url] });
    const registration = await registry.register(WEB, { ttlMs: 1_000 });
    expect(await registry.discover('web')).toEqual([]);
    const before = one.requests.length;
    await eventually(() => one.requests.length > before);
    expect(second.entries.size).toBe(0);
    await registration.deregister();
    expect(two.requests).toHaveLength(1);
    await registry.close();
  });
});
