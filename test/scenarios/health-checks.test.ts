import { describe, expect, it } from 'vitest';
import {
  createServiceClient,
  memoryRegistry,
  roundRobin,
  type ClientEvent,
  type HealthOptions,
  type ServiceClientOptions,
} from 'fairlead';
import { connectionRefused, fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';

type Mood = 'well' | 'ill' | 'refuses' | 'hangs' | 'moved';

/** Instances whose health and whose calls can differ. */
const fleet = async (count: number, options: Partial<ServiceClientOptions> = {}) => {
  const moods: Mood[] = Array<Mood>(count).fill('well');
  const failing = new Set<number>();
  const probes: { at: number; instance: number; request: Request }[] = [];
  const calls: number[] = Array<number>(count).fill(0);
  const events: ClientEvent[] = [];
  const runtime: TestRuntime = testRuntime({
    seed: 7,
    fetch: fakeFetch(request => {
      const url = new URL(request.url);
      const instance = Number(url.port) - 1_000;
      if (!url.pathname.startsWith('/health')) {
        calls[instance]! += 1;
        return new Response(null, { status: failing.has(instance) ? 503 : 200 });
      }
      probes.push({ at: runtime.now(), instance, request });
      const mood = moods[instance];
      if (mood === 'refuses') throw connectionRefused();
      if (mood === 'hangs') return new Promise<Response>(() => undefined);
      if (mood === 'moved') return new Response(null, { status: 302, headers: { location: 'http://evil.example/' } });
      return new Response('x'.repeat(100), { status: mood === 'well' ? 200 : 500 });
    }),
  });
  const instances = Array.from({ length: count }, (_, index) => ({
    id: `i${index}`,
    service: 'users',
    address: '127.0.0.1',
    port: 1_000 + index,
  }));
  const registry = memoryRegistry({ instances });
  const onEvent = (event: ClientEvent): void => void events.push(event);
  const off = { retry: false, circuitBreaker: false, balancer: roundRobin() } as const;
  const client = createServiceClient({ service: 'users', registry, runtime, onEvent, health: {}, ...off, ...options });
  await runtime.settle();
  const state = (index = 0) => client.snapshot().instances[index]!;
  const call = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i += 1) await client.fetch('/').catch(() => undefined);
  };
  return { client, runtime, moods, failing, probes, calls, events, registry, instances, state, call };
};

describe('an instance that is not well', () => {
  it.each<Mood>(['ill', 'refuses', 'hangs', 'moved'])(
    '%s: is out after three checks, and back after two',
    async mood => {
      const { runtime, moods, state, events, call, calls } = await fleet(3);
      moods[0] = mood;
      await runtime.advance(45_000);
      expect(state()).toMatchObject({
        state: 'out',
        reason: expect.stringContaining('health checks failed: ') as string,
      });
      const before = calls[0];
      await call(100);
      expect(calls[0]).toBe(before);
      moods[0] = 'well';
      await runtime.advance(30_000);
      expect(state()).toMatchObject({ state: 'serving', reason: null });
      await call(100);
      expect(calls[0]).toBeGreaterThan(0);
      const told = events.filter(({ type }) => type === 'instance.down' || type === 'instance.up');
      expect(told).toMatchObject([
        { type: 'instance.down', instance: 'i0', forMs: Infinity },
        { type: 'instance.up', instance: 'i0' },
      ]);
    },
  );

  it('once is not enough', async () => {
    const { runtime, moods, state, probes } = await fleet(2);
    moods[0] = 'ill';
    while (probes.filter(({ instance }) => instance === 0).length < 2) await runtime.advance(1_000);
    moods[0] = 'well';
    await runtime.advance(60_000);
    expect(state().state).toBe('serving');
  });

  it('all of them: then all serve, since panic is better than nothing', async () => {
    const { client, runtime, moods } = await fleet(3, { ejection: false });
    moods.fill('ill');
    await runtime.advance(60_000);
    expect((await client.fetch('/')).status).toBe(200);
    expect(client.snapshot()).toMatchObject({ panic: true });
  });

  it('says so to the loss protection: one that the registry has lost leaves at once', async () => {
    const { client, runtime, moods, registry, instances } = await fleet(3);
    moods[0] = moods[1] = 'refuses';
    registry.set('users', [instances[2]!]);
    await runtime.advance(12_000);
    expect(client.instances().map(({ id }) => id)).toEqual(['i2']);
  });
});

describe('checks and calls feed one state', () => {
  it('checks that pass end an ejection early, with a trial', async () => {
    const options = { health: { intervalMs: 1_000, timeoutMs: 500 }, ejection: { baseMs: 60_000, maxMs: 60_000 } };
    const { runtime, failing, state, call } = await fleet(3, options);
    failing.add(0);
    await call(60);
    expect(state()).toMatchObject({ state: 'out', reason: '5 failures in a row' });
    failing.delete(0);
    await runtime.advance(5_000);
    expect(state().state).toBe('trial');
    await call(60);
    expect(state().state).toBe('serving');
  });

  it('checks that fail keep it out, whatever time was set', async () => {
    const options = { health: { intervalMs: 1_000, timeoutMs: 500 } };
    const { runtime, moods, failing, state, call } = await fleet(3, options);
    failing.add(0);
    await call(60);
    moods[0] = 'ill';
    await runtime.advance(60_000);
    expect(state()).toMatchObject({
      state: 'out',
      reason: expect.stringMatching(/^\d+ health checks failed/) as string,
    });
  });

  it('what an instance asked for itself is left to it', async () => {
    const { runtime, client, state } = await fleet(2, {
      health: { intervalMs: 200, timeoutMs: 100 },
      ejection: { maxMs: 30_000 },
      classify: ({ result }) =>
        (result as Response).url.includes(':1000/')
          ? { outcome: 'overload', retryable: true, retryAfterMs: 20_000, retryAfterScope: 'instance' }
          : undefined,
    });
    for (let i = 0; i < 10; i += 1) await client.fetch('/');
    await runtime.advance(15_000);
    expect(state()).toMatchObject({ state: 'out', reason: 'asked for 20000 ms by Retry-After' });
  });

  it('are no traffic: no call, no breaker, no latency, nothing in flight', async () => {
    const { client, runtime, moods, events } = await fleet(3, { circuitBreaker: {} });
    moods.fill('hangs');
    await runtime.advance(120_000);
    const { instances, breaker, inFlight } = client.snapshot();
    expect(inFlight).toBe(0);
    expect(instances.map(instance => [instance.inFlight, instance.latencyMs, instance.successRatio])).toEqual(
      Array(3).fill([0, 0, 1]),
    );
    expect(breaker).toMatchObject({ state: 'closed', calls: 0 });
    expect(events.some(({ type }) => type.startsWith('call') || type.startsWith('attempt'))).toBe(false);
  });
});

describe('how they are sent', () => {
  it('a GET of the path, with the headers; the status that is expected', async () => {
    const health = { path: '/health?deep=1', headers: { 'x-probe': 'fairlead' }, expectedStatuses: [500] };
    const { runtime, moods, probes, state } = await fleet(1, { health });
    moods[0] = 'ill';
    await runtime.advance(60_000);
    const { request } = probes[0]!;
    expect([request.method, new URL(request.url).search, request.headers.get('x-probe')]).toEqual([
      'GET',
      '?deep=1',
      'fairlead',
    ]);
    expect(state().state).toBe('serving');
  });

  it('a fleet of 1 000 is asked evenly over the interval, and no more than 100 at once', async () => {
    const { runtime, moods, probes, client } = await fleet(1_000);
    moods.fill('hangs', 0, 100);
    await runtime.advance(60_000);
    const perSecond = Array.from(
      { length: 60 },
      (_, second) => probes.filter(({ at }) => Math.floor(at / 1_000) === second).length,
    );
    expect(Math.max(...perSecond)).toBeLessThan(160);
    expect(Math.min(...perSecond.slice(1))).toBeGreaterThan(50);
    const each = Array.from(
      { length: 1_000 },
      (_, index) => probes.filter(({ instance }) => instance === index).length,
    );
    // One that hangs is asked every 12 s, the others every 9 to 11.
    expect(Math.min(...each)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...each)).toBeLessThanOrEqual(7);
    await client.close();
    const sent = probes.length;
    await runtime.advance(60_000);
    expect(probes).toHaveLength(sent);
  });

  it('not to who has left, and soon to who has come', async () => {
    const { runtime, probes, registry, instances } = await fleet(3, { holdMs: 0 });
    registry.set('users', [instances[0]!]);
    await runtime.advance(20_000);
    expect(probes.every(({ instance }) => instance === 0)).toBe(true);
    registry.set('users', instances);
    await runtime.advance(10_000);
    expect(new Set(probes.map(({ instance }) => instance)).size).toBe(3);
  });
});

describe('bad options are refused by name', () => {
  it.each<[HealthOptions, string]>([
    [{ path: 'health' }, 'health.path: expected a path that starts with one /, got "health"'],
    [{ path: '//evil.example/' }, 'health.path: expected a path that starts with one /'],
    [{ type: 'grpc' as 'tcp' }, 'health.type: expected "http" or "tcp", got "grpc"'],
    [{ intervalMs: 10 }, 'health.intervalMs: expected a number >= 100 and <= 3600000, got 10'],
    [{ timeoutMs: 20_000 }, 'health.timeoutMs: expected at most intervalMs (10000 ms), got 20000'],
    [{ downAfter: 0 }, 'health.downAfter: expected a whole number >= 1'],
    [{ expectedStatuses: [] }, 'health.expectedStatuses: expected an array of status codes'],
    [{ expectedStatuses: [2_000] }, 'health.expectedStatuses: expected an array of status codes'],
    [{ headers: { 'bad name': 'secret' } }, 'health.headers: a name or a value is not valid in HTTP'],
    [true as never, "health: expected an object, got true; write { path: '/health' }, or false"],
    [{ interval: 5 } as HealthOptions, 'health.interval: no such option'],
  ])('%j', async (health, message) => {
    await expect(fleet(1, { health })).rejects.toThrow(message);
  });
});
