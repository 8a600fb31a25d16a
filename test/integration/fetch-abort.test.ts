/** Requests of the fetch transport are ended without an AbortSignal where fetch allows it, and with one where it does not. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createServiceClient, staticRegistry, type ServiceClient, type ServiceClientOptions } from 'fairlead';
import { getGlobalDispatcher, MockAgent, setGlobalDispatcher } from 'undici';

/** Requests that the server does not answer, until their connection is closed. */
const hanging = new Set<http.IncomingMessage>();

const server = http.createServer((request, response) => {
  if (request.url === '/hang') {
    hanging.add(request);
    request.socket.once('close', () => hanging.delete(request));
    return;
  }
  if (request.url === '/to-hang') return void response.writeHead(302, { location: '/hang' }).end();
  if (request.url === '/half') return void response.writeHead(200, { 'content-length': 10 }).write('half');
  response.end('{"id":42}');
});
let origin: string;
const clients: ServiceClient[] = [];

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await Promise.all(clients.splice(0).map(client => client.close({ timeoutMs: 1 })));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const clientOf = async (options: Partial<ServiceClientOptions> = {}): Promise<ServiceClient> => {
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry([origin]),
    retry: false,
    ...options,
  });
  clients.push(client);
  await client.ready();
  return client;
};

/** The first request is sent with a signal, to see whether the next ones need one. */
const warm = async (client: ServiceClient, times = 2): Promise<void> => {
  for (let nth = 0; nth < times; nth += 1) await (await client.fetch('/')).json();
};

const arrived = (): Promise<void> => vi.waitFor(() => expect(hanging.size).toBe(1), 10_000);
const closed = (): Promise<void> => vi.waitFor(() => expect(hanging.size).toBe(0), 10_000);

/** What fetch was called with: this one hands everything on to the platform's. */
const watchFetch = (before: () => Promise<void> | undefined = () => undefined): RequestInit[] => {
  const seen: RequestInit[] = [];
  const { fetch } = globalThis;
  vi.stubGlobal('fetch', (input: string, init: RequestInit) => {
    seen.push(init);
    return before()?.then(() => fetch(input, init)) ?? fetch(input, init);
  });
  return seen;
};

const withSignal = ({ signal }: RequestInit): boolean => signal instanceof AbortSignal;

describe.each([0, 2])('after %i other requests, a request that is not answered', earlier => {
  it.each([
    ['ATTEMPT_TIMEOUT', { attemptTimeoutMs: 50 }],
    ['DEADLINE_EXCEEDED', { deadlineMs: 50, attemptTimeoutMs: false }],
  ] as const)('is ended at the server too by %s', async (code, options) => {
    const client = await clientOf(options);
    await warm(client, earlier);
    await expect(client.fetch('/hang')).rejects.toMatchObject({ code });
    await closed();
  });

  it.each([
    ['by close()', '/hang', undefined],
    ['behind a redirect', '/to-hang', undefined],
    ['with a text as its body', '/hang', { method: 'POST', body: 'text' }],
    ['with bytes as its body', '/hang', { method: 'POST', body: new Uint8Array(9) }],
    ['with a stream as its body', '/hang', { method: 'POST', body: new Blob(['text']).stream() }],
  ] as const)('is ended %s', async (_what, path, init) => {
    const client = await clientOf();
    await warm(client, earlier);
    const refused = expect(client.fetch(path, init)).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await arrived();
    await client.close({ timeoutMs: 1 });
    await refused;
    await closed();
  });

  it('is ended by the signal of its caller, with its reason', async () => {
    const client = await clientOf();
    await warm(client, earlier);
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const refused = expect(client.fetch('/hang', { signal: controller.signal })).rejects.toBe(reason);
    await arrived();
    controller.abort(reason);
    await refused;
    await closed();
  });
});

describe('a body', () => {
  it.each([
    ['init', (signal: AbortSignal): [string, RequestInit] => ['/half', { signal }]],
    ['a Request', (signal: AbortSignal): [Request] => [new Request('http://users/half', { signal })]],
    [
      'a Request, and init',
      (signal: AbortSignal): [Request, RequestInit] => [
        new Request('http://users/half', { signal }),
        { headers: { a: 'b' } },
      ],
    ],
  ])('that its caller aborts by the signal of %s rejects with its reason', async (_what, argumentsOf) => {
    const client = await clientOf();
    await warm(client);
    const controller = new AbortController();
    const response = await client.fetch(...(argumentsOf(controller.signal) as [Request]));
    const text = response.text();
    const reason = new Error('no longer wanted');
    controller.abort(reason);
    await expect(text).rejects.toBe(reason);
  });

  it('outlives all timers of ours', async () => {
    const client = await clientOf({ attemptTimeoutMs: 30, deadlineMs: 40 });
    await warm(client);
    const response = await client.fetch('/half');
    const reader = response.body!.getReader();
    await reader.read();
    const more = reader.read();
    const first = await Promise.race([more, new Promise(resolve => setTimeout(resolve, 150, 'still open'))]);
    expect(first).toBe('still open');
    await reader.cancel();
  });
});

describe('an AbortSignal', () => {
  it('is made for the first request of a client, and for none after it', async () => {
    const seen = watchFetch();
    await warm(await clientOf(), 4);
    expect(seen.map(withSignal)).toEqual([true, false, false, false]);
  });

  it.each([
    ['of a client whose calls may share a body', { coalesce: true }, undefined],
    ['of a client with layers', { layers: { attempt: [next => next] } }, undefined],
    ['whose body is a stream', {}, { method: 'POST', body: new Blob(['text']).stream() }],
    ['with a dispatcher of its own', {}, { dispatcher: getGlobalDispatcher() } as unknown as RequestInit],
    ['with a signal of its own', {}, { signal: new AbortController().signal }],
  ] as [string, Partial<ServiceClientOptions>, RequestInit | undefined][])(
    'is made for requests %s',
    async (_what, options, init) => {
      const client = await clientOf(options);
      await warm(client);
      const seen = watchFetch();
      await (await client.fetch('/', init)).text();
      expect(seen.map(withSignal)).toEqual([true]);
    },
  );

  it('is made where fetch waits before it sends', async () => {
    const seen = watchFetch(() => Promise.resolve());
    await warm(await clientOf(), 6);
    expect(seen.map(withSignal)).toEqual(Array(6).fill(true));
    expect(seen.map(init => 'dispatcher' in init).slice(3)).toEqual([false, false, false]);
  });

  it('is made, after one request, where another fetch takes the place of the platform’s', async () => {
    const client = await clientOf();
    await warm(client);
    const seen: RequestInit[] = [];
    vi.stubGlobal('fetch', (_input: string, init: RequestInit) => {
      seen.push(init);
      return Promise.resolve(new Response('{}'));
    });
    await warm(client, 3);
    expect(seen.map(withSignal)).toEqual([false, true, true]);
  });
});

it('a dispatcher that was set for all is used', async () => {
  const before = getGlobalDispatcher();
  const agent = new MockAgent();
  agent.disableNetConnect();
  agent.get(origin).intercept({ path: '/mocked', method: 'POST', body: 'text' }).reply(200, 'mocked').times(3);
  setGlobalDispatcher(agent);
  try {
    const client = await clientOf();
    for (let nth = 0; nth < 3; nth += 1) {
      const response = await client.fetch('/mocked', { method: 'POST', body: 'text' });
      expect(await response.text()).toBe('mocked');
    }
  } finally {
    setGlobalDispatcher(before);
    await agent.close();
  }
});
