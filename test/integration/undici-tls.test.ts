// undiciTransport() over TLS and Unix sockets, and where it differs from Node's fetch.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServiceClient, staticRegistry, type ServiceClient } from 'fairlead';
import { undiciTransport, type UndiciTransportOptions } from 'fairlead/undici';
import { onPath } from '../servers/run.js';
import { clientOf, listening, openStage, type Stage } from './undici-stage.js';

/** Code of what is at the bottom. */
const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  return [error?.name, (error?.cause as { code?: string } | undefined)?.code];
};

const used = async <T>(client: ServiceClient, use: (client: ServiceClient) => Promise<T>): Promise<T> => {
  try {
    return await use(client);
  } finally {
    await client.close({ timeoutMs: 10 });
  }
};

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'fairlead-undici-'))));
afterAll(() => rm(folder, { recursive: true }));

const openssl = await onPath('openssl');

describe.skipIf(openssl === undefined)('an instance that speaks https', () => {
  let pem: Awaited<ReturnType<typeof makeCertificates>>;
  let server: https.Server;
  let origin: string;
  beforeAll(async () => {
    pem = await makeCertificates(folder);
    server = https.createServer(
      { ...pem.server, ca: pem.ca, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const socket = request.socket as TLSSocket & { servername?: string };
        response.end(JSON.stringify([socket.servername, socket.authorized, request.headers['accept-encoding']]));
      },
    );
    origin = (await listening(server)).replace('http:', 'https:');
  });
  afterAll(() => new Promise(resolve => server.close(resolve)));

  const ask = (tls: UndiciTransportOptions['tls']): Promise<unknown> =>
    used(clientOf([origin], { tls }), async client => (await client.fetch('/')).json());

  it('is reached by its address, with a CA, a name and a certificate of the caller’s', async () => {
    const name = { servername: 'users.internal' };
    expect(await ask({ ca: pem.ca, ...name, ...pem.client })).toEqual(['users.internal', true, 'br, gzip, deflate']);
    expect(await ask({ ca: pem.ca, ...name })).toEqual(['users.internal', false, 'br, gzip, deflate']);
    expect(await ask(({ port }) => ({ ca: pem.ca, servername: port > 0 ? 'users.internal' : 'never' }))).toContain(
      'users.internal',
    );
  });

  it('is not believed without its CA, nor under another name', async () => {
    const unsigned = ['TypeError', 'SELF_SIGNED_CERT_IN_CHAIN'];
    expect(await codeOf(ask({ servername: 'users.internal' }))).toEqual(unsigned);
    expect(await codeOf(ask({ ca: pem.ca, servername: 'orders.internal' }))).toEqual([
      'TypeError',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ]);
    expect(await codeOf(ask({ ca: pem.ca }))).toEqual(['TypeError', 'ERR_TLS_CERT_ALTNAME_INVALID']);
  });

  it('sends nothing of a request that it did not get to, so that a POST may go elsewhere', async () => {
    const plain = http.createServer((_request, response) => response.end('ok'));
    const other = await listening(plain);
    const client = createServiceClient({
      service: 'users',
      registry: staticRegistry([origin, other]),
      transport: undiciTransport({ tls: { ca: pem.ca, servername: 'orders.internal' } }),
    });
    await used(client, async () => {
      for (let nth = 0; nth < 6; nth += 1)
        expect(await (await client.fetch('/', { method: 'POST', body: '{}' })).text()).toBe('ok');
    });
    plain.closeAllConnections();
    plain.close();
  });
});

it('gives up a connection that does not come about in time, and says so', async () => {
  // Accepts, and never says a word of TLS.
  const mute = net.createServer();
  const origin = (await listening(mute as unknown as http.Server)).replace('http:', 'https:');
  const asked = used(clientOf([origin], { connectTimeoutMs: 50 }), client => client.fetch('/'));
  await expect(asked).rejects.toMatchObject({
    message: 'fetch failed',
    cause: {
      code: 'UND_ERR_CONNECT_TIMEOUT',
      message: expect.stringMatching(/^no connection to 127\.0\.0\.1:\d+ within 50 ms$/) as string,
    },
  });
  mute.close();
});

it('gives up an answer that does not begin, and one that does not go on', async () => {
  const server = http.createServer((request, response) => {
    if (request.url === '/half') response.writeHead(200, { 'content-length': '9' }).write('half');
  });
  const origin = await listening(server);
  await used(clientOf([origin], { headersTimeoutMs: 100, bodyTimeoutMs: 100 }), async client => {
    expect(await codeOf(client.fetch('/'))).toEqual(['TypeError', 'UND_ERR_HEADERS_TIMEOUT']);
    const response = await client.fetch('/half');
    expect(await codeOf(response.text())).toEqual(['TypeError', 'UND_ERR_BODY_TIMEOUT']);
  });
  server.close();
});

it('talks over a Unix socket', async () => {
  const path = join(folder, 'users.sock');
  const server = http.createServer((request, response) => response.end(request.headers.host));
  await new Promise<void>(resolve => server.listen(path, resolve));
  const text = (options: UndiciTransportOptions): Promise<string> =>
    used(clientOf(['http://users.local:80'], options), async client => (await client.fetch('/')).text());
  expect(await text({ socketPath: path })).toBe('users.local');
  expect(await text({ socketPath: ({ address }) => join(folder, `${address.split('.')[0]}.sock`) })).toBe(
    'users.local',
  );
  expect(await codeOf(text({ socketPath: join(folder, 'nobody') }))).toEqual(['TypeError', 'ENOENT']);
  server.close();
});

describe('where it is not like Node’s fetch', () => {
  let stage: Stage;
  beforeAll(async () => void (stage = await openStage()));
  afterAll(() => stage.close());

  it('sends no integrity that it would not check', async () => {
    const asked = stage.client.fetch('/json', { integrity: 'sha256-AAAA' });
    await expect(asked).rejects.toThrow(/does not check integrity/);
  });

  it('refuses chunks of a stream that are no bytes, as the standard says', async () => {
    const body = new ReadableStream({ start: controller => controller.enqueue('text') });
    await expect(stage.client.fetch('/echo', { method: 'POST', body })).rejects.toMatchObject({
      message: 'fetch failed',
      cause: { message: 'Received non-Uint8Array chunk' },
    });
  });

  it('refuses a Content-Length that is not the body’s, before it is sent', async () => {
    const asked = stage.client.fetch('/echo', { method: 'POST', body: 'four', headers: { 'content-length': '3' } });
    expect(await codeOf(asked)).toEqual(['TypeError', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);
  });

  it('keeps the question mark of an empty query', async () => {
    expect(await (await stage.client.fetch('/echo?')).json()).toMatchObject({ path: '/echo?' });
  });

  it('gives the bytes on every version of Node', async () => {
    const response = (await stage.client.fetch('/json')) as Response & { bytes(): Promise<Uint8Array> };
    expect(Buffer.from(await response.bytes()).toString()).toBe('{"id":42,"name":"Zoë"}');
  });

  it('hands out a status above 599 as it is', async () => {
    const response = await stage.client.fetch('/status-999');
    expect([response.status, response.ok, await response.text()]).toEqual([999, false, 'ok']);
  });

  it('says what is wrong with a body coded too often', async () => {
    const response = await stage.client.fetch('/many-codings');
    await expect(response.text()).rejects.toMatchObject({
      message: 'terminated',
      cause: { message: expect.stringMatching(/^too many content-encodings in response: 6/) as string },
    });
  });

  it('stops a stream that is sent when the call is aborted, though it never gives another chunk', async () => {
    const controller = new AbortController();
    let cancelled: unknown;
    const body = new ReadableStream({ cancel: reason => void (cancelled = [reason]) });
    const asked = stage.client.fetch('/echo', { method: 'POST', body, signal: controller.signal });
    setTimeout(() => controller.abort('enough'), 20);
    await expect(asked).rejects.toBe('enough');
    expect(cancelled).toEqual(['enough']);
  });
});

describe('redirects to other hosts', () => {
  it('are refused, or followed by the platform where the client allows it, without credentials', async () => {
    const elsewhere = http.createServer(({ headers, method }, response) =>
      response.end(`${method} ${headers.authorization}`),
    );
    const target = await listening(elsewhere);
    const server = http.createServer((_request, response) => response.writeHead(303, { location: target }).end());
    const origin = await listening(server);
    const make = (redirects: 'any' | 'same-origin'): ServiceClient =>
      createServiceClient({
        service: 'users',
        registry: staticRegistry([origin]),
        redirects,
        transport: undiciTransport(),
      });
    const headers = { authorization: 'Bearer secret' };
    await expect(used(make('same-origin'), client => client.fetch('/', { headers }))).rejects.toMatchObject({
      code: 'REDIRECT_REFUSED',
    });
    await used(make('any'), async client => {
      const response = await client.fetch('/', { headers });
      expect([response.redirected, response.url, await response.text()]).toEqual([true, `${target}/`, 'GET undefined']);
      const { signal } = new AbortController();
      const posted = await client.fetch('/', { method: 'POST', body: 'form', headers, signal });
      expect(await posted.text()).toBe('GET undefined');
    });
    [server, elsewhere].forEach(each => {
      each.closeAllConnections();
      each.close();
    });
  });

  it('to the service by its name go through the pool anew', async () => {
    const server = http.createServer((request, response) => {
      if (request.url === '/old') response.writeHead(307, { location: 'http://users/new' }).end();
      else response.end(request.url);
    });
    const origin = await listening(server);
    const client = createServiceClient({
      service: 'users',
      registry: staticRegistry([origin]),
      transport: undiciTransport(),
    });
    await used(client, async () => {
      const response = await client.fetch('/old');
      expect([response.redirected, await response.text()]).toEqual([true, '/new']);
    });
    server.close();
  });
});

/** A CA, and a key with a certificate for each side: made anew, so that no key is ever kept. */
async function makeCertificates(place: string) {
  const run = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: place });
  const read = (name: string) => readFile(join(place, name), 'utf8');
  const fresh = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  await run('req', '-x509', ...fresh, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca');
  await writeFile(join(place, 'names'), 'subjectAltName=DNS:users.internal');
  const signed = async (name: string) => {
    await run('req', ...fresh, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
    await run('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
    return { cert: await read(`${name}.pem`), key: await read(`${name}.key`) };
  };
  return { ca: await read('ca.pem'), server: await signed('server'), client: await signed('client') };
}
