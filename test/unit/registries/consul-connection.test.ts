/** What happens on the wire: the `consul` package on real sockets, against servers that misbehave. */
import { getEventListeners } from 'node:events';
import { Agent } from 'node:http';
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Socket,
  type TcpNetConnectOpts,
} from 'node:net';
import { inspect } from 'node:util';
import Consul from 'consul';
import { describe, expect, it } from 'vitest';
import { systemRuntime } from '../../../src/core/runtime.js';
import { consulRegistry } from '../../../src/registries/consul/index.js';
import { Connection } from '../../../src/registries/consul/connection.js';
import { resolveOptions } from '../../../src/registries/consul/options.js';
import { contextOn, entry, fakeServer, type FakeServer } from './consul-fake.js';

const ok = (index: number, ...ids: string[]) => ({ index, text: JSON.stringify(ids.map(id => entry(id))) });
const json = { 'content-type': 'application/json' };

/** Answers plain reads; holds what comes with an index. */
const holding = () =>
  fakeServer((request, response) => {
    if (request.url?.includes('index=')) return;
    response.writeHead(200, { ...json, 'x-consul-index': '5' }).end(ok(5, 'a').text);
  });

const eventually = async (condition: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 200 && !condition(); turn += 1) await systemRuntime.sleep(5);
  expect(condition()).toBe(true);
};

const start = (server: FakeServer, options: object = {}) => {
  const registry = consulRegistry({ url: server.url, requestTimeoutMs: 2_000, ...options });
  const context = contextOn(systemRuntime);
  const sets = registry.watch('web', context)[Symbol.asyncIterator]();
  return { registry, context, sets };
};

describe('a connection to Consul', () => {
  it('carries the token in a header, and it is in no error, even if the server repeats it', async () => {
    await using server = await fakeServer((request, response) => {
      const said = `ACL not found for ${String(request.headers['x-consul-token'])}`;
      response.writeHead(403, { 'content-type': 'text/plain' }).end(said);
    });
    const registry = consulRegistry({ url: server.url, token: 'hunter2' });
    const error: unknown = await registry.discover('web').catch((thrown: unknown) => thrown);
    expect(server.requests[0]?.headers['x-consul-token']).toBe('hunter2');
    expect(error).toMatchObject({ message: expect.stringMatching(/answered 403: ACL not found for \*\*\*$/) });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('hunter2');
    const refused: unknown = await registry
      .register({ service: 'web', address: '10.0.0.1', port: 1 })
      .catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: 'REGISTRATION_FAILED' });
    expect(inspect(refused, { depth: 10, showHidden: true })).not.toContain('hunter2');
    expect(inspect(registry, { depth: 10, showHidden: true })).not.toContain('hunter2');
  });

  it('has the system ask after one second of silence, with any agent, whether the other machine still lives', async () => {
    await using server = await holding();
    const asked: unknown[] = [];
    const createConnection = (options: TcpNetConnectOpts): Socket => {
      const socket = connect(options);
      const setKeepAlive = socket.setKeepAlive.bind(socket);
      return Object.assign(socket, {
        setKeepAlive(on?: boolean, afterMs?: number) {
          asked.push([on, afterMs]);
          return setKeepAlive(on, afterMs);
        },
      });
    };
    const agent = Object.assign(new Agent({ keepAlive: false }), { createConnection });
    const { registry, sets } = start(server, { agent });
    await sets.next();
    expect(asked).toEqual([[true, 1_000]]);
    await registry.close();
    agent.destroy();
  });

  it.each([
    ['broken JSON', json, '[{"Service":', /body that is not JSON$/],
    ['a page', { 'content-type': 'text/html' }, '<html>\n hello </html>', /answered 200: <html> hello <\/html>$/],
    ['nothing', json, '', /answered 200$/],
  ])('tells %s from a set', async (_, headers, body, message) => {
    await using server = await fakeServer((_request, response) => void response.writeHead(200, headers).end(body));
    await expect(consulRegistry({ url: server.url }).discover('web')).rejects.toThrow(message);
  });

  it('notices that it was cut in the middle of a body', async () => {
    await using server = await fakeServer((_request, response) => {
      response.writeHead(200, { ...json, 'content-length': '1000' }).write('[', () => response.destroy());
    });
    const registry = consulRegistry({ url: server.url, requestTimeoutMs: 60_000 });
    await expect(registry.discover('web')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });

  it('gives up a body that has no end', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    await using server = await fakeServer((_request, response) => {
      const more = (): void => void (response.destroyed || response.write(chunk, () => more()));
      response.writeHead(200, json);
      more();
    });
    const registry = consulRegistry({ url: server.url, requestTimeoutMs: 60_000 });
    await expect(registry.discover('web')).rejects.toThrow(/the body exceeds 67108864 bytes/);
    await eventually(() => server.sockets.size === 0);
  });

  it('survives a server that does not speak HTTP', async () => {
    const server = createTcpServer(socket => void socket.end('SSH-2.0-OpenSSH_9\r\n'));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const registry = consulRegistry({ url: `http://127.0.0.1:${port}` });
    await expect(registry.discover('web')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    server.close();
  });

  it('says who could not be reached, and why', async () => {
    await expect(consulRegistry({ url: 'http://127.0.0.1:1' }).discover('web')).rejects.toMatchObject({
      message: expect.stringMatching(/^consul at http:\/\/127\.0\.0\.1:1: GET .* failed: connect ECONNREFUSED/),
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('has a time limit, and leaves no socket behind it', async () => {
    await using server = await fakeServer(() => undefined);
    const registry = consulRegistry({ url: server.url, requestTimeoutMs: 100 });
    await expect(registry.discover('web')).rejects.toThrow(/no answer within 100 ms/);
    await eventually(() => server.sockets.size === 0);
  });

  it('asks again when Consul had closed a socket that lay idle', async () => {
    let served = 0;
    await using server = await fakeServer((request, response) => {
      served += 1;
      if (served === 3) return void request.socket.destroy();
      response.writeHead(200, { ...json, 'x-consul-index': '5' }).end('[]');
    });
    const registry = consulRegistry({ url: server.url });
    const { signal } = contextOn(systemRuntime);
    // The registration (two requests) holds the connection, so that the read finds an idle socket.
    const registration = await registry.register({ service: 'web', address: '10.0.0.1', port: 1 });
    expect(await registry.discover('web', { signal })).toEqual([]);
    expect(served).toBe(4);
    await registration.deregister();
  });

  it('does not ask again with the old index when a held request is cut', async () => {
    let held = 0;
    await using server = await fakeServer((request, response) => {
      if (request.url?.includes('index=')) {
        held += 1;
        return void request.socket.destroy();
      }
      response.writeHead(200, { ...json, 'x-consul-index': '5' }).end(ok(5, 'a').text);
    });
    const { sets } = start(server);
    await sets.next();
    await expect(sets.next()).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(held).toBe(1);
  });

  it('speaks to an IPv6 address', async () => {
    const server = await fakeServer((_request, response) => void response.writeHead(200, json).end('[]'), '::1').catch(
      () => undefined,
    );
    if (server === undefined) return; // a machine without IPv6
    await using open = server;
    expect(await consulRegistry({ url: open.url }).discover('web')).toEqual([]);
  });

  it('sends repeated tags, and what else is asked for', async () => {
    await using server = await fakeServer((_request, response) => void response.writeHead(200, json).end('[]'));
    const registry = consulRegistry({
      url: `${server.url}/proxy`,
      tags: ['a', 'b c'],
      consistency: 'stale',
      datacenter: 'd',
    });
    await registry.discover('web');
    expect(server.requests[0]?.url).toBe('/proxy/v1/health/service/web?dc=d&tag=a&tag=b%20c&stale=1');
  });
});

describe('the sockets of a registry', () => {
  it('are opened at the first use and closed with the last watch', async () => {
    await using server = await holding();
    const one = start(server);
    const two = one.registry.watch('web', one.context)[Symbol.asyncIterator]();
    expect(server.sockets.size).toBe(0);
    await Promise.all([one.sets.next(), two.next()]);
    const pending = [one.sets.next(), two.next()];
    await eventually(() => server.sockets.size === 2);
    one.context.abort();
    expect(await Promise.all(pending)).toEqual(
      [{ done: true }, { done: true }].map(end => ({ ...end, value: undefined })),
    );
    await eventually(() => server.sockets.size === 0);
    expect(getEventListeners(one.context.signal, 'abort')).toEqual([]);
  });

  it('are closed when a reader aborts and never comes back, or just stops reading', async () => {
    await using server = await holding();
    const one = start(server);
    await one.sets.next();
    expect(server.sockets.size).toBe(1);
    one.context.abort();
    await eventually(() => server.sockets.size === 0);
    const two = start(server);
    for await (const set of { [Symbol.asyncIterator]: () => two.sets }) {
      expect(set).toHaveLength(1);
      break;
    }
    await eventually(() => server.sockets.size === 0);
    expect(getEventListeners(two.context.signal, 'abort')).toEqual([]);
  });

  it('are closed by close(), which ends watches at once and quietly, and can be called twice', async () => {
    await using server = await holding();
    const { registry, sets, context } = start(server);
    await sets.next();
    const pending = sets.next();
    const idle = registry.watch('web', context)[Symbol.asyncIterator]();
    await idle.next();
    await Promise.all([registry.close(), registry.close()]);
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await idle.next()).toEqual({ done: true, value: undefined });
    await eventually(() => server.sockets.size === 0);
    await expect(registry.discover('web')).rejects.toThrow(/the registry is closed/);
    await expect(registry.watch('web', context)[Symbol.asyncIterator]().next()).rejects.toThrow(/registry is closed/);
  });

  it('stay open for a registration between its pulses', async () => {
    await using server = await fakeServer((_request, response) => void response.writeHead(200, json).end('true'));
    const registry = consulRegistry({ url: server.url });
    const registration = await registry.register({ service: 'web', address: '10.0.0.1', port: 1 });
    await registry.discover('web').catch(() => undefined);
    expect(server.sockets.size).toBe(1);
    await registration.deregister();
    await eventually(() => server.sockets.size === 0);
  });

  it('are not held by a registration whose id another one took', async () => {
    await using server = await fakeServer((_request, response) => void response.writeHead(200, json).end('true'));
    const registry = consulRegistry({ url: server.url });
    const instance = { service: 'web', address: '10.0.0.1', port: 1 };
    await registry.register(instance);
    const second = await registry.register(instance);
    await second.deregister();
    await eventually(() => server.sockets.size === 0);
  });

  it('of an agent or a client that the caller owns are left to the caller', async () => {
    await using server = await fakeServer((_request, response) => void response.writeHead(200, json).end('[]'));
    const agent = new Agent({ keepAlive: true });
    const withAgent = consulRegistry({ url: server.url, agent });
    await withAgent.discover('web');
    await withAgent.close();
    const client = new Consul({
      port: Number(new URL(server.url).port),
      defaults: { token: 'own', dc: 'dc9', stale: true },
    });
    const withClient = consulRegistry({ client });
    await withClient.discover('web');
    await withClient.close();
    expect(server.sockets.size).toBe(2);
    expect(server.requests[1]?.headers['x-consul-token']).toBe('own');
    expect(server.requests[1]?.url).toBe('/v1/health/service/web?dc=dc9&stale=1');
    agent.destroy();
    client.destroy();
  });
});

describe('the consul package', () => {
  const ask = { method: 'GET', path: '/v1/x', timeoutMs: 1_000, runtime: systemRuntime } as const;

  it('is asked for by name when it is not there, at the first use, and looked for again later', async () => {
    let installed = false;
    const connection = new Connection(resolveOptions({ url: 'http://127.0.0.1:1' }), async () => {
      if (installed) return { default: Consul };
      throw Object.assign(new Error("Cannot find package 'consul'"), { code: 'ERR_MODULE_NOT_FOUND' });
    });
    await expect(connection.ask(ask)).rejects.toMatchObject({
      code: 'MISSING_PEER',
      message: expect.stringMatching(/npm install consul$/),
    });
    installed = true;
    await expect(connection.ask(ask)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });

  it('is refused when it is of another kind', async () => {
    const connection = new Connection(resolveOptions(), async () => ({ default: { watch: true } }));
    await expect(connection.ask(ask)).rejects.toThrow(/consul is not version 2: npm install consul@2/);
  });
});
