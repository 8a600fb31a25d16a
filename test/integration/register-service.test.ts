/** registerService() on real servers and in processes of its own: what callers see of its end, and how the process ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request as send, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import express from 'express';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { createServiceClient, memoryRegistry, registerService, staticRegistry, type LifecycleEvent } from 'fairlead';
import { eventually } from '../servers/index.js';
import { Calls, Load } from './support/load.js';
import { reasons } from './support/stage.js';
import { steadyLoad } from './support/rolling.js';

const PROGRAM = fileURLToPath(new URL('support/register-service-child.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A program that was started and says things. */
const start = (story: string) => {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, story], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const closed = once(child, 'close').finally(() => clearTimeout(timer));
  const said = (): unknown[] =>
    out.stdout
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as unknown);
  return {
    child,
    said,
    hears: (what: unknown) => eventually(() => said().includes(what), { withinMs: 20_000, what: `"${String(what)}"` }),
    async ended(): Promise<{ code: unknown; said: unknown[]; stderr: string }> {
      const [code, signal] = (await closed) as [number | null, string | null];
      return { code: code ?? signal, said: said(), stderr: out.stderr };
    },
  };
};

const LIFE = ['READY', 'SHUTTING_DOWN', 'TERMINATED'];

describe('a process with a registered service', () => {
  it('has no handle and no listener left after stop(), and ends by itself', async () => {
    expect(await start('stopped').ended()).toEqual({
      ...{ code: 0, stderr: '' },
      said: [...LIFE, { handles: [], ours: [], requests: 1 }, { listeners: [0, 0] }],
    });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('%s: answers what is in flight, releases, ends with 0', async signal => {
    const program = start('serving');
    await program.hears('in flight');
    program.child.kill(signal);
    const { said, ...ended } = await program.ended();
    expect(ended).toEqual({ code: 0, stderr: '' });
    expect(said).toContain('answered 200, close');
    const steps = said.filter(each => each !== 'answered 200, close');
    expect(steps).toEqual(['READY', 'in flight', 'SHUTTING_DOWN', 'released', 'TERMINATED']);
  });

  it('with other work that nobody ends: is ended, with all that it said written', async () => {
    const program = start('with other work');
    await program.hears('READY');
    program.child.kill('SIGTERM');
    const { code, said } = await program.ended();
    expect(code).toBe(0);
    expect(said.map(each => String(each).length)).toEqual([5, 13, 200_000, 10]);
  });

  it('with a host that listens to the signal too: the host decides when, and with what', async () => {
    const program = start('with a host that decides');
    await program.hears('READY');
    program.child.kill('SIGTERM');
    expect(await program.ended()).toEqual({ code: 7, said: LIFE, stderr: '' });
  });

  it('a second signal ends it at once', async () => {
    const program = start('slow');
    await program.hears('READY');
    program.child.kill('SIGINT');
    await program.hears('SHUTTING_DOWN');
    await sleep(200);
    program.child.kill('SIGTERM');
    expect(await program.ended()).toMatchObject({ code: 143, said: ['READY', 'SHUTTING_DOWN'] });
  });

  it('a release hook that fails: the process says so, by a warning and by its code', async () => {
    const program = start('a hook that fails');
    await program.hears('READY');
    program.child.kill('SIGTERM');
    const { code, stderr } = await program.ended();
    expect(code).toBe(1);
    expect(stderr).toContain('FairleadWarning: users: release: the pool is gone');
  });

  it('a port in use: no crash, a message, and a code that nobody takes for success', async () => {
    const { code, said, stderr } = await start('a port in use').ended();
    expect(said).toEqual([expect.stringMatching(/^users: the server cannot listen: listen EADDRINUSE/)]);
    expect(code).toBe(1);
    expect(stderr).toContain('FairleadWarning: users: the server cannot listen');
    expect(stderr).not.toContain('Unhandled');
  });

  it('ready() throws: no crash, a warning, and the host goes on', async () => {
    const { code, stderr } = await start('ready() throws').ended();
    expect(code).toBe(1);
    expect(stderr).toContain('FairleadWarning: users: ready() failed: no database');
    expect(stderr).not.toContain('Unhandled');
  });

  it('that awaits ready() is kept alive by that', async () => {
    expect(await start('awaiting ready()').ended()).toEqual({ code: 0, said: ['READY'], stderr: '' });
  });
});

interface Framework {
  readonly server: Server;
  listen(): Promise<unknown>;
  /** What has to be released at the end. */
  close?(): Promise<void>;
}

const FRAMEWORKS: Record<string, () => Framework> = {
  'node:http'() {
    const server = createServer((request, response) => {
      setTimeout(() => response.end('done'), request.url === '/slow' ? 2_000 : 0);
    });
    return { server, listen: () => once(server.listen(0, '127.0.0.1'), 'listening') };
  },
  Express() {
    const app = express();
    app.get('/slow', (_request, response) => setTimeout(() => response.send('done'), 2_000));
    app.get('/', (_request, response) => response.send('done'));
    const server = createServer(app);
    return { server, listen: () => once(server.listen(0, '127.0.0.1'), 'listening') };
  },
  Fastify() {
    const app = fastify();
    app.get('/slow', () => sleep(2_000, 'done'));
    app.get('/', () => 'done');
    return { server: app.server, listen: () => app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
  },
};

/** One request over a connection that is kept. */
const askOver = async (
  agent: Agent,
  port: number,
  path = '/',
): Promise<{ connection: string | undefined; body: string }> => {
  const request = send({ agent, port, path, host: '127.0.0.1' }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { connection: response.headers.connection, body };
};

describe.each(Object.keys(FRAMEWORKS))('a server of %s that leaves', name => {
  it('serves on, sends its callers away, closes what is idle only then, and finishes what is in flight', async () => {
    const { server, listen, close } = FRAMEWORKS[name]!();
    const events: LifecycleEvent[] = [];
    const service = registerService({
      ...{ service: 'users', registry: memoryRegistry(), server, signals: false, propagationMs: 1_500 },
      ...{ onEvent: event => events.push(event), onRelease: close ? [close] : [] },
    });
    await listen();
    await service.ready();
    const { port } = server.address() as AddressInfo;
    const [used, idle, fresh] = [1, 2, 3].map(() => new Agent({ keepAlive: true, maxSockets: 1 })) as [
      Agent,
      Agent,
      Agent,
    ];
    const agents = [used, idle, fresh];
    try {
      for (const agent of [used, idle]) expect((await askOver(agent, port)).connection).toBe('keep-alive');
      const idleSocket = Object.values(idle.freeSockets)[0]![0]!;
      const unused = connect(port, '127.0.0.1');
      await once(unused, 'connect');
      const stopped = service.stop();
      await sleep(50);
      const CLOSE = { connection: 'close', body: 'done' };
      expect(await askOver(used, port)).toEqual(CLOSE);
      expect(await askOver(fresh, port)).toEqual(CLOSE);
      const slow = askOver(fresh, port, '/slow');
      expect(idleSocket.destroyed).toBe(false);
      const idleEnded = once(idleSocket, 'close').then(() => 'idle');
      const unusedEnded = once(unused.resume(), 'close').then(() => 'unused');
      const slowEnded = slow.then(() => 'slow');
      expect(await Promise.race([idleEnded, slowEnded])).toBe('idle');
      expect(await slow).toEqual(CLOSE);
      await Promise.all([unusedEnded, stopped]);
      await expect(askOver(used, port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      expect(events).toContainEqual(expect.objectContaining({ type: 'server.drained', cut: 0 }));
      expect(events.filter(({ type }) => type === 'error')).toEqual([]);
    } finally {
      for (const agent of agents) agent.destroy();
    }
  });
});

describe('requests that take too long', () => {
  it('are cut after drainMs, and counted', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    const events: LifecycleEvent[] = [];
    const service = registerService({
      ...{ service: 'users', registry: memoryRegistry(), server, signals: false, propagationMs: 0, drainMs: 200 },
      onEvent: event => events.push(event),
    });
    await service.ready();
    const { port } = server.address() as AddressInfo;
    const hanging = send({ port, host: '127.0.0.1' }).end();
    const failed = once(hanging, 'response').catch((error: NodeJS.ErrnoException) => error.code);
    await eventually(() => service.inFlight === 1);
    await service.stop();
    expect(await failed).toBe('ECONNRESET');
    expect(events).toContainEqual(expect.objectContaining({ type: 'server.drained', cut: 1 }));
  });
});

/** A real close and a request can only cross for a fraction of a millisecond: too seldom to be met in a test. */
const CROSSING_MS = 10;

interface Noting {
  /** @default as Node does */
  readonly keepAliveMs?: number;
  /** It does not tell its callers how long a connection stays open, and a request may cross its end. */
  readonly silent?: boolean;
}

/** A server that notes the ids of what it processed. */
const startNoting = async ({ keepAliveMs, silent = false }: Noting = {}) => {
  const processed: string[] = [];
  const idleSince = new WeakMap<object, number>();
  const server = createServer((request, response) => {
    const { socket } = request;
    const idleMs = performance.now() - (idleSince.get(socket) ?? Infinity);
    if (silent && keepAliveMs !== undefined && idleMs > keepAliveMs - CROSSING_MS) return void socket.destroy();
    response.once('close', () => idleSince.set(socket, performance.now()));
    request.resume().once('end', () => {
      if (request.method === 'POST') processed.push(String(request.headers['x-id']));
      // A header given by hand keeps Node from telling how long the connection will stay open.
      if (silent) response.setHeader('connection', 'keep-alive');
      response.end('done');
    });
  });
  if (keepAliveMs !== undefined) server.keepAliveTimeout = keepAliveMs;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, processed };
};

describe('idle connections', () => {
  it.each([
    ['and one does not say so: no GET fails, no POST is sent twice', true],
    ['and all say so: no call fails', false],
  ])('of servers that close them after 50 ms %s', async (_what, silent) => {
    const registry = memoryRegistry();
    const kinds: Noting[] = [{ keepAliveMs: 50, silent }, { keepAliveMs: 50 }, { keepAliveMs: 50 }];
    const nodes = await Promise.all(kinds.map(startNoting));
    const services = nodes.map(({ server }, n) =>
      registerService({ service: 'users', id: `i${n}`, registry, server, signals: false, propagationMs: 100 }),
    );
    await Promise.all(services.map(service => service.ready()));
    let attempts = 0;
    await using client = createServiceClient({
      ...{ service: 'users', registry },
      onEvent: ({ type }) => void (attempts += type === 'attempt.ended' ? 1 : 0),
    });
    // Each idle for about as long as the server suffers it.
    const load = new Load(client, { workers: 30, postEvery: 7, pauseMs: () => 25 + Math.random() * 30 });
    await sleep(5_000);
    await load.stop();
    const calls = load.between(0);
    const processed = nodes.flatMap(node => node.processed);
    console.log(
      `idle connections, ${silent ? 'silent' : 'announced'}: ${calls.count} calls, failed`,
      `${JSON.stringify(reasons(calls.failed()))}, attempts +${attempts - calls.count},`,
      `POSTs processed ${processed.length}, ${new Set(processed).size} of them different`,
    );
    expect(reasons(calls.failed('GET'))).toEqual({});
    expect(processed.length).toBe(new Set(processed).size);
    if (silent) expect(attempts).toBeGreaterThan(calls.count);
    else expect(reasons(calls.failed())).toEqual({});
    await Promise.all(services.map(service => service.stop()));
  });

  it('of a caller that never hears of a restart: with the usual 5 s its POSTs survive even that', async () => {
    const [first, second] = [await startNoting(), await startNoting()];
    const places = [first, second].map(({ server }) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
    const service = registerService({
      service: 'users',
      registry: memoryRegistry(),
      server: first.server,
      signals: false,
    });
    await service.ready();
    // Both are always listed, whatever becomes of them.
    await using client = createServiceClient({ service: 'users', registry: staticRegistry(places) });
    const load = steadyLoad(client, 100);
    await sleep(1_000);
    await service.stop();
    await sleep(1_000);
    const { calls } = await load.stop();
    const processed = [...first.processed, ...second.processed];
    console.log(`a deaf caller: ${calls.length} calls, failed ${JSON.stringify(reasons(new Calls(calls).failed()))}`);
    expect(reasons(new Calls(calls).failed())).toEqual({});
    expect(processed.length).toBe(new Set(processed).size);
    second.server.closeAllConnections();
    second.server.close();
  });
});
