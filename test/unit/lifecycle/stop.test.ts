/** From stop() or a signal to the last word: what happens in which order, and how long it may take. */
import { describe, expect, it, vi } from 'vitest';
import { memoryRegistry, type Registration } from 'fairlead';
import { begin, errorsOf, FakeHost, type Given, type Story } from './support.js';

const ready = async (given: Given = {}): Promise<Story> => {
  const story = begin(given);
  await story.service.ready();
  return story;
};

describe('stop()', () => {
  it('takes the entry out, serves on for propagationMs, and only then closes', async () => {
    const { service, server, runtime, ...story } = await ready({ onRelease: () => void server.told.push('released') });
    const stopped = service.stop();
    expect(service.state).toBe('SHUTTING_DOWN');
    await runtime.settle();
    expect(await story.listed()).toEqual([]);
    await runtime.advance(4_999);
    expect(server.told).toEqual([]);
    expect(server.listening).toBe(true);
    await runtime.advance(1);
    await stopped;
    expect(server.told).toEqual(['close', 'closeIdleConnections', 'released']);
    expect(service).toMatchObject({ state: 'TERMINATED', registration: 'closed' });
    expect(story.told()).toEqual(['registration.made', 'READY', 'SHUTTING_DOWN', 'server.drained', 'TERMINATED']);
    expect(runtime.pendingTimers).toBe(0);
    expect(server.eventNames()).toEqual([]);
    expect(story.host.exits).toEqual([]);
    expect(story.host.exitCode).toBeUndefined();
  });

  it('is one stop, whoever calls it how often: a listener and a hook too', async () => {
    const { service, runtime, ...story } = await ready({ propagationMs: 0, onRelease: () => void service.stop() });
    service.on('state', () => void service.stop());
    const stopped = service.stop();
    expect(service.stop()).toBe(stopped);
    expect(service[Symbol.asyncDispose]()).toBe(stopped);
    await Promise.all([stopped, runtime.advance(100)]);
    expect(story.told().filter(type => type === 'SHUTTING_DOWN')).toHaveLength(1);
  });

  it('has each response say Connection: close from the beginning on, those in flight and those of HTTP/2 apart', async () => {
    const { service, server, runtime } = await ready();
    const before = server.request();
    const halfSent = Object.assign(server.request(), { headersSent: true });
    const http2 = server.request(2);
    before.end();
    const during = server.request();
    const stopped = service.stop();
    await runtime.settle();
    const after = server.request();
    const CLOSE = { connection: 'close' };
    expect([before, halfSent, http2, during, after].map(({ headers }) => headers)).toEqual([{}, {}, {}, CLOSE, CLOSE]);
    expect(service.inFlight).toBe(4);
    for (const response of [halfSent, http2, during, after]) response.end();
    await Promise.all([stopped, runtime.advance(6_000)]);
  });

  it('lets requests in flight end, closing connections as they fall idle', async () => {
    const { service, server, runtime, ...story } = await ready({ propagationMs: 1_000 });
    const slow = server.request();
    const stopped = service.stop();
    await runtime.advance(21_000);
    expect(server.told.filter(told => told === 'closeIdleConnections').length).toBeGreaterThan(100);
    slow.end();
    await Promise.all([stopped, runtime.advance(100)]);
    expect(server.told).not.toContain('closeAllConnections');
    expect(story.events).toContainEqual(
      expect.objectContaining({ type: 'server.drained', cut: 0, durationMs: 20_000 }),
    );
  });

  it('cuts what has not ended within drainMs, and says how much', async () => {
    const { service, server, runtime, ...story } = await ready({ drainMs: 2_000 });
    server.request();
    server.request();
    const stopped = service.stop();
    await runtime.advance(6_999);
    expect(server.told).not.toContain('closeAllConnections');
    await Promise.all([stopped, runtime.advance(1)]);
    expect(server.told.at(-1)).toBe('closeAllConnections');
    expect(story.events).toContainEqual(expect.objectContaining({ type: 'server.drained', cut: 2, durationMs: 2_000 }));
  });

  it('ends connections that were made in stock and never used, after a second; WebSockets at the end of drainMs', async () => {
    const { service, server, runtime } = await ready({ propagationMs: 0, drainMs: 5_000 });
    const upgraded = Object.assign(server.connection(), { bytesRead: 200 });
    const old = server.connection();
    await runtime.advance(1_000);
    const fresh = server.connection();
    const slow = server.request();
    const stopped = service.stop();
    await runtime.advance(0);
    expect([upgraded, old, fresh].map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
    await runtime.advance(1_000);
    expect([upgraded, fresh].map(({ destroyed }) => destroyed)).toEqual([false, true]);
    await runtime.advance(4_000);
    slow.end();
    await stopped;
    expect(upgraded.destroyed).toBe(true);
  });

  it('needs no server: the port of a gRPC service is closed by its hook', async () => {
    const { service, runtime, ...story } = await ready({ withoutServer: true, port: 50_051 });
    const stopped = service.stop();
    await runtime.advance(4_999);
    expect(service.state).toBe('SHUTTING_DOWN');
    await Promise.all([stopped, runtime.advance(1)]);
    expect(story.told()).toEqual(['registration.made', 'READY', 'SHUTTING_DOWN', 'TERMINATED']);
  });

  it('waits for a registration that is under way, and takes it out', async () => {
    const registry = memoryRegistry();
    const register = registry.register.bind(registry);
    const deaf = (...given: Parameters<typeof register>): Promise<Registration> =>
      new Promise(resolve => story.runtime.after(2_000, () => resolve(register(given[0]))));
    vi.spyOn(registry, 'register').mockImplementation(deaf);
    const story = begin({ registry });
    await story.runtime.settle();
    const stopped = story.service.stop();
    await story.runtime.advance(2_000);
    expect(await story.listed()).toEqual([]);
    expect(story.service).toMatchObject({ state: 'SHUTTING_DOWN', registration: 'closed' });
    await Promise.all([stopped, story.runtime.advance(5_000)]);
  });

  it('does not wait longer than 5 s for a registry that does not answer', async () => {
    const mute: Registration = {
      ...{ id: 'a', state: 'registered', on: () => () => undefined, update: () => Promise.resolve() },
      deregister: () => new Promise(() => undefined),
    };
    const registry = Object.assign(memoryRegistry(), { register: () => Promise.resolve(mute) });
    const story = await ready({ registry, id: 'a' });
    const stopped = story.service.stop();
    await Promise.all([story.runtime.advance(10_000), stopped]);
    expect(errorsOf(story)).toEqual([expect.stringMatching(/^deregister: users: a: not taken out .* within 5000 ms/)]);
    expect(story.service.state).toBe('TERMINATED');
  });

  it('follows when somebody else closes the server: out of the registry at once, nothing to wait for', async () => {
    const { service, server, runtime, ...story } = await ready();
    server.close();
    await runtime.settle();
    expect(await story.listed()).toEqual([]);
    expect(service.state).toBe('TERMINATED');
    expect(errorsOf(story)).toEqual(['server: users: the server was closed: it leaves the registry']);
    expect(runtime.now()).toBe(0);
  });
});

describe('release hooks', () => {
  it('run one after the other, the last one first; what fails or hangs is told and holds nobody up', async () => {
    const ran: string[] = [];
    const story = await ready({
      propagationMs: 0,
      onRelease: [() => ran.push('database'), () => Promise.reject(new Error('cache: gone')), () => ran.push('queue')],
    });
    const { service, runtime } = story;
    service.onRelease(function flush() {
      ran.push('flush');
      return new Promise(() => undefined);
    });
    const takeBack = service.onRelease(() => ran.push('never'));
    service.onRelease(() => {
      ran.push('last');
      throw new Error('last: bad');
    });
    takeBack();
    const stopped = service.stop();
    await runtime.advance(9_999);
    expect(ran).toEqual(['last', 'flush']);
    await Promise.all([stopped, runtime.advance(1)]);
    expect(ran).toEqual(['last', 'flush', 'queue', 'database']);
    expect(errorsOf(story)).toEqual([
      'release: last: bad',
      'release: the release hook flush did not end within 10000 ms',
      'release: cache: gone',
    ]);
  });
});

describe('signals', () => {
  const GRACE_MS = 1_000;

  it('SIGTERM stops; the process ends by itself, or is ended a second later, with 0', async () => {
    const { service, runtime, host } = await ready();
    host.kill('SIGTERM');
    await runtime.advance(5_000);
    expect(service.state).toBe('TERMINATED');
    expect(host).toMatchObject({ exitCode: 0, exits: [] });
    // What the system does by default is done again.
    expect(host.listenerCount('SIGTERM') + host.listenerCount('SIGINT')).toBe(0);
    await runtime.advance(GRACE_MS);
    expect(host.exits).toEqual([0]);
  });

  it.each<[what: string, given: Given, before: (host: FakeHost) => void, exitCode: unknown, exits: number[]]>([
    ['with 1 when a hook failed', { onRelease: () => Promise.reject(new Error('no')) }, () => undefined, 1, [1]],
    ['with the code that the host has set', {}, host => (host.exitCode = 3), 3, [3]],
    ['not while others listen, who decide', {}, host => host.onSignal('SIGTERM', () => undefined), 0, []],
    ['… or listened until it came', {}, host => host.onceSignal('SIGTERM', () => undefined), 0, []],
    ['… unless it is asked to', { exit: true }, host => host.onSignal('SIGTERM', () => undefined), 0, [0]],
    ['not at all when asked not to', { exit: false }, () => undefined, undefined, []],
  ])('the process ends %s', async (_what, given, before, exitCode, exits) => {
    const host = new FakeHost();
    before(host);
    const { runtime, service } = await ready({ ...given, host });
    host.kill('SIGTERM');
    await runtime.advance(5_000 + GRACE_MS);
    expect(service.state).toBe('TERMINATED');
    expect(host).toMatchObject({ exitCode, exits });
  });

  it('the process ends after the last of its services, not after the first', async () => {
    const quick = await ready({ propagationMs: 100 });
    const { host, runtime } = quick;
    const slow = await ready({ host, runtime, id: 'slow', registry: quick.registry, propagationMs: 8_000 });
    host.kill('SIGINT');
    await runtime.advance(7_999);
    expect([quick.service.state, slow.service.state, host.exits]).toEqual(['TERMINATED', 'SHUTTING_DOWN', []]);
    await runtime.advance(1 + GRACE_MS);
    expect(host.exits).toEqual([0]);
  });

  it('a service that wants no signals keeps the process', async () => {
    const other = await ready({ signals: ['SIGINT'] });
    const { host, runtime } = other;
    await ready({ host, runtime, id: 'term', registry: other.registry, signals: ['SIGTERM'] });
    host.kill('SIGTERM');
    await runtime.advance(10_000);
    expect(other.service.state).toBe('READY');
    expect(host.exits).toEqual([]);
  });

  it('a second signal ends at once, whichever it is; npm’s copy of the first one does not', async () => {
    const { runtime, host } = await ready();
    host.kill('SIGTERM');
    await runtime.advance(20);
    host.kill('SIGTERM');
    expect(host.exits).toEqual([]);
    await runtime.advance(980);
    host.kill('SIGINT');
    expect(host.exits).toEqual([130]);
  });

  it('a signal in the middle of stop() ends the process after it', async () => {
    const { service, runtime, host } = await ready();
    void service.stop();
    await runtime.advance(3_000);
    host.kill('SIGTERM');
    await runtime.advance(2_000 + GRACE_MS);
    expect(host.exits).toEqual([0]);
  });

  it('false: none is listened to', async () => {
    const { host } = await ready({ signals: false });
    expect(host.listenerCount('SIGTERM') + host.listenerCount('SIGINT')).toBe(0);
  });

  it('stops a service that is still warming up', async () => {
    let aborted = false;
    const story = begin({
      ready: ({ signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason);
          }),
        ),
    });
    await story.runtime.settle();
    story.host.kill('SIGTERM');
    await story.runtime.advance(GRACE_MS);
    expect(aborted).toBe(true);
    expect(errorsOf(story)).toEqual([]);
    expect(story.host.exits).toEqual([0]);
  });
});
