// What undiciTransport() does with its connections, on real servers.
import { fork } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import { createServiceClient, memoryRegistry, roundRobin, staticRegistry, type ServiceClient } from 'fairlead';
import { undiciTransport, type UndiciTransportOptions } from 'fairlead/undici';
import { clientOf, listening } from './undici-stage.js';

/** More than the kernel's buffers take. */
const BIG_BYTES = 16_000_000;

/** Counts its connections; answers `/hold` when it is told to. */
const openServer = async () => {
  const sockets = new Set<Socket>();
  const held: http.ServerResponse[] = [];
  const seen = { connections: 0, requests: 0, most: 0 };
  const server = http.createServer((request, response) => {
    seen.requests += 1;
    if (request.url === '/hold') held.push(response);
    else if (request.url === '/cacheable') response.setHeader('cache-control', 'max-age=60').end('kept');
    else if (request.url === '/big') response.end(Buffer.alloc(BIG_BYTES));
    else if (request.url === '/begin') {
      held.push(response);
      response.write('begun');
    } else response.end('ok');
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', socket => {
    seen.connections += 1;
    sockets.add(socket);
    seen.most = Math.max(seen.most, sockets.size);
    socket.on('close', () => sockets.delete(socket));
  });
  const origin = await listening(server);
  cleanUps.push(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  return {
    origin,
    seen,
    sockets,
    held,
    server,
    instance: { address: '127.0.0.1', port: Number(new URL(origin).port) },
  };
};

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const opened = async (origins: readonly string[], options?: UndiciTransportOptions): Promise<ServiceClient> => {
  const client = clientOf(origins, options);
  cleanUps.push(() => client.close({ timeoutMs: 10 }));
  await client.ready();
  return client;
};

const until = async (holds: () => boolean): Promise<void> => {
  for (let turn = 0; !holds() && turn < 2_000; turn += 1) await new Promise(resolve => setTimeout(resolve, 5));
  expect(holds()).toBe(true);
};

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
};

const inFlight = (client: ServiceClient): number => client.snapshot().instances[0]!.inFlight;

it('uses one connection again and again', async () => {
  const { origin, seen } = await openServer();
  const client = await opened([origin]);
  for (let nth = 0; nth < 20; nth += 1) await (await client.fetch('/')).text();
  expect(seen).toMatchObject({ connections: 1, requests: 20 });
});

it('opens no more than it may; who comes later waits its turn, and may give up waiting', async () => {
  const { origin, seen, held } = await openServer();
  const client = await opened([origin], { connections: 2 });
  const order: number[] = [];
  const controller = new AbortController();
  const asked = [0, 1, 2, 3, 4].map(async nth => {
    const signal = nth === 2 ? controller.signal : null;
    await (await client.fetch('/hold', { signal })).text();
    order.push(nth);
  });
  await until(() => held.length === 2);
  controller.abort('no longer');
  await expect(asked[2]).rejects.toBe('no longer');
  for (let nth = 0; nth < 4; nth += 1) {
    await until(() => held.length > nth);
    held[nth]!.end();
    await until(() => order.length > nth);
  }
  expect(order).toEqual([0, 1, 3, 4]);
  expect(seen).toMatchObject({ connections: 2, most: 2, requests: 4 });
});

it('closes a connection that was idle for long enough', async () => {
  const { origin, sockets } = await openServer();
  const client = await opened([origin], { keepAliveMaxMs: 30 });
  await (await client.fetch('/')).text();
  await until(() => sockets.size === 0);
  expect(await (await client.fetch('/')).text()).toBe('ok');
});

it('ends a connection after so many requests', async () => {
  const { origin, seen } = await openServer();
  const client = await opened([origin], { requestsPerConnection: 2 });
  for (let nth = 0; nth < 6; nth += 1) await (await client.fetch('/')).text();
  expect(seen.connections).toBeGreaterThanOrEqual(2);
});

it('goes on over another connection after an abort', async () => {
  const { origin, seen, held } = await openServer();
  const client = await opened([origin], { connections: 1 });
  const controller = new AbortController();
  const asked = client.fetch('/hold', { signal: controller.signal });
  await until(() => held.length === 1);
  controller.abort();
  await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  expect(await (await client.fetch('/')).text()).toBe('ok');
  expect(seen.connections).toBe(2);
});

it('closes the connections of an instance that left, once what they carry has ended', async () => {
  const [stays, other, leaves] = [await openServer(), await openServer(), await openServer()];
  const registry = memoryRegistry();
  const of = ({ instance }: typeof stays) => ({ ...instance, service: 'users' });
  registry.set('users', [of(leaves)]);
  const client = createServiceClient({ service: 'users', registry, transport: undiciTransport() });
  cleanUps.push(() => client.close());
  await client.ready();
  const responses = await Promise.all([client.fetch('/begin'), client.fetch('/'), client.fetch('/')]);
  await Promise.all(responses.slice(1).map(response => response.text()));
  const late = client.fetch('/hold');
  await until(() => leaves.held.length === 2);
  expect(leaves.sockets.size).toBe(3);
  // Two of three stay: a loss of all would not be believed at once.
  registry.set('users', [of(stays), of(other), of(leaves)]);
  await until(() => client.instances().length === 3);
  registry.set('users', [of(stays), of(other)]);
  await until(() => leaves.sockets.size === 2);
  leaves.held[0]!.end(' and ended');
  leaves.held[1]!.end('late');
  expect(await responses[0].text()).toBe('begun and ended');
  expect(await (await late).text()).toBe('late');
  await until(() => leaves.sockets.size === 0);
  expect(await (await client.fetch('/')).text()).toBe('ok');
});

it('is in flight until its body has ended, for the instance and for close()', async () => {
  const { origin, held, sockets } = await openServer();
  const client = await opened([origin]);
  const response = await client.fetch('/begin');
  expect([inFlight(client), client.snapshot().inFlight]).toEqual([1, 1]);
  const closing = client.close();
  let closed = false;
  void closing.then(() => (closed = true));
  const reading = response.text();
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(closed).toBe(false);
  held[0]!.end('.');
  expect(await reading).toBe('begun.');
  await closing;
  expect([inFlight(client), client.snapshot().inFlight]).toEqual([0, 0]);
  await until(() => sockets.size === 0);
});

it('close() does not wait for ever: a body that is still coming breaks, saying why', async () => {
  const { origin, sockets } = await openServer();
  const client = await opened([origin]);
  const reading = (await client.fetch('/begin')).text();
  const outcome = expect(reading).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  await client.close({ timeoutMs: 20 });
  await outcome;
  await until(() => sockets.size === 0);
  await expect(client.fetch('/')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
});

it('a small answer is over before anybody reads it', async () => {
  const { origin } = await openServer();
  const client = await opened([origin], { connections: 1 });
  const first = await client.fetch('/');
  expect(inFlight(client)).toBe(0);
  const second = await client.fetch('/');
  expect([await first.text(), await second.text()]).toEqual(['ok', 'ok']);
});

it('takes no more from the server than is read', async () => {
  const { origin, sockets } = await openServer();
  const client = await opened([origin]);
  const response = await client.fetch('/big');
  const [socket] = sockets;
  await until(() => socket!.bytesWritten > 0);
  await new Promise(resolve => setTimeout(resolve, 100));
  expect(socket!.writableLength).toBeGreaterThan(0);
  expect((await response.arrayBuffer()).byteLength).toBe(BIG_BYTES);
});

it('lets go of a connection whose answer was dropped unread, and not of one that is still read', async () => {
  const { origin, sockets } = await openServer();
  const client = await opened([origin]);
  await (async () => void (await client.fetch('/big')))();
  const streamed = (await client.fetch('/big')).body!;
  const read = (await client.fetch('/big')).arrayBuffer();
  expect(sockets.size).toBe(3);
  await until(() => {
    collectGarbage();
    return sockets.size < 3 && inFlight(client) < 3;
  });
  expect((await read).byteLength).toBe(BIG_BYTES);
  let length = 0;
  for await (const chunk of streamed as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length < 500_000) collectGarbage();
  }
  expect(length).toBe(BIG_BYTES);
});

it('cancelling a body ends its connection, and no failure is counted', async () => {
  const { origin, sockets } = await openServer();
  const client = await opened([origin]);
  await (await client.fetch('/big')).body!.cancel();
  await until(() => sockets.size === 0);
  expect(client.snapshot().instances[0]).toMatchObject({ inFlight: 0, bodiesFailed: 0 });
});

it('one signal for a thousand calls: one listener at most, none after the bodies are read', async () => {
  const { origin } = await openServer();
  const client = await opened([origin]);
  const { signal } = new AbortController();
  let most = 0;
  for (let round = 0; round < 20; round += 1) {
    const responses = await Promise.all(Array.from({ length: 50 }, () => client.fetch('/', { signal })));
    most = Math.max(most, getEventListeners(signal, 'abort').length);
    await Promise.all(responses.map(response => response.text()));
  }
  expect(most).toBeLessThanOrEqual(1);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

it('a POST goes to another instance when nothing was sent', async () => {
  const { origin } = await openServer();
  const gone = await openServer();
  await new Promise(resolve => gone.server.close(resolve));
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry([gone.origin, origin]),
    transport: undiciTransport(),
  });
  cleanUps.push(() => client.close());
  for (let nth = 0; nth < 10; nth += 1)
    expect(await (await client.fetch('/', { method: 'POST', body: '{}' })).text()).toBe('ok');
});

it('a server that is killed in the midst of a body: the reader is told, the instance is charged, others serve', async () => {
  const child = fork(fileURLToPath(new URL('support/undici-victim.js', import.meta.url)));
  const [port] = (await once(child, 'message')) as [number];
  const { origin } = await openServer();
  const registry = memoryRegistry();
  const victim = { service: 'users', id: 'victim', address: '127.0.0.1', port };
  registry.set('users', [victim]);
  const failed: unknown[] = [];
  const client = createServiceClient({ service: 'users', registry, transport: undiciTransport() });
  cleanUps.push(() => client.close());
  client.on('body.failed', ({ instance }) => failed.push(instance));
  await client.ready();
  const responses = await Promise.all(Array.from({ length: 5 }, () => client.fetch('/endless')));
  expect(inFlight(client)).toBe(5);
  const readings = responses.map(response => expect(response.text()).rejects.toThrow(new TypeError('terminated')));
  child.kill('SIGKILL');
  await Promise.all(readings);
  expect(failed).toEqual(Array(5).fill('victim'));
  expect(client.snapshot().instances[0]).toMatchObject({ inFlight: 0, bodiesFailed: 5 });
  expect(client.snapshot().instances[0]!.successRatio).toBeLessThan(1);
  registry.set('users', [
    victim,
    { service: 'users', id: 'other', address: '127.0.0.1', port: Number(new URL(origin).port) },
  ]);
  for (let nth = 0; nth < 10; nth += 1) expect(await (await client.fetch('/')).text()).toBe('ok');
});

it('an instance whose bodies all break is ejected', async () => {
  const { origin } = await openServer();
  const breaker = http.createServer((_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setTimeout(() => response.socket!.destroy(), 5);
  });
  const bad = await listening(breaker);
  cleanUps.push(() => new Promise(resolve => breaker.close(resolve)));
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry([bad, origin]),
    // Others would avoid it before it is ejected.
    balancer: roundRobin(),
    transport: undiciTransport(),
  });
  cleanUps.push(() => client.close());
  await client.ready();
  const state = (): unknown => client.snapshot().instances.find(({ port }) => bad.endsWith(`:${port}`))?.state;
  for (let nth = 0; nth < 200 && state() === 'serving'; nth += 1)
    await client
      .fetch('/')
      .then(response => response.text())
      .catch(() => undefined);
  expect(state()).toBe('out');
});

it('belongs to one client', () => {
  const transport = undiciTransport();
  const make = (service: string) =>
    createServiceClient({ service, registry: staticRegistry(['http://127.0.0.1:1']), transport });
  const first = make('users');
  expect(() => make('orders')).toThrow(/belongs to the client of users/);
  return first.close();
});

it('serves what shares and keeps answers, and what asks twice', async () => {
  const { origin, seen } = await openServer();
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry([origin]),
    transport: undiciTransport(),
    ...{ coalesce: true, cache: {}, hedge: { afterMs: 5 } },
  });
  cleanUps.push(() => client.close({ timeoutMs: 10 }));
  const shared = await Promise.all(Array.from({ length: 5 }, () => client.fetch('/big')));
  const lengths = await Promise.all(shared.map(async response => (await response.arrayBuffer()).byteLength));
  expect(lengths).toEqual(Array(5).fill(BIG_BYTES));
  const before = seen.requests;
  for (let nth = 0; nth < 3; nth += 1) expect(await (await client.fetch('/cacheable')).text()).toBe('kept');
  await until(() => inFlight(client) === 0);
  // Twice at most each, where it was hedged.
  expect(before).toBeLessThanOrEqual(2);
  expect(seen.requests - before).toBeLessThanOrEqual(2);
});

it('keeps no process alive', async () => {
  const { origin } = await openServer();
  const program = fileURLToPath(new URL('support/undici-lingerer.ts', import.meta.url));
  const child = fork(program, [origin], { execArgv: ['--import', 'tsx'], silent: true });
  const [text] = (await once(child, 'message')) as [string];
  child.disconnect();
  const [code] = (await once(child, 'exit')) as [number];
  expect([text, code]).toEqual(['ok', 0]);
});
