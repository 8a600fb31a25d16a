import { describe, expect, it } from 'vitest';
import { makeWorld, type Mode, type World } from './support.js';

/** Sends one request to a service of which every instance is in this mood, and counts what arrived. */
const send = async (mode: Mode, init: RequestInit): Promise<{ arrived: number; processed: string[]; world: World }> => {
  const world = await makeWorld();
  for (const server of world.servers) server.mode = mode;
  const sent = world.client
    .fetch('/orders', { ...init, headers: { 'x-id': '1', ...(init.headers as object) } })
    .catch(() => undefined);
  await world.runtime.advance(20_000);
  await sent;
  const arrived = world.servers.reduce((sum, server) => sum + server.arrived, 0);
  return { arrived, processed: world.servers.flatMap(server => server.processed), world };
};

const stream = (): RequestInit => ({
  method: 'PUT',
  body: new ReadableStream({ start: controller => controller.close() }),
  duplex: 'half',
});

describe('how often a request arrives when every instance …', () => {
  it.each<[Mode, string, RequestInit, number]>([
    ['resets', 'GET', {}, 3],
    ['resets', 'POST', { method: 'POST', body: 'x' }, 1],
    ['resets', 'POST with Idempotency-Key', { method: 'POST', body: 'x', headers: { 'idempotency-key': 'k' } }, 3],
    ['resets', 'PUT', { method: 'PUT', body: 'x' }, 3],
    ['resets', 'PUT of a stream', stream(), 1],
    ['resets', 'PATCH', { method: 'PATCH', body: 'x' }, 1],
    ['refuses', 'POST', { method: 'POST', body: 'x' }, 3],
    ['refuses', 'PUT of a stream', stream(), 1],
    ['nacks', 'POST', { method: 'POST', body: new URLSearchParams({ a: '1' }) }, 3],
    [503, 'GET', {}, 3],
    [503, 'POST', { method: 'POST', body: 'x' }, 1],
    [500, 'GET', {}, 1],
    ['asks for 60 s', 'GET', {}, 3],
    ['asks for 60 s', 'POST', { method: 'POST', body: 'x' }, 1],
    ['hangs', 'GET', {}, 3],
    ['hangs', 'POST', { method: 'POST', body: 'x' }, 1],
  ])('%s: %s', async (mode, _name, init, expected) => {
    expect((await send(mode, init)).arrived).toBe(expected);
  });

  it('a POST that was reset is processed once', async () => {
    expect((await send('resets', { method: 'POST', body: 'x' })).processed).toEqual(['1']);
  });

  it('returns the last failed response, as fetch does', async () => {
    const world = await makeWorld();
    for (const server of world.servers) server.mode = 503;
    const sent = world.client.fetch('/');
    await world.runtime.advance(1_000);
    expect((await sent).status).toBe(503);
  });
});
