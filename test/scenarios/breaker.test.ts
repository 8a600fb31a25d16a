import { describe, expect, it, vi } from 'vitest';
import { createServiceClient, staticRegistry, type ClientEvent, type OpossumBreaker } from 'fairlead';
import { fakeFetch, testRuntime } from 'fairlead/testing';
import { failedBetween, load, makeWorld, offer, type World } from './support.js';

const breakerOf = ({ client }: World): OpossumBreaker => client.breaker!;
const arrivals = ({ servers }: World): number => servers.reduce((sum, { arrived }) => sum + arrived, 0);
const setAll = ({ servers }: World, mode: World['servers'][number]['mode']): void =>
  servers.forEach(server => (server.mode = mode));

it('refuses while the whole service fails, and says what, why and until when', async () => {
  const events: ClientEvent[] = [];
  const world = await makeWorld({ retry: false, onEvent: event => void events.push(event) });
  setAll(world, 503);
  for (let call = 0; call < 20; call += 1) await world.client.fetch('/');
  expect(world.client.snapshot().breaker).toEqual({
    state: 'open',
    forMs: 0,
    availableInMs: 5_000,
    reason: '20 of 20 attempts failed in 10 s',
    calls: 20,
    failures: 20,
    failureRatio: 1,
  });
  await world.runtime.advance(3_800);
  await expect(world.client.fetch('/')).rejects.toMatchObject({
    code: 'CIRCUIT_OPEN',
    message: 'users: circuit open, retry in 1200 ms (20 of 20 attempts failed in 10 s)',
    retryAfterMs: 1_200,
    attempts: 0,
  });
  expect(arrivals(world)).toBe(20);
  expect(events.filter(({ type }) => type.startsWith('breaker'))).toMatchObject([
    { type: 'breaker.opened', reason: '20 of 20 attempts failed in 10 s', forMs: 5_000 },
  ]);
  expect(events.filter(({ type }) => type === 'call.refused')).toMatchObject([{ code: 'CIRCUIT_OPEN' }]);

  setAll(world, 'ok');
  await world.runtime.advance(1_200);
  const probes = [1, 2, 3].map(() => world.client.fetch('/'));
  await expect(world.client.fetch('/')).rejects.toMatchObject({
    message: 'users: circuit half-open, 3 probes in flight',
    retryAfterMs: undefined,
  });
  await world.runtime.advance(50);
  await Promise.all(probes);
  expect(world.client.snapshot().breaker).toMatchObject({ state: 'closed', reason: null, calls: 0, availableInMs: 0 });
  expect(events.filter(({ type }) => type.startsWith('breaker')).slice(1)).toMatchObject([
    { type: 'breaker.half-opened', afterMs: 5_000 },
    { type: 'breaker.closed', reason: 'probes succeeded', afterMs: 5_050 },
  ]);
});

it('a refused attempt is not repeated, and costs no retry', async () => {
  const world = await makeWorld();
  breakerOf(world).open();
  const { budget } = world.client.snapshot();
  await expect(world.client.fetch('/')).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', errors: [] });
  expect([world.client.snapshot().budget, arrivals(world)]).toEqual([budget, 0]);
});

it('a cold burst: 33 fast refusals before 67 slow successes do not open it', async () => {
  let nth = 0;
  const runtime = testRuntime({
    fetch: fakeFetch(async () => {
      nth += 1;
      if (nth <= 33) return new Response(null, { status: 503 });
      await runtime.sleep(500);
      return new Response('ok');
    }),
  });
  // Without ejection and retries nothing but the breaker's own rule decides.
  const registry = staticRegistry(['http://127.0.0.1:1001']);
  const client = createServiceClient({ service: 'users', registry, runtime, retry: false, ejection: false });
  await runtime.settle();
  const calls = Array.from({ length: 100 }, () => client.fetch('/').then(({ status }) => status));
  await runtime.advance(1_000);
  const statuses = await Promise.all(calls);
  expect(statuses.filter(status => status === 200)).toHaveLength(67);
  expect(client.snapshot().breaker).toMatchObject({ state: 'closed', calls: 100, failures: 33 });
  await client.close();
});

it('retries are attempts of their own, a caller’s abort is nobody’s failure', async () => {
  const world = await makeWorld();
  setAll(world, 503);
  const failed = world.client.fetch('/');
  await world.runtime.advance(1_000);
  await failed;
  expect(world.client.snapshot().breaker).toMatchObject({ calls: 3, failures: 3 });
  setAll(world, 'hangs');
  const abort = new AbortController();
  const aborted = expect(world.client.fetch('/', { signal: abort.signal })).rejects.toThrow();
  await world.runtime.settle();
  abort.abort();
  await aborted;
  expect(world.client.snapshot().breaker).toMatchObject({ calls: 4, failures: 3 });
});

it('one counts for fetch and call()', async () => {
  const world = await makeWorld({ circuitBreaker: { minCalls: 2 }, ejection: false, retry: false });
  setAll(world, 503);
  await world.client.fetch('/');
  await expect(world.client.call(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
  await expect(world.client.fetch('/')).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
});

it('a service that has an instance which works is not down: two of three failing do not open it', async () => {
  const world = await makeWorld();
  world.servers[0]!.mode = 503;
  world.servers[1]!.mode = 503;
  const tally = await load(world, { forMs: 10_000, workers: 10 });
  expect(tally.failed).toBe(0);
  expect(world.client.snapshot().breaker?.state).toBe('closed');
});

it('without ejection nobody keeps calls from them, and the ratio alone decides', async () => {
  const world = await makeWorld({ ejection: false, retry: false });
  world.servers[0]!.mode = 503;
  world.servers[1]!.mode = 503;
  let opened = 0;
  world.client.on('breaker.opened', () => (opened += 1));
  await load(world, { forMs: 1_000, workers: 10 });
  expect(opened).toBe(1);
});

it('60 s of outage: almost nothing is sent, and it is used again within the open time of its return', async () => {
  const world = await makeWorld({ deadlineMs: 1_000 });
  await offer(world, { perSecond: 20, forMs: 5_000 });
  setAll(world, 503);
  world.servers.forEach(server => (server.arrived = 0));
  await offer(world, { perSecond: 20, forMs: 60_000 });
  expect(arrivals(world)).toBeLessThan(300);
  const { availableInMs } = world.client.snapshot().breaker!;
  setAll(world, 'ok');
  const from = world.runtime.now();
  const after = await offer(world, { perSecond: 20, forMs: 60_000 });
  expect(failedBetween(after, from + availableInMs + 1_000, Infinity)).toBe(0);
  expect(availableInMs).toBeLessThanOrEqual(60_000);
});

it('off: no breaker, nothing refused', async () => {
  const world = await makeWorld({ circuitBreaker: false, retry: false, ejection: false });
  setAll(world, 503);
  for (let call = 0; call < 100; call += 1) expect((await world.client.fetch('/')).status).toBe(503);
  expect(world.client.breaker).toBeUndefined();
  expect(world.client.snapshot().breaker).toBeNull();
});

describe('options', () => {
  it.each([
    [{ failureRatio: 50 }, 'circuitBreaker.failureRatio: expected a number > 0 and <= 1, or false, got 50'],
    [{ openMs: 10_000, maxOpenMs: 5_000 }, 'circuitBreaker.maxOpenMs: expected at least openMs (10000), got 5000'],
    [{ timeout: 5 }, 'circuitBreaker.timeout: no such option'],
    [true, 'circuitBreaker: expected an object, got true; write { failureRatio: 0.5 }, or false'],
    [{ minCalls: 0 }, 'circuitBreaker.minCalls: expected a whole number >= 1 and <= 100000, got 0'],
  ])('%j is refused', (circuitBreaker, says) => {
    const registry = staticRegistry(['http://127.0.0.1:1']);
    expect(() => createServiceClient({ service: 'users', registry, circuitBreaker: circuitBreaker as never })).toThrow(
      says,
    );
  });

  it('an openMs above the default of maxOpenMs is taken as it is', async () => {
    const world = await makeWorld({ circuitBreaker: { openMs: 90_000 } });
    breakerOf(world).open();
    expect(world.client.snapshot().breaker?.availableInMs).toBe(90_000);
  });
});

describe('client.breaker', () => {
  it('open() and close() act on the client', async () => {
    const world = await makeWorld();
    breakerOf(world).open();
    await expect(world.client.fetch('/')).rejects.toMatchObject({
      message: 'users: circuit open, retry in 5000 ms (opened by hand)',
    });
    breakerOf(world).close();
    const answered = world.client.fetch('/');
    await world.runtime.advance(50);
    expect((await answered).status).toBe(200);
  });

  it('a listener that throws fails no call', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const world = await makeWorld();
    for (const event of ['fire', 'success', 'open', 'shutdown'])
      breakerOf(world).on(event, () => {
        throw new Error('mine');
      });
    const answered = world.client.fetch('/');
    await world.runtime.advance(50);
    expect((await answered).status).toBe(200);
    breakerOf(world).open();
    await world.client.close();
    expect(breakerOf(world).isShutdown).toBe(true);
    expect(warned.mock.calls.map(([text]) => String(text).split('\n')[0])).toEqual([
      expect.stringMatching(/a listener of the breaker for users threw: Error: mine/),
    ]);
    warned.mockRestore();
  });

  it('disabled it lets everything through uncounted, enabled it goes on', async () => {
    const world = await makeWorld({ retry: false, ejection: false });
    breakerOf(world).disable();
    setAll(world, 503);
    for (let call = 0; call < 50; call += 1) await world.client.fetch('/');
    expect(breakerOf(world)).toMatchObject({ closed: true, stats: { fires: 0, failures: 0 } });
    breakerOf(world).enable();
    for (let call = 0; call < 20; call += 1) await world.client.fetch('/');
    expect(breakerOf(world)).toMatchObject({ opened: true, stats: { fires: 20, failures: 20 } });
  });

  it('fire() says where calls are made', async () => {
    const world = await makeWorld();
    const fire = (breakerOf(world) as unknown as { fire(): Promise<unknown> }).fire();
    await expect(fire).rejects.toThrow('users: this breaker is fed by its client; make calls with client.fetch()');
    expect(breakerOf(world).stats).toMatchObject({ fires: 0, failures: 0 });
  });

  it('close() of the client shuts it down and leaves no timer', async () => {
    const world = await makeWorld();
    breakerOf(world).status.on('snapshot', () => undefined);
    expect(world.runtime.pendingTimers).toBeGreaterThan(0);
    await world.client.close();
    await world.runtime.advance(60_000);
    expect([breakerOf(world).isShutdown, world.runtime.pendingTimers]).toEqual([true, 0]);
    expect(breakerOf(world)).toMatchObject({ closed: false, opened: false, halfOpen: false });
  });
});
