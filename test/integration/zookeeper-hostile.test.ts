/** What the package does not survive by itself: servers that say what it does not know. Real sockets, our own server. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { zookeeperRegistry } from '../../src/registries/zookeeper/index.js';

const uncaught: unknown[] = [];
const collect = (error: unknown): void => void uncaught.push(error);
let before: NodeJS.UncaughtExceptionListener[] = [];

const framed = (body: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
};
const header = (xid: number, error: number): Buffer => {
  const buffer = Buffer.alloc(16);
  buffer.writeInt32BE(xid);
  buffer.writeInt32BE(error, 12);
  return buffer;
};
const WELCOME = (() => {
  const body = Buffer.alloc(4 + 4 + 8 + 4 + 16);
  body.writeInt32BE(4_000, 4);
  body.writeInt32BE(7, 12);
  body.writeInt32BE(16, 16);
  return framed(body);
})();
const NO_NODE = -101;

/** Greets as ZooKeeper does; `answer` makes what follows upon each request, given its number and how many came before. */
const startServer = async (answer: (xid: number, nth: number, socket: Socket) => Buffer | undefined) => {
  let requests = 0;
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    connections += 1;
    sockets.add(socket);
    let greeted = false;
    let rest = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', chunk => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE()) {
        const message = rest.subarray(4, 4 + rest.readInt32BE());
        rest = rest.subarray(4 + message.length);
        if (!greeted) socket.write(WELCOME);
        else socket.write(answer(message.readInt32BE(), requests++, socket) ?? Buffer.alloc(0));
        greeted = true;
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    servers: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    close: () => (sockets.forEach(socket => socket.destroy()), server.close()),
  };
};

beforeEach(() => {
  uncaught.length = 0;
  before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', collect);
});
afterEach(() => {
  process.removeAllListeners('uncaughtException');
  for (const listener of before) process.on('uncaughtException', listener);
});

describe('a server that answers', () => {
  it.each([
    ['a code that the package does not know', (xid: number) => framed(header(xid, -999))],
    [
      'an event that it does not know',
      () => framed(Buffer.concat([header(-1, 0), Buffer.from('000000630000000300000000', 'hex')])),
    ],
    ['a number that nobody asked with', () => framed(header(4_242, 0))],
    ['half of a body', (xid: number) => framed(Buffer.concat([header(xid, 0), Buffer.from('7fffffff', 'hex')]))],
    ['a negative length', () => Buffer.from('ffffff00', 'hex')],
  ])('%s: the request fails, the process does not, and the next one is served', async (_, wrong) => {
    const server = await startServer((xid, nth) => (nth < 2 ? wrong(xid) : framed(header(xid, NO_NODE))));
    const registry = zookeeperRegistry({ servers: server.servers, requestTimeoutMs: 500, sessionTimeoutMs: 4_000 });
    await expect(registry.discover('web')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    const read = async (): Promise<unknown> => registry.discover('web').catch(read);
    expect(await read()).toEqual([]);
    expect(uncaught).toEqual([]);
    await registry.close();
    server.close();
  });

  it('half of an answer and hangs up: what is left of it is not taken for the beginning of the next connection', async () => {
    const server = await startServer((xid, nth, socket) => {
      if (nth > 0) return framed(header(xid, NO_NODE));
      socket.end(Buffer.from('000001000000', 'hex'));
      return undefined;
    });
    const registry = zookeeperRegistry({ servers: server.servers, requestTimeoutMs: 2_000, sessionTimeoutMs: 4_000 });
    await expect(registry.discover('web')).rejects.toThrow(/CONNECTION_LOSS/);
    expect(await registry.discover('web')).toEqual([]);
    expect(server.connections()).toBe(2);
    await registry.close();
    server.close();
  });
});
