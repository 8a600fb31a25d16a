/** From the call of registerService() to the entry in the registry, and what can be wrong on the way. */
import { describe, expect, it, vi } from 'vitest';
import { isFairleadError, memoryRegistry, registerService, type Registration } from 'fairlead';
import { testRuntime } from 'fairlead/testing';
import { begin, errorsOf, FakeHost, FakeServer, type Given } from './support.js';

describe('a start', () => {
  it('waits for the server, then for ready(), then for the registry, and is READY', async () => {
    let warm = (): void => undefined;
    const story = begin({ listens: false, ready: () => new Promise<void>(resolve => (warm = resolve)) });
    const { service, server, runtime, registry } = story;
    expect(service.state).toBe('INIT');
    await runtime.settle();
    server.listen();
    await runtime.settle();
    expect(await story.listed()).toEqual([]);
    registry.fail();
    warm();
    await runtime.settle();
    expect(service.state).toBe('INIT');
    registry.recover();
    await runtime.advance(100);
    await service.ready();
    expect(service).toMatchObject({ state: 'READY', registration: 'registered' });
    expect(await story.listed()).toEqual(['1 users-10.0.0.7-8080']);
    expect(story.told()).toEqual(['error', 'registration.made', 'READY']);
  });

  it('says what it lists: the details that were given, and https for a server of node:https', async () => {
    const details = { id: 'a', weight: 3, zone: 'z', version: '2', tags: ['t'], metadata: { k: 'v' } };
    const story = begin({ ...details, address: 'a.example', port: 443 });
    await story.service.ready();
    const [listed] = await story.registry.discover('users');
    expect(listed).toMatchObject({ ...details, address: 'a.example', port: 443, protocol: 'http' });

    const tls = Object.assign(new FakeServer().listen(), { setSecureContext: () => undefined });
    const other = begin({ ...({ server: tls } as object), id: 'b' });
    await other.service.ready();
    expect(other.service.instance).toMatchObject({ id: 'b', protocol: 'https' });
  });

  it('hands what `registration` says on to the registry', async () => {
    const registry = memoryRegistry();
    const register = vi.spyOn(registry, 'register');
    await begin({ registry, registration: { ttlMs: 2_000 } }).service.ready();
    expect(register.mock.calls[0]![1]).toMatchObject({ ttlMs: 2_000, signal: expect.any(AbortSignal) });
  });

  it('leaves no timer behind, and one listener per signal, however many services there are', async () => {
    const host = new FakeHost();
    const stories = Array.from({ length: 20 }, (_, n) => begin({ host, id: `i${n}` }));
    await Promise.all(stories.map(({ service }) => service.ready()));
    expect(stories.map(({ runtime }) => runtime.pendingTimers)).toEqual(stories.map(() => 0));
    expect(host.listenerCount('SIGTERM')).toBe(1);
    await Promise.all(stories.map(({ service, runtime }) => Promise.all([service.stop(), runtime.advance(6_000)])));
    expect(host.listenerCount('SIGTERM')).toBe(0);
    expect(stories.map(({ server }) => server.eventNames())).toEqual(stories.map(() => []));
  });
});

describe('the address', () => {
  const inner = { address: '127.0.0.1', family: 'IPv4', internal: true };
  const v6 = { address: '2001:db8::7', family: 'IPv6', internal: false };
  const v4 = { address: '10.0.0.7', family: 'IPv4', internal: false };
  const link4 = { address: '169.254.1.1', family: 'IPv4', internal: false };
  const link6 = { address: 'fe80::1', family: 'IPv6', internal: false };
  it.each<[what: string, given: Given, env: Record<string, string>, nets: FakeHost['interfaces'], address: string]>([
    ['is the given one', { address: 'me.example' }, { POD_IP: '10.1.1.1' }, { a: [v4] }, 'me.example'],
    ['is POD_IP', {}, { POD_IP: '10.1.1.1', MY_POD_IP: '10.1.1.2' }, { a: [v4] }, '10.1.1.1'],
    ['is MY_POD_IP', {}, { POD_IP: ' ', MY_POD_IP: '10.1.1.2' }, { a: [v4] }, '10.1.1.2'],
    ['is of Cloud Foundry', {}, { CF_INSTANCE_INTERNAL_IP: '10.1.1.3' }, { a: [v4] }, '10.1.1.3'],
    ['is of Fly.io', {}, { FLY_PRIVATE_IP: 'fdaa::3' }, { a: [v4] }, 'fdaa::3'],
    ['is the first outer one, IPv4 preferred', {}, {}, { lo: [inner], a: [link6, v6, link4, v4] }, '10.0.0.7'],
    ['is IPv6 if there is no other', {}, {}, { lo: [inner], a: [link6, v6] }, '2001:db8::7'],
  ])('%s', async (_what, given, env, interfaces, address) => {
    const host = Object.assign(new FakeHost(), { env, interfaces });
    const { service } = begin({ ...given, host });
    await service.ready();
    expect(service.instance?.address).toBe(address);
  });

  it('is the one that the server is bound to, if to one: no other could be reached', async () => {
    const { service, server } = begin({ listens: false });
    server.listen({ address: '127.0.0.1', port: 9_000 });
    await service.ready();
    expect(service.instance).toMatchObject({ address: '127.0.0.1', port: 9_000, id: 'users-127.0.0.1-9000' });
  });
});

describe('a start that fails says why, and harms nobody', () => {
  it.each<[what: string, given: Given, message: RegExp]>([
    ['ready() throws', { ready: () => Promise.reject(new Error('no database')) }, /ready\(\) failed: no database/],
    [
      'ready() throws at once, and not an Error',
      {
        ready: () => {
          throw Object.create(null);
        },
      },
      /ready\(\) failed: an object without text/,
    ],
    [
      'there is no address',
      { host: Object.assign(new FakeHost(), { interfaces: {} }) },
      /cannot be registered: address: none was given/,
    ],
    [
      'the platform tells nonsense',
      { host: Object.assign(new FakeHost(), { env: { POD_IP: 'a b' } }) },
      /"a b" is not/,
    ],
  ])('%s', async (_what, given, message) => {
    const story = begin(given);
    await story.runtime.settle();
    expect(errorsOf(story)).toEqual([expect.stringMatching(message)]);
    await expect(story.service.ready()).rejects.toThrow(message);
    expect(story.service).toMatchObject({ state: 'INIT', registration: 'none' });
    expect(story.host.exitCode).toBe(1);
    expect(story.host.exits).toEqual([]);
    await story.service.stop();
    expect(story.service.state).toBe('TERMINATED');
  });

  it('a Unix socket has no port', async () => {
    const story = begin({ listens: false });
    story.server.listen('/run/users.sock');
    await expect(story.service.ready()).rejects.toThrow('users: it cannot be registered: port: the server listens on');
  });

  it('a port that is in use: told, and registered when the host finds another one', async () => {
    const story = begin({ listens: false });
    const cause = new Error('listen EADDRINUSE: address already in use');
    story.server.emit('error', cause);
    await expect(story.service.ready()).rejects.toMatchObject({ code: 'REGISTRATION_FAILED', cause });
    expect(errorsOf(story)).toEqual([expect.stringMatching(/^server: .* cannot listen: listen EADDRINUSE/)]);
    expect(story.host.exitCode).toBe(1);
    story.server.listen();
    await story.runtime.settle();
    expect(story.service.state).toBe('READY');
    expect(story.host.exitCode).toBeUndefined();
    // From here on the server's errors are its owner's.
    expect(story.server.listenerCount('error')).toBe(0);
  });

  it('ready() that does not end, and a server that does not listen: told in time, taken late', async () => {
    let warm = (): void => undefined;
    const ready = (): Promise<void> => new Promise(resolve => (warm = resolve));
    const story = begin({ listens: false, ready, readyTimeoutMs: 1_000 });
    await story.runtime.advance(999);
    expect(story.events).toEqual([]);
    await story.runtime.advance(1);
    const message = 'users: it is not ready in time: the server does not listen, ready() has not ended';
    await expect(story.service.ready()).rejects.toThrow(message);
    expect(errorsOf(story)).toEqual([`ready: ${message}`]);
    story.server.listen();
    warm();
    await story.runtime.settle();
    expect(story.service.state).toBe('READY');
    expect(story.runtime.pendingTimers).toBe(0);
  });

  it('an id that this process has registered already: the first one stays', async () => {
    const first = begin({ id: 'a' });
    await first.service.ready();
    const second = begin({ id: 'a', registry: first.registry, port: 9_999 });
    await expect(second.service.ready()).rejects.toThrow('this process has registered that id already');
    await second.service.stop();
    const [listed] = await first.registry.discover('users');
    expect(listed).toMatchObject({ id: 'a', port: 8_080 });
    await Promise.all([first.service.stop(), first.runtime.advance(6_000)]);
    const third = begin({ id: 'a', registry: first.registry });
    await third.service.ready();
    expect(third.service.state).toBe('READY');
  });

  it('an id that another process takes over is lost, and its end leaves the entry to that', async () => {
    const story = begin({ id: 'a' });
    await story.service.ready();
    await story.registry.register({ id: 'a', service: 'users', address: '10.0.0.8', port: 1 });
    expect(story.told()).toContain('registration.lost');
    expect(story.service).toMatchObject({ state: 'READY', registration: 'lost' });
    await Promise.all([story.service.stop(), story.runtime.advance(6_000)]);
    expect(await story.listed()).toEqual(['1 a']);
  });

  it('a warning of the process, once, where nobody listens; none where somebody does', async () => {
    const silent = begin({ ready: () => Promise.reject(new Error('no database')), ...{ onEvent: undefined } });
    await silent.runtime.settle();
    expect(silent.host.warnings).toEqual(['users: ready() failed: no database']);
    const heard = begin({ ready: () => Promise.reject(new Error('no database')), ...{ onEvent: undefined } });
    heard.service.on('error', () => undefined);
    await heard.runtime.settle();
    expect(heard.host.warnings).toEqual([]);
  });

  it('leaves exitCode alone where it does not own the signals, or may not end the process', async () => {
    for (const given of [{ signals: false }, { exit: false }] as const) {
      const story = begin({ ...given, ready: () => Promise.reject(new Error('no database')) });
      await story.runtime.settle();
      expect(story.host.exitCode).toBeUndefined();
    }
  });
});

describe('a registry that is down', () => {
  it('is asked again and again, with a word after 5, 10 and 20 s, and has the entry once it is up', async () => {
    const registry = memoryRegistry();
    registry.fail();
    const story = begin({ registry });
    await story.runtime.advance(60_000);
    const waited = story.events.flatMap(event => (event.type === 'registration.late' ? [event.waitedMs] : []));
    expect(waited).toEqual([5_000, 10_000, 20_000, 40_000]);
    const pauses = story.events.flatMap(event => (event.type === 'error' ? [event.retryInMs!] : []));
    expect(pauses.length).toBeGreaterThan(8);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
    registry.recover();
    await story.runtime.advance(10_000);
    expect(story.service.state).toBe('READY');
    expect(story.runtime.pendingTimers).toBe(0);
  });

  it('does not keep a service from stopping, nor make it wait for callers that never knew it', async () => {
    const registry = memoryRegistry();
    registry.fail();
    const story = begin({ registry, ready: () => new Promise(() => undefined) });
    await story.runtime.advance(1_000);
    await story.service.stop();
    await expect(story.service.ready()).rejects.toThrow('users: it was stopped before it was ready');
    expect(story.told()).toEqual(['SHUTTING_DOWN', 'server.drained', 'TERMINATED']);
    expect(story.runtime.now()).toBe(1_000);
  });

  it('refuses a bad instance once: no try can mend that', async () => {
    const registry = memoryRegistry();
    const refusal = new TypeError('metadata: the key "a/b" cannot be written');
    const register = vi.spyOn(registry, 'register').mockRejectedValue(refusal);
    const story = begin({ registry });
    await expect(story.service.ready()).rejects.toMatchObject({ cause: refusal });
    await story.runtime.advance(60_000);
    expect(register).toHaveBeenCalledTimes(1);
  });
});

describe('an update', () => {
  it('changes the entry, drains by weight 0, and brings it back', async () => {
    const story = begin({ id: 'a' });
    await story.service.ready();
    await story.service.update({ weight: 0, metadata: { why: 'drained' } });
    expect((await story.registry.discover('users'))[0]).toMatchObject({ weight: 0, metadata: { why: 'drained' } });
    expect(story.service).toMatchObject({ state: 'READY', instance: { weight: 0 } });
    await story.service.update({ weight: 2 });
    expect(await story.listed()).toEqual(['2 a']);
  });

  it('before the entry is there, becomes part of it: while warming up, and while the registry is asked', async () => {
    const registry = memoryRegistry();
    const register = registry.register.bind(registry);
    let answer = (): void => undefined;
    vi.spyOn(registry, 'register').mockImplementation(async (...given): Promise<Registration> => {
      await new Promise<void>(resolve => (answer = resolve));
      return register(...given);
    });
    const story = begin({ id: 'a', registry });
    await story.service.update({ weight: 4 });
    await story.runtime.settle();
    await story.service.update({ zone: 'b' });
    answer();
    await story.service.ready();
    expect((await registry.discover('users'))[0]).toMatchObject({ weight: 4, zone: 'b' });
  });

  it.each<[what: string, patch: unknown, message: string]>([
    ['an unknown key', { prot: 1 }, 'update: expected some of weight, zone, version, tags, metadata, status, got prot'],
    ['no object', 'weight', 'got'],
    ['a weight below 0', { weight: -1 }, 'weight -1 is not >= 0'],
  ])('refuses %s', async (_what, patch, message) => {
    const { service } = begin();
    await expect(service.update(patch as object)).rejects.toThrow(message);
  });

  it('is refused from the beginning of the end on', async () => {
    const { service, runtime } = begin();
    await service.ready();
    const stopped = service.stop();
    const error: unknown = await service.update({ weight: 1 }).catch((caught: unknown) => caught);
    expect(isFairleadError(error, 'REGISTRATION_FAILED')).toBe(true);
    await Promise.all([stopped, runtime.advance(6_000)]);
  });
});

describe('options that cannot be', () => {
  const registry = memoryRegistry();
  it.each<[what: string, options: unknown, message: RegExp]>([
    ['nothing', undefined, /expected options such as \{ service, registry, server \}, got undefined/],
    ['a typo', { service: 'a', registry, port: 1, drainMS: 1 }, /^drainMS: no such option; there are service/],
    ['no service', { registry, port: 1 }, /^service undefined is not a non-empty string/],
    ['no registry', { service: 'a', port: 1 }, /^registry: expected an object with a method register\(\), got undef/],
    ['no server', { service: 'a', registry }, /^server: expected a server of node:http or node:https, or a port/],
    ['no real server', { service: 'a', registry, server: {} }, /^server: expected an object with a method listen\(\)/],
    ['a port too high', { service: 'a', registry, port: 65_536 }, /^port 65536 is not 1–65535/],
    ['a bad address', { service: 'a', registry, port: 1, address: 'a/b' }, /^address "a\/b" is not/],
    [
      'a negative time',
      { service: 'a', registry, port: 1, drainMs: -1 },
      /^drainMs: expected a number >= 0 and <= 86400000, got -1/,
    ],
    ['no time', { service: 'a', registry, port: 1, propagationMs: NaN }, /^propagationMs: .* got NaN/],
    [
      'a text for a time',
      { service: 'a', registry, port: 1, drainMs: '5s' },
      /^drainMs: expected a number >= 0 and <= 86400000, got "5s"/,
    ],
    ['a signal alone', { service: 'a', registry, port: 1, signals: 'SIGTERM' }, /^signals: expected an array/],
    ['an uncatchable one', { service: 'a', registry, port: 1, signals: ['SIGKILL'] }, /^signals: .* can be caught/],
    [
      'a hook that is none',
      { service: 'a', registry, port: 1, onRelease: [1] },
      /^onRelease: expected functions, got 1/,
    ],
    ['ready that is none', { service: 'a', registry, port: 1, ready: true }, /^ready: expected a function, got true/],
    ['a signal of one’s own', { service: 'a', registry, port: 1, registration: { signal: 1 } }, /^registration.signal/],
  ])('%s', (_what, options, message) => {
    expect(() => registerService(options as Parameters<typeof registerService>[0])).toThrow(message);
    expect(() => registerService(options as Parameters<typeof registerService>[0])).toThrow(
      /not 1–65535|got -1|got NaN/.test(String(message)) ? RangeError : TypeError,
    );
  });

  it('what a registry does not know does not compile', () => {
    const parts = { service: 'a', registry, port: 1 };
    // @ts-expect-error -- a check is something of Consul's
    expect(() => registerService({ ...parts, registration: { check: {} }, runtime: 1 })).toThrow('runtime');
    expect(() => registerService({ ...parts, registration: { ttlMs: 1_000 }, drainMs: -1 })).toThrow('drainMs');
  });

  it('undefined is the default', async () => {
    const runtime = testRuntime();
    const { service } = begin({ runtime, drainMs: undefined, ready: undefined, onRelease: undefined });
    await service.ready();
    expect(() => service.on('sate' as 'state', () => undefined)).toThrow('on: expected state, registration.made');
  });
});
