import { describe, expect, it } from 'vitest';
import { isFairleadError, recordOf, type ClientEvent, type Failure } from 'fairlead';
import { connectionRefused } from 'fairlead/testing';
import { oneInstance } from './one-instance.js';

const once = { retry: false } as const;

describe('a fallback sees every failure', () => {
  const told: Failure<Response>[] = [];
  const telling = (failure: Failure<Response>): Response => {
    told.push(failure);
    return Response.json({ from: 'fallback' });
  };

  it.each<[string, () => Response | Promise<Response>, Partial<Failure<Response>>]>([
    ['no connection', () => Promise.reject(connectionRefused()), { code: 'ECONNREFUSED', attempts: 1 }],
    ['503', () => new Response(null, { status: 503 }), { code: undefined, error: undefined, attempts: 1 }],
    ['500', () => new Response(null, { status: 500 }), { code: undefined }],
    ['429', () => new Response(null, { status: 429, headers: { 'retry-after': '60' } }), { code: undefined }],
    ['no answer in time', () => new Promise<Response>(() => undefined), { code: 'DEADLINE_EXCEEDED' }],
  ])('%s', async (_name, answer, expected) => {
    told.length = 0;
    const { client, runtime } = await oneInstance(answer, { ...once, fallback: telling });
    const call = client.fetch('/users/1?x=2');
    await runtime.advance(20_000);
    const response = await call;
    expect(await response.json()).toEqual({ from: 'fallback' });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ service: 'users', method: 'GET', path: '/users/1?x=2', ...expected });
    expect(recordOf(response)).toMatchObject({ servedFrom: 'fallback' });
  });

  it('refusals too, with their code', async () => {
    told.length = 0;
    const { client } = await oneInstance(() => new Response('ok'), {
      bulkhead: { maxInFlight: 1, maxQueue: 0 },
      fallback: telling,
    });
    const [first, second] = await Promise.all([client.fetch('/'), client.fetch('/')]);
    expect([await first.text(), await second.json()]).toEqual(['ok', { from: 'fallback' }]);
    expect(told.map(({ code }) => code)).toEqual(['BULKHEAD_FULL']);
  });

  it('but no success, no 404 and no abort of the caller', async () => {
    told.length = 0;
    const { client, runtime } = await oneInstance(
      request =>
        request.url.endsWith('/never') ? new Promise<Response>(() => undefined) : new Response('', { status: 404 }),
      { ...once, fallback: telling },
    );
    expect((await client.fetch('/missing')).status).toBe(404);
    const controller = new AbortController();
    const call = client.fetch('/never', { signal: controller.signal });
    await runtime.advance(10);
    controller.abort('enough');
    await expect(call).rejects.toBe('enough');
    expect(told).toEqual([]);
  });
});

describe('what a fallback gives', () => {
  const failing = (): Response => new Response('broken', { status: 503 });

  it('a Response is copied for each call', async () => {
    const { client } = await oneInstance(failing, { ...once, fallback: Response.json([]) });
    expect(await (await client.fetch('/')).json()).toEqual([]);
    expect(await (await client.fetch('/')).json()).toEqual([]);
  });

  it('undefined leaves the failure as it is', async () => {
    const { client } = await oneInstance(failing, { ...once, fallback: () => undefined });
    const response = await client.fetch('/');
    expect([response.status, await response.text()]).toEqual([503, 'broken']);
  });

  it('what it throws is what the caller gets', async () => {
    const fault = new Error('no default for this one');
    const { client } = await oneInstance(failing, { ...once, fallback: () => Promise.reject(fault) });
    await expect(client.fetch('/')).rejects.toBe(fault);
  });

  it('something that is no Response is refused by name', async () => {
    const { client } = await oneInstance(failing, { ...once, fallback: (() => ({})) as never });
    await expect(client.fetch('/')).rejects.toThrow(
      'fallback: expected the function to return a Response or undefined',
    );
    await expect(oneInstance(failing, { fallback: [] as never })).rejects.toThrow(
      'fallback: expected a Response or a function; write Response.json({ … })',
    );
  });

  it('tells as an event what the caller would have got', async () => {
    const events: ClientEvent[] = [];
    const { client } = await oneInstance(failing, {
      ...once,
      fallback: Response.json([]),
      onEvent: e => events.push(e),
    });
    await client.fetch('/');
    expect(events.find(({ type }) => type === 'call.fallback')).toMatchObject({ status: 503, code: undefined });
    expect(events.at(-1)).toMatchObject({ type: 'call.ended', servedFrom: 'fallback', outcome: 'success' });
  });
});

describe('of one call', () => {
  it('goes before the client’s, or takes it away', async () => {
    const { client } = await oneInstance(() => new Response(null, { status: 503 }), {
      ...once,
      fallback: Response.json(1),
    });
    expect(await (await client.fetch('/', { fairlead: { fallback: Response.json(2) } })).json()).toBe(2);
    expect((await client.fetch('/', { fairlead: { fallback: false } })).status).toBe(503);
  });

  it('serves call() with a value or a function', async () => {
    const { client } = await oneInstance(() => new Response());
    const failing = (): never => {
      throw new Error('down');
    };
    expect(await client.call<number>(failing, { fallback: 7 })).toBe(7);
    expect(await client.call<string>(failing, { fallback: ({ error }) => (error as Error).message })).toBe('down');
    await expect(client.call<number>(failing)).rejects.toThrow('down');
  });

  it('a wrong one is refused before anything is sent', async () => {
    const { client, requests } = await oneInstance(() => new Response());
    const wrong = client.fetch('/', { fairlead: { fallback: 'x' as never } });
    await expect(wrong).rejects.toThrow('init.fairlead.fallback: expected a Response or a function');
    expect(requests).toHaveLength(0);
  });
});

it('is told of an open circuit by its code', async () => {
  const codes: unknown[] = [];
  const { client, runtime } = await oneInstance(() => new Response(null, { status: 503 }), {
    ...once,
    ejection: false,
    fallback: ({ code }) => {
      codes.push(code);
      return new Response('default');
    },
  });
  for (let i = 0; i < 40; i += 1) {
    await client.fetch('/');
    await runtime.advance(10);
  }
  expect(codes.at(-1)).toBe('CIRCUIT_OPEN');
  expect(isFairleadError(new Error('x'))).toBe(false);
});
