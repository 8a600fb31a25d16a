import { describe, expect, it } from 'vitest';
import { recordOf, type CacheOptions } from 'fairlead';
import type { TestRuntime } from 'fairlead/testing';
import { oneInstance } from './one-instance.js';

interface Origin {
  headers: Record<string, string>;
  body: string;
  status: number;
  down: boolean;
}

const origin = (given: Partial<Origin> = {}): Origin => ({
  headers: {},
  body: 'v1',
  status: 200,
  down: false,
  ...given,
});

const cached = (server: Origin, cache: CacheOptions = {}) =>
  oneInstance(
    request => {
      if (server.down) throw new TypeError('fetch failed');
      const { etag } = server.headers;
      if (etag !== undefined && request.headers.get('if-none-match') === etag)
        return new Response(null, { status: 304, headers: server.headers });
      const bodiless = request.method === 'HEAD';
      return new Response(bodiless ? null : server.body, { status: server.status, headers: server.headers });
    },
    { cache, retry: false },
  );

/** Reads to the end and lets the copy be kept. */
const read = async (response: Response, runtime: TestRuntime): Promise<string> => {
  const text = await response.text();
  await runtime.settle();
  return text;
};

describe('what is answered from the cache', () => {
  it('a GET, for as long as the server allows', async () => {
    const server = origin({ headers: { 'cache-control': 'max-age=10' } });
    const { client, runtime, requests } = await cached(server);
    await read(await client.fetch('/a'), runtime);
    server.body = 'v2';
    await runtime.advance(9_000);
    const hit = await client.fetch('/a');
    expect([await hit.text(), hit.headers.get('age'), hit.url]).toEqual(['v1', '9', 'http://10.0.0.1:8080/a']);
    expect(recordOf(hit)).toMatchObject({ servedFrom: 'cache', attempts: 0, status: 200, endedBy: 'success' });
    await runtime.advance(1_001);
    const missed = await client.fetch('/a');
    expect(await missed.text()).toBe('v2');
    expect(recordOf(missed)).toMatchObject({ servedFrom: 'instance' });
    expect(requests).toHaveLength(2);
    expect(client.snapshot().cache).toMatchObject({ entries: 1 });
  });

  it('each caller has a body of its own', async () => {
    const { client, runtime } = await cached(origin({ headers: { 'cache-control': 'max-age=10' } }));
    await read(await client.fetch('/a'), runtime);
    const [one, two] = await Promise.all([client.fetch('/a'), client.fetch('/a')]);
    expect([await one.text(), await two.text()]).toEqual(['v1', 'v1']);
  });

  it('what is stale is asked for with its validator, and costs no body when it holds', async () => {
    const { client, runtime, requests } = await cached(
      origin({ headers: { etag: '"1"', 'cache-control': 'max-age=1' } }),
    );
    await read(await client.fetch('/a'), runtime);
    await runtime.advance(5_000);
    const again = await client.fetch('/a');
    expect([again.status, await again.text()]).toEqual([200, 'v1']);
    expect(requests[1]!.headers.get('if-none-match')).toBe('"1"');
    expect(await (await client.fetch('/a')).text()).toBe('v1');
    expect(requests).toHaveLength(2);
  });

  it('another for each value of what Vary names', async () => {
    const server = origin({ headers: { 'cache-control': 'max-age=10', vary: 'accept-language' } });
    const { client, runtime, requests } = await cached(server);
    const ask = async (language: string): Promise<string> =>
      read(await client.fetch('/a', { headers: { 'accept-language': language } }), runtime);
    server.body = 'hello';
    expect(await ask('en')).toBe('hello');
    server.body = 'salut';
    expect(await ask('fr')).toBe('salut');
    expect([await ask('en'), await ask('fr')]).toEqual(['hello', 'salut']);
    expect(requests).toHaveLength(2);
  });
});

describe('what is not', () => {
  it.each<[string, Origin, RequestInit, CacheOptions?]>([
    ['no-store', origin({ headers: { 'cache-control': 'no-store' } }), {}],
    ['private', origin({ headers: { 'cache-control': 'private, max-age=60' } }), {}],
    ['nothing said', origin(), {}],
    ['another method', origin({ headers: { 'cache-control': 'max-age=60' } }), { method: 'HEAD' }],
    ['POST', origin({ headers: { 'cache-control': 'max-age=60' } }), { method: 'POST', body: 'x' }],
    [
      'with a token',
      origin({ headers: { 'cache-control': 'max-age=60' } }),
      { headers: { authorization: 'Bearer x' } },
    ],
    ['with a cookie', origin({ headers: { 'cache-control': 'max-age=60' } }), { headers: { cookie: 'a=1' } }],
    ['a cookie is set', origin({ headers: { 'cache-control': 'max-age=60', 'set-cookie': 'a=1' } }), {}],
    ['a part', origin({ headers: { 'cache-control': 'max-age=60' } }), { headers: { range: 'bytes=0-1' } }],
    [
      'the caller says no',
      origin({ headers: { 'cache-control': 'max-age=60' } }),
      { cache: 'no-store' } as RequestInit,
    ],
    [
      'the caller wants it anew',
      origin({ headers: { 'cache-control': 'max-age=60' } }),
      { cache: 'reload' } as RequestInit,
    ],
    ['500', origin({ status: 500, headers: { 'cache-control': 'max-age=60' } }), {}],
    [
      'too long',
      origin({ body: 'x'.repeat(101), headers: { 'cache-control': 'max-age=60' } }),
      {},
      { maxBodyBytes: 100 },
    ],
  ])('%s', async (_name, server, init, cache) => {
    const { client, runtime, requests } = await cached(server, cache);
    await read(await client.fetch('/a', init), runtime);
    await read(await client.fetch('/a', init), runtime);
    expect(requests).toHaveLength(2);
  });

  it('a private answer is kept where there is one user only', async () => {
    const server = origin({ headers: { 'cache-control': 'private, max-age=60' } });
    const { client, runtime, requests } = await cached(server, { shared: false });
    const init = { headers: { authorization: 'Bearer x' } };
    await read(await client.fetch('/a', init), runtime);
    await read(await client.fetch('/a', init), runtime);
    expect(requests).toHaveLength(1);
  });

  it('what a POST has changed', async () => {
    const { client, runtime, requests } = await cached(origin({ headers: { 'cache-control': 'max-age=60' } }));
    await read(await client.fetch('/a'), runtime);
    await read(await client.fetch('/a', { method: 'PUT', body: 'x' }), runtime);
    await read(await client.fetch('/a'), runtime);
    expect(requests.map(({ method }) => method)).toEqual(['GET', 'PUT', 'GET']);
  });
});

describe('when the service fails', () => {
  it.each<[string, (server: Origin) => void]>([
    ['no connection', server => (server.down = true)],
    ['503', server => (server.status = 503)],
  ])('%s: what is stale stands in, for a minute', async (_name, fail) => {
    const server = origin({ headers: { 'cache-control': 'max-age=1' } });
    const { client, runtime } = await cached(server);
    await read(await client.fetch('/a'), runtime);
    fail(server);
    await runtime.advance(30_000);
    const stale = await client.fetch('/a');
    expect([stale.status, await stale.text()]).toEqual([200, 'v1']);
    expect(recordOf(stale)).toMatchObject({ servedFrom: 'stale' });
    await runtime.advance(60_000);
    const late = await client.fetch('/a').then(
      response => response.status,
      () => 'rejected',
    );
    expect(late).toBe(server.down ? 'rejected' : 503);
  });

  it('an answer that said nothing of caching stands in too', async () => {
    const server = origin();
    const { client, runtime } = await cached(server);
    await read(await client.fetch('/a'), runtime);
    server.down = true;
    expect(await (await client.fetch('/a')).text()).toBe('v1');
  });

  it.each(['max-age=1, must-revalidate', 'no-cache', 'max-age=1, stale-if-error=0'])('not with %s', async control => {
    const server = origin({ headers: { 'cache-control': control } });
    const { client, runtime } = await cached(server);
    await read(await client.fetch('/a'), runtime);
    server.down = true;
    await runtime.advance(2_000);
    await expect(client.fetch('/a')).rejects.toThrow('fetch failed');
  });
});

describe('bounds', () => {
  it('holds no more answers and bytes than it may; the least recently used goes', async () => {
    const server = origin({ headers: { 'cache-control': 'max-age=60' } });
    const { client, runtime, requests } = await cached(server, { maxEntries: 3 });
    for (const path of ['/1', '/2', '/3', '/1', '/4']) await read(await client.fetch(path), runtime);
    expect(client.snapshot().cache!.entries).toBe(3);
    requests.length = 0;
    for (const path of ['/1', '/3', '/4', '/2']) await read(await client.fetch(path), runtime);
    expect(requests.map(({ url }) => new URL(url).pathname)).toEqual(['/2']);
  });

  it('by bytes', async () => {
    const server = origin({ body: 'x'.repeat(10_000), headers: { 'cache-control': 'max-age=60' } });
    const { client, runtime } = await cached(server, { maxBytes: 50_000 });
    for (let i = 0; i < 20; i += 1) await read(await client.fetch(`/${i}`), runtime);
    expect(client.snapshot().cache!.bytes).toBeLessThanOrEqual(50_000);
    expect(client.snapshot().cache!.entries).toBe(4);
  });

  it('a body that breaks is not kept', async () => {
    let pulls = 0;
    const breaking = (): Response =>
      new Response(
        new ReadableStream({
          pull: controller => {
            pulls += 1;
            if (pulls > 1) controller.error(new Error('broken pipe'));
            else controller.enqueue(new TextEncoder().encode('half'));
          },
        }),
        { headers: { 'cache-control': 'max-age=60' } },
      );
    const { client, runtime } = await oneInstance(breaking, { cache: {}, retry: false });
    await expect((await client.fetch('/a')).text()).rejects.toThrow();
    await runtime.settle();
    expect(client.snapshot().cache!.entries).toBe(0);
  });

  it.each<[unknown, string]>([
    [true, 'cache: expected an object, got true; write {} for the defaults'],
    [{ maxEntries: 0 }, 'cache.maxEntries: expected a whole number >= 1, got 0'],
    [{ ttl: 1 }, 'cache.ttl: no such option'],
  ])('%j is refused by name', async (cache, message) => {
    await expect(oneInstance(() => new Response(), { cache: cache as CacheOptions })).rejects.toThrow(message);
  });
});
