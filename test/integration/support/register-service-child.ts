/**
 * A program with a registered service on the real runtime: `register-service.test.ts` sends it signals, and looks whether and
 * how it ends. Its argument: the name of a story. What it says are lines of JSON.
 */
import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryRegistry, registerService, type RegisteredService, type RegisterServiceOptions } from 'fairlead';

const [, , story = '', argument = ''] = process.argv;
const say = (what: unknown): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const registry = memoryRegistry();

const serve = (): Server => createServer((_request, response) => void sleep(300).then(() => response.end('done')));

const begin = async (
  options: Partial<RegisterServiceOptions> = {},
): Promise<{ server: Server; service: RegisteredService; port: number }> => {
  const server = serve().listen(0, '127.0.0.1');
  const service = registerService({ service: 'users', registry, server, propagationMs: 200, ...options });
  service.on('state', ({ state }) => say(state));
  await service.ready();
  return { server, service, port: (server.address() as AddressInfo).port };
};

/** A request that is still being answered. */
const callInFlight = async (port: number): Promise<void> => {
  const request = get({ port, host: '127.0.0.1' }, response => {
    response.resume().once('end', () => say(`answered ${response.statusCode}, ${response.headers.connection}`));
  });
  await once(request, 'socket');
  await sleep(50);
};

const STORIES: Record<string, () => Promise<unknown>> = {
  /** After stop() nothing of it is left: no handle, no listener. */
  async stopped() {
    const before = process.getActiveResourcesInfo().sort();
    const listeners = ['SIGTERM', 'SIGINT'].map(name => process.listenerCount(name));
    const { service, server } = await begin();
    await service.stop();
    await sleep(50);
    const left = process.getActiveResourcesInfo().sort();
    const usual = createServer(() => undefined).eventNames();
    const ours = server.eventNames().filter(name => name !== 'listening' && !usual.includes(name));
    say({ handles: left.filter(each => !before.includes(each)), ours, requests: server.listenerCount('request') });
    say({ listeners: ['SIGTERM', 'SIGINT'].map((name, n) => process.listenerCount(name) - listeners[n]!) });
  },
  /** Is told to stop while a request is in flight. */
  async serving() {
    const { port } = await begin({ onRelease: () => say('released') });
    await callInFlight(port);
    say('in flight');
  },
  /** Has a pool that nobody closes, and more to say than a pipe takes at once. */
  async 'with other work'() {
    setInterval(() => undefined, 1_000);
    await begin({ onRelease: () => void process.stdout.write(`"${'x'.repeat(200_000)}"\n`) });
  },
  async 'with a host that decides'() {
    process.on('SIGTERM', () => void sleep(1_800).then(() => process.exit(7)));
    setInterval(() => undefined, 1_000);
    await begin();
  },
  /** Takes long to leave. */
  async slow() {
    await begin({ propagationMs: 30_000 });
  },
  async 'a hook that fails'() {
    await begin({ onRelease: () => Promise.reject(new Error('the pool is gone')) });
  },
  async 'a port in use'() {
    const first = serve().listen(0, '127.0.0.1');
    await once(first, 'listening');
    const server = serve().listen((first.address() as AddressInfo).port, '127.0.0.1');
    const service = registerService({ service: 'users', registry, server });
    say(await service.ready().catch((error: Error) => error.message.replace(/\d+$/, 'PORT')));
    first.close();
  },
  async 'ready() throws'() {
    const server = serve().listen(0, '127.0.0.1');
    registerService({ service: 'users', registry, server, ready: () => Promise.reject(new Error('no database')) });
    await sleep(200);
    server.close();
  },
  /** Nothing but the registration is under way. */
  async 'awaiting ready()'() {
    const options = { service: 'users', registry, port: 1, address: 'a', ready: () => sleep(300, 0, { ref: false }) };
    const service = registerService(options);
    await service.ready();
    say(service.state);
  },
};

void STORIES[story]!().then(() => argument && say(argument));
