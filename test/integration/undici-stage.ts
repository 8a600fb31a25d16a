/** A server that shows what it was sent and answers in every odd way, and the same question asked by fetch and by fairlead. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { createServiceClient, staticRegistry, type ServiceClient } from 'fairlead';
import { undiciTransport, type UndiciTransportOptions } from 'fairlead/undici';

export type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** What the server saw of a request. */
export interface Echo {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  readonly body: string;
}

export const BIG = 'fairlead '.repeat(400_000);
const TEXT = 'Ada Lovelace wrote the first program. '.repeat(50);
const CODED: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(TEXT),
  'x-gzip': gzipSync(TEXT),
  GZIP: gzipSync(TEXT),
  deflate: deflateSync(TEXT),
  br: brotliCompressSync(TEXT),
  'gzip, br': brotliCompressSync(gzipSync(TEXT)),
  zebra: Buffer.from(TEXT),
};
export const CODED_TEXT = TEXT;

type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => unknown;

const bodyOf = async (request: http.IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const raw =
  (...lines: string[]): Answer =>
  ({ socket }) =>
    socket.end(lines.join('\r\n'), 'latin1');

const ANSWERS: Readonly<Record<string, Answer>> = {
  '/json': (_request, response) => {
    response.setHeader('set-cookie', ['a=1', 'b=2; Path=/']);
    response.setHeader('x-twice', ['one', 'two']);
    response.writeHead(200, 'Fine', { 'content-type': 'application/json' });
    response.end('{"id":42,"name":"Zoë"}');
  },
  '/echo': async (request, response) => {
    const body = (await bodyOf(request)).toString('latin1');
    const { method, url: path, headers, rawHeaders } = request;
    const names = rawHeaders.filter((_, at) => at % 2 === 0);
    response.end(JSON.stringify({ method, path, headers, names, body }));
  },
  '/form-echo': async (request, response) => {
    const sent = new Response(new Uint8Array(await bodyOf(request)), {
      headers: { 'content-type': request.headers['content-type']! },
    });
    const fields: unknown[] = [];
    for (const [name, value] of await sent.formData())
      fields.push(typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()]);
    response.end(JSON.stringify({ fields, measured: request.headers['content-length'] !== undefined }));
  },
  '/form': (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/x-www-form-urlencoded' }).end('a=1&b=two'),
  '/bom': (_request, response) => response.end('\ufeff{"id":1}'),
  '/broken-utf8': (_request, response) => response.end(Buffer.from([0x61, 0xff, 0xc3, 0x62])),
  '/big': (_request, response) => response.end(BIG),
  '/empty': (_request, response) => response.end(),
  '/html': (_request, response) => response.end('<p>'),
  '/coded': (request, response) => {
    const coding = decodeURIComponent(request.url!.split('?')[1]!);
    response.writeHead(200, { 'content-encoding': coding, 'content-type': 'text/plain' }).end(CODED[coding]);
  },
  '/raw-deflate': (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'deflate' }).end(deflateRawSync(TEXT)),
  '/not-gzip': (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all'),
  '/cut-gzip': (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(TEXT).subarray(0, -8)),
  '/many-codings': (_request, response) =>
    response.writeHead(200, { 'content-encoding': Array(6).fill('gzip').join(', ') }).end('x'),
  '/gzip-204': (_request, response) => response.writeHead(204, { 'content-encoding': 'gzip' }).end(),
  '/status': (request, response) => response.writeHead(Number(request.url!.split('?')[1])).end(),
  '/redirect': (request, response) => {
    const [status, location] = request.url!.split('?')[1]!.split(',');
    response.writeHead(Number(status), { location: decodeURIComponent(location!) }).end('moved');
  },
  '/loop': (_request, response) => response.writeHead(302, { location: '/loop' }).end(),
  '/hang': () => undefined,
  '/half': (_request, response) => response.writeHead(200, { 'content-length': '100' }).write('half'),
  '/reset': ({ socket }) => socket.destroy(),
  '/reset-late': (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setTimeout(() => response.socket!.destroy(), 20);
  },
  '/reset-chunked': (_request, response) => {
    response.writeHead(200).write('half');
    setTimeout(() => response.socket!.destroy(), 20);
  },
  '/early': (_request, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    response.end('late');
  },
  '/until-close': raw('HTTP/1.0 200 OK', '', 'to the end'),
  '/odd-status': raw('HTTP/1.1 299 Very \u00e9 Odd', 'connection: close', 'content-length: 0', '', ''),
  '/status-999': raw('HTTP/1.1 999 Enough', 'connection: close', 'content-length: 2', '', 'ok'),
  '/latin1': raw('HTTP/1.1 200 OK', 'connection: close', 'x-name: Zo\u00eb', 'content-length: 0', '', ''),
  '/no-http': raw('SSH-2.0-OpenSSH_9.2', '', ''),
  '/too-many-headers': raw('HTTP/1.1 200 OK', `x-long: ${'a'.repeat(20_000)}`, '', ''),
  '/too-long': raw('HTTP/1.1 200 OK', 'connection: close', 'content-length: 2', '', 'four'),
};

const paths = Object.keys(ANSWERS);

export interface Stage {
  readonly origin: string;
  readonly server: http.Server;
  /** By the platform, and through fairlead. */
  readonly by: { readonly fetch: Ask; readonly undiciTransport: Ask };
  readonly client: ServiceClient;
  close(): Promise<void>;
}

/** A client that leaves everything to its transport. */
export const clientOf = (origins: readonly string[], options?: UndiciTransportOptions): ServiceClient =>
  createServiceClient({
    service: 'undici-stage',
    registry: staticRegistry(origins),
    transport: undiciTransport(options),
    ...{ retry: false, circuitBreaker: false, ejection: false, deadlineMs: false, attemptTimeoutMs: false },
  });

export const listening = async (server: http.Server): Promise<string> => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

export const openStage = async (): Promise<Stage> => {
  const server = http.createServer((request, response) => {
    const path = request.url!.split('?')[0]!;
    const answer = ANSWERS[paths.includes(path) ? path : '/echo']!;
    // What it was sent is not read where it says nothing of that.
    answer(request, response);
  });
  const origin = await listening(server);
  const client = clientOf([origin]);
  await client.ready();
  return {
    origin,
    server,
    client,
    by: {
      fetch: (path, init) => fetch(origin + path, init?.body == null ? init : { ...init, duplex: 'half' }),
      undiciTransport: (path, init) => client.fetch(path, init),
    },
    close: async () => {
      await client.close({ timeoutMs: 10 });
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
};
