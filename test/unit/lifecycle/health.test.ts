/** The handler for /health, in the hands of those who really call it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import type { HealthHandler } from 'fairlead';
import { begin } from './support.js';

interface Mounted {
  readonly url: string;
  close(): Promise<unknown>;
}

const listening = async (server: Server): Promise<Mounted> => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/health`, close };
};

const MOUNTS: Record<string, (health: HealthHandler) => Promise<Mounted>> = {
  'node:http': health => listening(createServer(health)),
  Express: health => {
    const app = express();
    app.get('/health', health);
    return listening(createServer(app));
  },
  Fastify: async health => {
    const app = fastify();
    app.get('/health', health);
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    return { url: `${origin}/health`, close: () => app.close() };
  },
  'Fastify, asynchronous': async health => {
    const app = fastify();
    app.get('/health', async (request, reply) => {
      health(request, reply);
      return reply;
    });
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    return { url: `${origin}/health`, close: () => app.close() };
  },
};

const ask = async (url: string): Promise<unknown[]> => {
  const response = await fetch(url);
  const { headers } = response;
  expect([headers.get('content-type'), headers.get('cache-control')]).toEqual([
    expect.stringMatching(/^application\/json\b/),
    'no-store',
  ]);
  return [response.status, await response.json()];
};

describe.each(Object.keys(MOUNTS))('the health handler in %s', name => {
  it('says 503 until the service is READY, 200, and 503 when it shuts down', async () => {
    const { service, server, runtime } = begin({ listens: false });
    const { health } = service;
    const { url, close } = await MOUNTS[name]!(health);
    try {
      expect(await ask(url)).toEqual([503, { status: 'DOWN', service: 'users', state: 'INIT' }]);
      server.listen();
      await service.ready();
      expect(await ask(url)).toEqual([200, { status: 'UP', service: 'users', state: 'READY' }]);
      expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
      const stopped = service.stop();
      await runtime.settle();
      expect(await ask(url)).toEqual([503, { status: 'DOWN', service: 'users', state: 'SHUTTING_DOWN' }]);
      await Promise.all([stopped, runtime.advance(6_000)]);
      expect(await ask(url)).toEqual([503, { status: 'DOWN', service: 'users', state: 'TERMINATED' }]);
    } finally {
      await close();
    }
  });
});
