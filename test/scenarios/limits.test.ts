import { describe, expect, it } from 'vitest';
import {
  adaptiveConcurrency,
  isFairleadError,
  keyed,
  recordOf,
  slidingWindow,
  tokenBucket,
  type Call,
  type ClientEvent,
  type Limiter,
  type ServiceClientOptions,
} from 'fairlead';
import { testRuntime } from 'fairlead/testing';
import { makeWorld, type World } from './support.js';

type Options = Partial<ServiceClientOptions>;

const outcome = (call: Promise<Response>): Promise<string> =>
  call.then(
    ({ status }) => String(status),
    (error: unknown) => (isFairleadError(error) ? error.code : String(error)),
  );

/** Lets all of them end, however long it takes. */
const outcomes = async ({ runtime }: World, ...calls: Promise<Response>[]): Promise<string[]> => {
  const all = Promise.all(calls.map(outcome));
  await runtime.advance(30_000);
  return all;
};

const oneEver = (): Limiter => tokenBucket({ perSecond: 0, burst: 1 });

describe('rateLimit', () => {
  it('refuses what is too much, and says when to come back', async () => {
    const events: ClientEvent[] = [];
    const world = await makeWorld({
      rateLimit: tokenBucket({ perSecond: 2, burst: 1 }),
      onEvent: event => events.push(event),
    });
    const [first, second] = [world.client.fetch('/a'), world.client.fetch('/b')];
    const error: unknown = await second.catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'RATE_LIMITED',
      service: 'users',
      message: 'users: rate limited (2/s, burst 1), retry in 500 ms',
      retryAfterMs: 500,
      attempts: 0,
    });
    expect(recordOf(error)).toMatchObject({ endedBy: 'refused', attempts: 0 });
    expect(events.map(({ type }) => type)).toContain('call.refused');
    expect(await outcomes(world, first)).toEqual(['200']);
    expect(await outcomes(world, world.client.fetch('/b'))).toEqual(['200']);
  });

  it('wait: in order of arrival, within the deadline, with the wait in the record', async () => {
    const rateLimit = { limiter: tokenBucket({ perSecond: 10, burst: 1 }), mode: 'wait' } as const;
    const world = await makeWorld({ rateLimit });
    const calls = [1, 2, 3].map(n => world.client.fetch(`/${n}`));
    const hasty = world.client.fetch('/4', { fairlead: { deadlineMs: 250 } });
    await expect(hasty).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      message: 'users: rate limited (10/s, burst 1), retry in 300 ms, later than its deadline',
      retryAfterMs: 300,
    });
    expect(await outcomes(world, ...calls)).toEqual(['200', '200', '200']);
    expect((await Promise.all(calls)).map(response => recordOf(response)!.queuedMs)).toEqual([0, 100, 200]);
    expect(world.servers.flatMap(({ arrivals }) => arrivals.map(([at]) => at)).sort((a, b) => a - b)).toEqual([
      0, 100, 200,
    ]);
  });

  it('wait: who gives up leaves nothing behind', async () => {
    const limiter = tokenBucket({ perSecond: 1, burst: 1 });
    const world = await makeWorld({ rateLimit: { limiter, mode: 'wait' }, deadlineMs: 5_000 });
    const timers = world.runtime.pendingTimers;
    const abort = new AbortController();
    const calls = [
      world.client.fetch('/1'),
      world.client.fetch('/2', { signal: abort.signal }),
      world.client.fetch('/3'),
    ];
    const all = Promise.all(calls.map(outcome));
    await world.runtime.advance(100);
    abort.abort('enough');
    await world.runtime.advance(1_000);
    expect(await all).toEqual(['200', 'enough', '200']);
    expect(world.servers.reduce((sum, { arrived }) => sum + arrived, 0)).toBe(2);
    await world.runtime.advance(10_000);
    expect([limiter.snapshot(), world.runtime.pendingTimers]).toEqual([
      { rule: '1/s, burst 1', available: 1, waiting: 0, keys: null },
      timers,
    ]);
  });

  it('counts a call once, however often it is tried', async () => {
    const world = await makeWorld({ rateLimit: oneEver() });
    for (const server of world.servers) server.mode = 'resets';
    expect(await outcomes(world, world.client.fetch('/1'))).toEqual([expect.stringMatching(/fetch failed/)]);
    expect(world.servers.reduce((sum, { arrived }) => sum + arrived, 0)).toBe(3);
    expect(world.client.snapshot().limiter!.available).toBe(0);
  });

  describe('gives back what was refused further down', () => {
    const cases: [string, Options & { count?: number }, (world: World) => void, string][] = [
      ['nobody there', { count: 0 }, () => undefined, 'NO_INSTANCES'],
      ['the circuit is open', {}, ({ client }) => client.breaker!.open(), 'CIRCUIT_OPEN'],
      [
        'the bulkhead is full',
        { bulkhead: { maxInFlight: 1, maxQueue: 0 } },
        ({ client }) => void client.call(() => new Promise(() => undefined)),
        'BULKHEAD_FULL',
      ],
      [
        'the adaptive limit is reached',
        { adaptiveConcurrency: { initialLimit: 1, maxLimit: 1 } },
        ({ client }) => void client.call(() => new Promise(() => undefined)),
        'BULKHEAD_FULL',
      ],
    ];
    it.each(cases)('%s', async (_name, options, prepare, code) => {
      const rateLimit = tokenBucket({ perSecond: 0, burst: 2 });
      const world = await makeWorld({ rateLimit, ...options });
      prepare(world);
      await world.runtime.settle();
      const before = rateLimit.snapshot().available;
      const call = outcome(world.client.fetch('/1'));
      await world.runtime.advance(10);
      expect(await call).toBe(code);
      expect(rateLimit.snapshot().available).toBe(before);
    });

    it('given up in the queue of the bulkhead', async () => {
      const rateLimit = slidingWindow({ limit: 2, windowMs: 60_000 });
      const world = await makeWorld({ rateLimit, bulkhead: { maxInFlight: 1 } });
      const first = world.client.fetch('/1');
      const abort = new AbortController();
      const second = outcome(world.client.fetch('/2', { signal: abort.signal }));
      await world.runtime.advance(10);
      expect(rateLimit.snapshot().available).toBe(0);
      abort.abort('no more');
      expect([await second, rateLimit.snapshot().available]).toEqual(['no more', 1]);
      expect(await outcomes(world, first)).toEqual(['200']);
      expect(rateLimit.snapshot().available).toBe(1);
    });

    it('but not what was sent, and failed', async () => {
      const rateLimit = tokenBucket({ perSecond: 0, burst: 2 });
      const world = await makeWorld({ rateLimit });
      for (const server of world.servers) server.mode = 'refuses';
      await outcomes(world, world.client.fetch('/1'));
      expect(rateLimit.snapshot().available).toBe(1);
    });
  });

  it('one limiter for several clients', async () => {
    const rateLimit = oneEver();
    const [a, b] = [await makeWorld({ rateLimit }), await makeWorld({ rateLimit })];
    expect(await outcomes(a, a.client.fetch('/1'))).toEqual(['200']);
    expect(await outcome(b.client.fetch('/1'))).toBe('RATE_LIMITED');
  });

  it('for call() too', async () => {
    const world = await makeWorld({ rateLimit: oneEver() });
    expect(await world.client.call(() => 7)).toBe(7);
    await expect(world.client.call(() => 8)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('a limiter for each key, and none for who has no key', async () => {
    const tenantOf = ({ request }: Call): string | undefined =>
      new Headers(request?.headers).get('x-tenant') ?? undefined;
    const world = await makeWorld({ rateLimit: keyed(oneEver, tenantOf) });
    const of = (tenant: string): Promise<Response> => world.client.fetch('/1', { headers: { 'x-tenant': tenant } });
    const calls = [of('a'), of('a'), of('b'), world.client.fetch('/1'), world.client.fetch('/1')];
    expect(await outcomes(world, ...calls)).toEqual(['200', 'RATE_LIMITED', '200', '200', '200']);
    expect(world.client.snapshot().limiter).toMatchObject({ keys: 2, available: null });
  });

  it('goes by its own clock where it has one', async () => {
    const clock = testRuntime();
    const world = await makeWorld({ rateLimit: tokenBucket({ perSecond: 1, burst: 1, runtime: clock }) });
    await outcomes(world, world.client.fetch('/1'));
    expect(await outcome(world.client.fetch('/2'))).toBe('RATE_LIMITED');
    await clock.advance(1_000);
    expect(await outcomes(world, world.client.fetch('/3'))).toEqual(['200']);
  });

  it("a user's limiter with a fault fails the call, and nothing else", async () => {
    const faulty: Limiter = {
      ...oneEver(),
      ...withMethods(oneEver()),
      tryAcquire: () => {
        throw new Error('my fault');
      },
    };
    const world = await makeWorld({ rateLimit: faulty });
    expect(await outcome(world.client.fetch('/1'))).toBe('Error: my fault');
    expect(world.client.snapshot().inFlight).toBe(0);
  });

  it.each<[string, unknown, RegExp]>([
    ['a number', 100, /rateLimit: expected an object, got 100; write tokenBucket\(\{ perSecond: 100 \}\)/],
    ['options of a bucket', { perSecond: 100 }, /rateLimit: expected a limiter; write tokenBucket/],
    ['no limiter', { mode: 'wait' }, /rateLimit: expected a limiter; write/],
    [
      'a mode that is not known',
      { limiter: oneEver(), mode: 'queue' },
      /rateLimit\.mode: expected "reject" or "wait", got "queue"/,
    ],
  ])('options: %s', async (_name, rateLimit, message) => {
    await expect(makeWorld({ rateLimit } as Options)).rejects.toThrow(message);
  });
});

const withMethods = (limiter: Limiter): Omit<Limiter, 'rule' | 'tryAcquire'> => ({
  acquire: (n, options) => limiter.acquire(n, options),
  delayMs: n => limiter.delayMs(n),
  giveBack: n => limiter.giveBack(n),
  freshAt: now => limiter.freshAt(now),
  snapshot: () => limiter.snapshot(),
});

describe('throttle and adaptiveConcurrency in a client', () => {
  it('throttles a service that asks for less, says so, and retries nothing', async () => {
    const world = await makeWorld({ throttle: true, retry: false });
    for (const server of world.servers) server.mode = 'nacks';
    for (let call = 0; call < 40; call += 1) void outcome(world.client.fetch('/'));
    await world.runtime.advance(100);
    const calls = Array.from({ length: 100 }, () => world.client.fetch('/'));
    const arrived = (): number => world.servers.reduce((sum, server) => sum + server.arrived, 0);
    const before = arrived();
    const ends = await outcomes(world, ...calls);
    const throttled = ends.filter(end => end === 'THROTTLED').length;
    expect(throttled).toBeGreaterThan(75);
    expect(arrived() - before).toBe(100 - throttled);
    const error: unknown = await Promise.any(
      calls.map(call =>
        call.then(
          () => Promise.reject(new Error()),
          (caught: unknown) => caught,
        ),
      ),
    );
    expect(error).toMatchObject({
      code: 'THROTTLED',
      message: expect.stringMatching(
        /^users: throttled, 90 % are refused here: the service accepted 0 of \d+ lately$/,
      ) as string,
    });
  });

  it('a connection that was refused was not accepted, a 500 was', async () => {
    const world = await makeWorld({ throttle: true, retry: false, circuitBreaker: false, ejection: false });
    world.servers[0]!.mode = 'refuses';
    world.servers[1]!.mode = 500;
    world.servers[2]!.mode = 500;
    for (let call = 0; call < 60; call += 1) void outcome(world.client.fetch('/'));
    await world.runtime.advance(1_000);
    const { requests, accepts } = world.client.snapshot().throttle!;
    expect(requests).toBe(60);
    expect(accepts).toBe(60 - world.servers[0]!.arrived);
  });

  it('leaves a service that works alone', async () => {
    const world = await makeWorld({ throttle: true, adaptiveConcurrency: true });
    for (let round = 0; round < 3; round += 1) {
      const calls = Promise.all(Array.from({ length: 20 }, () => outcome(world.client.fetch('/'))));
      await world.runtime.advance(50);
      expect(new Set(await calls)).toEqual(new Set(['200']));
    }
    expect(world.client.snapshot()).toMatchObject({
      throttle: { rejectRatio: 0, requests: 60, accepts: 60 },
      adaptiveConcurrency: { inFlight: 0, unloadedMs: 50 },
    });
  });

  it('one limit for two clients; whatever ends a call, its place is free again', async () => {
    const limit = adaptiveConcurrency({ initialLimit: 2, maxLimit: 2 });
    const [a, b] = [
      await makeWorld({ adaptiveConcurrency: limit, attemptTimeoutMs: 1_000, retry: false }),
      await makeWorld({ adaptiveConcurrency: limit, retry: false }),
    ];
    for (const server of a.servers) server.mode = 'hangs';
    const abort = new AbortController();
    const calls = [a.client.fetch('/1'), a.client.fetch('/2', { signal: abort.signal })].map(outcome);
    await a.runtime.settle();
    expect(await outcome(b.client.fetch('/'))).toBe('BULKHEAD_FULL');
    abort.abort('enough');
    await a.runtime.advance(1_000);
    expect(await Promise.all(calls)).toEqual(['ATTEMPT_TIMEOUT', 'enough']);
    expect(limit.inFlight).toBe(0);
    expect(await outcomes(b, b.client.fetch('/'))).toEqual(['200']);
  });

  it.each<[string, Options, RegExp]>([
    ['throttle', { throttle: { k: 0.5 } }, /throttle\.k: expected a number >= 1 and <= 100, got 0\.5/],
    [
      'throttle as a number',
      { throttle: 2 as never },
      /throttle: expected an object, got 2; write true, or \{ k: 2 \}/,
    ],
    [
      'adaptiveConcurrency',
      { adaptiveConcurrency: { limit: 5 } as never },
      /adaptiveConcurrency\.limit: no such option/,
    ],
  ])('options: %s', async (_name, options, message) => {
    await expect(makeWorld(options)).rejects.toThrow(message);
  });
});
