import { metrics as api } from '@opentelemetry/api';
import { createServiceClient, memoryRegistry, roundRobin } from 'fairlead';
import { metrics } from 'fairlead/opentelemetry';
import { fakeFetch, testRuntime } from 'fairlead/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Totals } from '../../../../src/integrations/opentelemetry/metrics-totals.js';
import { load, makeWorld, type World } from '../../../scenarios/support.js';
import { makeCollector, startingWith, type Collector } from './metrics-support.js';

const call = async ({ client, runtime }: World, init?: RequestInit): Promise<unknown> => {
  const answered = client.fetch('/users/1', init).then(
    async response => (await response.text(), response),
    (error: unknown) => error,
  );
  await runtime.advance(10_000);
  return answered;
};

const measured = async (options: Parameters<typeof makeWorld>[0] = {}): Promise<World & Collector> => {
  const collector = makeCollector();
  const world = await makeWorld({ instruments: [metrics({ meterProvider: collector.provider })], ...options });
  return { ...world, ...collector };
};

describe('what a call leaves behind', () => {
  it('one that goes well: a request by the conventions, an attempt, a call', async () => {
    const world = await measured();
    await call(world);
    const { values, histograms } = await world.collect();
    const request =
      'http.client.request.duration{http.request.method=GET,http.response.status_code=200,server.address=users}';
    expect(startingWith(values, 'http.')).toEqual({ [request]: 1 });
    expect(histograms[request]).toMatchObject({
      sum: 0.05,
      buckets: { boundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] },
    });
    expect(values).toMatchObject({
      'fairlead.client.attempts{fairlead.outcome=success}': 1,
      'fairlead.client.calls{fairlead.ended_by=success,fairlead.outcome=success,fairlead.served_from=instance}': 1,
      'fairlead.client.call.duration{fairlead.outcome=success}': 1,
    });
    await world.client.close();
  });

  it('one that was retried: two requests, the reason by its kind, one call', async () => {
    const world = await measured({ count: 1 });
    world.servers[0]!.mode = 'resets';
    const answered = call(world);
    world.runtime.after(60, () => (world.servers[0]!.mode = 'ok'));
    await answered;
    const { values } = await world.collect();
    expect(values).toMatchObject({
      'http.client.request.duration{error.type=ECONNRESET,http.request.method=GET,server.address=users}': 1,
      'http.client.request.duration{http.request.method=GET,http.response.status_code=200,server.address=users}': 1,
      'fairlead.client.retries{fairlead.reason=ECONNRESET}': 1,
      'fairlead.client.attempts{fairlead.outcome=failure}': 1,
      'fairlead.client.call.duration{fairlead.outcome=success}': 1,
    });
    await world.client.close();
  });

  it.each([
    ['a status', 503 as const, 'fairlead.client.retries{fairlead.reason=503}'],
    ['a refused connection', 'refuses' as const, 'fairlead.client.retries{fairlead.reason=ECONNREFUSED}'],
    ['a timeout of ours', 'hangs' as const, 'fairlead.client.retries{fairlead.reason=ATTEMPT_TIMEOUT}'],
  ])('retries are counted by %s', async (_what, mode, key) => {
    const world = await measured({ count: 2, attemptTimeoutMs: 100 });
    for (const server of world.servers) server.mode = mode;
    await call(world);
    expect((await world.collect()).values).toMatchObject({ [key]: 2 });
    await world.client.close();
  });

  it.each([
    ['failure', 500 as const, {}, 'not-retryable'],
    ['overload', 'asks for 60 s' as const, {}, 'not-retryable'],
    ['failure', 'resets' as const, {}, 'not-retryable'],
    ['timeout', 'hangs' as const, { deadlineMs: 1_000 }, 'deadline'],
  ])('a POST ends as %s when an instance %s', async (outcome, mode, options, endedBy) => {
    const world = await measured({ count: 1, retry: false, ...options });
    world.servers[0]!.mode = mode;
    await call(world, { method: 'POST' });
    const calls = startingWith((await world.collect()).values, 'fairlead.client.calls');
    const key = `fairlead.client.calls{fairlead.ended_by=${endedBy},fairlead.outcome=${outcome},fairlead.served_from=instance}`;
    expect(calls).toEqual({ [key]: 1 });
    await world.client.close();
  });

  it('an abort by the caller is nobody’s failure', async () => {
    const world = await measured({ count: 1 });
    world.servers[0]!.mode = 'hangs';
    const abort = new AbortController();
    world.runtime.after(10, () => abort.abort());
    await call(world, { signal: abort.signal });
    expect(startingWith((await world.collect()).values, 'fairlead.client.call')).toEqual({
      'fairlead.client.calls{fairlead.ended_by=aborted,fairlead.outcome=aborted,fairlead.served_from=instance}': 1,
      'fairlead.client.call.duration{fairlead.outcome=aborted}': 1,
    });
    await world.client.close();
  });

  it('a refusal is counted by its code, and as a call', async () => {
    const world = await measured({ count: 1, bulkhead: { maxInFlight: 1, maxQueue: 0 } });
    await Promise.all([call(world), call(world)]);
    expect((await world.collect()).values).toMatchObject({
      'fairlead.client.refusals{fairlead.code=BULKHEAD_FULL}': 1,
      'fairlead.client.calls{fairlead.ended_by=refused,fairlead.outcome=refused,fairlead.served_from=instance}': 1,
      'fairlead.client.call.duration{fairlead.outcome=success}': 1,
    });
    await world.client.close();
  });

  it('a fallback’s answer is a success of the call, and says what it stood in for', async () => {
    const world = await measured({ count: 1, fallback: () => new Response('none') });
    world.servers[0]!.mode = 500;
    await call(world);
    expect((await world.collect()).values).toMatchObject({
      'fairlead.client.fallbacks{fairlead.reason=500}': 1,
      'fairlead.client.call.duration{fairlead.outcome=success}': 1,
      'fairlead.client.calls{fairlead.ended_by=not-retryable,fairlead.outcome=success,fairlead.served_from=fallback}': 1,
    });
    await world.client.close();
  });

  it('hedges are counted, and the attempt that lost', async () => {
    const world = await measured({ count: 2, hedge: { afterMs: 20, max: 1 } });
    await call(world);
    expect((await world.collect()).values).toMatchObject({
      'fairlead.client.hedges': 1,
      'fairlead.client.attempts{fairlead.outcome=ignored}': 1,
      'http.client.request.duration{error.type=AbortError,http.request.method=GET,server.address=users}': 1,
    });
    await world.client.close();
  });

  it('of call() there are attempts and calls, and no HTTP requests', async () => {
    const world = await measured();
    await world.client.call(() => Promise.resolve(1));
    const { values } = await world.collect();
    expect(startingWith(values, 'http.')).toEqual({});
    expect(values['fairlead.client.attempts{fairlead.outcome=success}']).toBe(1);
    await world.client.close();
  });
});

describe('how a client stands', () => {
  it('an outage of one instance shows as ejection, and its return too', async () => {
    const world = await measured({ balancer: roundRobin() });
    world.servers[0]!.mode = 503;
    await load(world, { forMs: 3_000, workers: 4 });
    expect((await world.collect()).values).toMatchObject({
      'fairlead.client.instance.ejections{fairlead.reason=calls}': 1,
      'fairlead.client.instance.known': 3,
      'fairlead.client.instance.ejected': 1,
      'fairlead.client.instance.eligible': 2,
    });
    world.servers[0]!.mode = 'ok';
    await load(world, { forMs: 10_000, workers: 4 });
    expect((await world.collect()).values).toMatchObject({
      'fairlead.client.instance.recoveries': 1,
      'fairlead.client.instance.ejected': 0,
    });
    await world.client.close();
  });

  it('an outage of the service shows as an open breaker', async () => {
    const world = await measured();
    for (const server of world.servers) server.mode = 503;
    await load(world, { forMs: 3_000, workers: 4 });
    const { values } = await world.collect();
    expect(values['fairlead.client.breaker.transitions{fairlead.state=open}']).toBeGreaterThan(0);
    expect(values['fairlead.client.refusals{fairlead.code=CIRCUIT_OPEN}']).toBeGreaterThan(0);
    const states = startingWith(values, 'fairlead.client.breaker.state');
    expect(Object.values(states).sort()).toEqual([0, 0, 1]);
    expect(states['fairlead.client.breaker.state{fairlead.state=closed}']).toBe(0);
    await world.client.close();
  });

  it('a lost registry shows at once, and the age of what is known', async () => {
    const world = await measured();
    expect((await world.collect()).values).toMatchObject({
      'fairlead.client.registry.down': 0,
      'fairlead.client.discovery.age': 0,
    });
    world.registry.fail();
    await world.runtime.advance(30_000);
    const { values } = await world.collect();
    expect(values['fairlead.client.registry.down']).toBe(1);
    expect(values['fairlead.client.discovery.age']).toBeCloseTo(30, 0);
    expect(values['fairlead.client.registry.errors{fairlead.reason=lost,fairlead.registry=memory}']).toBe(1);
    await world.client.close();
  });

  it('parts that are off are not told; those that are on are', async () => {
    const plain = await measured({ circuitBreaker: false, bulkhead: false, retry: false });
    const { values } = await plain.collect();
    for (const part of ['breaker', 'bulkhead', 'retry_budget', 'limiter', 'throttle', 'adaptive', 'cache'])
      expect(startingWith(values, `fairlead.client.${part}`), part).toEqual({});
    await plain.client.close();
    const full = await measured({ throttle: {}, adaptiveConcurrency: {}, cache: {} });
    expect((await full.collect()).values).toMatchObject({
      'fairlead.client.throttle.reject_ratio': 0,
      'fairlead.client.adaptive_concurrency.limit': expect.any(Number) as number,
      'fairlead.client.cache.entries': 0,
      'fairlead.client.cache.size': 0,
      'fairlead.client.retry_budget.balance': expect.any(Number) as number,
      'fairlead.client.bulkhead.in_flight': 0,
      'fairlead.client.bulkhead.queued': 0,
    });
    await full.client.close();
  });
});

describe('counters', () => {
  it('whose labels are known begin at zero, so that the first event is a rise', async () => {
    const world = await measured();
    expect(startingWith((await world.collect()).values, 'fairlead.client.instance.ejections')).toEqual({
      'fairlead.client.instance.ejections{fairlead.reason=asked}': 0,
      'fairlead.client.instance.ejections{fairlead.reason=calls}': 0,
      'fairlead.client.instance.ejections{fairlead.reason=checks}': 0,
    });
    expect((await world.collect()).values['fairlead.client.breaker.transitions{fairlead.state=open}']).toBe(0);
    await world.client.close();
  });
});

describe('few time series', () => {
  const hostile = [
    ['an unknown method', { method: 'SEARCH-4711' }],
    ['a method in small letters', { method: 'patch' }],
  ] as const;
  it.each(hostile)('%s is _OTHER', async (_what, init) => {
    const world = await measured();
    await call(world, init);
    const [key] = Object.keys(startingWith((await world.collect()).values, 'http.'));
    expect(key).toContain('http.request.method=_OTHER');
    await world.client.close();
  });

  it.each([
    ['a name that is a sentence', Object.assign(new Error('x'), { name: 'user 4711 is unknown' }), '_OTHER'],
    ['no error at all', 'user 4711', '_OTHER'],
    ['numbers for codes', Object.assign(new Error('x'), { code: 14 }), '14'],
    ['a class of the user’s', new RangeError('x'), 'RangeError'],
    ['a code below', new Error('a', { cause: Object.assign(new Error('b'), { code: 'EPIPE' }) }), 'EPIPE'],
  ])('errors with %s', async (_what, error, kind) => {
    const world = await measured({ retry: { maxAttempts: 2 } });
    const failed = world.client.call(() => Promise.reject(error), { idempotent: true }).catch(() => undefined);
    await world.runtime.advance(1_000);
    await failed;
    expect(startingWith((await world.collect()).values, 'fairlead.client.retries')).toEqual({
      [`fairlead.client.retries{fairlead.reason=${kind}}`]: 1,
    });
    await world.client.close();
  });

  it('no secret is in them, wherever it was', async () => {
    const world = await measured({ count: 1, retry: { maxAttempts: 2 } });
    const headers = { authorization: 'Bearer hush-1', cookie: 'id=hush-2' };
    const failing = world.client.fetch('/hush-3?token=hush-4', { headers }).catch(() => undefined);
    const reason = new Error('hush-5', { cause: new Error('hush-6') });
    const thrown = world.client.call(() => Promise.reject(reason), { idempotent: true }).catch(() => undefined);
    world.servers[0]!.mode = 'resets';
    await world.runtime.advance(10_000);
    await Promise.all([failing, thrown]);
    const told = JSON.stringify(await world.collect());
    expect(told).toContain('fairlead.client.retries');
    expect(told).not.toContain('hush');
    await world.client.close();
  });

  it('no instance is named, unless that is asked for', async () => {
    const quiet = await measured();
    await call(quiet);
    expect(JSON.stringify(await quiet.collect())).not.toMatch(/fairlead\.instance|server\.port|127\.0\.0\.1/);
    await quiet.client.close();

    const { provider, collect } = makeCollector();
    const world = await makeWorld({
      count: 1,
      instruments: [metrics({ meterProvider: provider, instanceLabels: true })],
    });
    await call(world);
    expect((await collect()).values).toMatchObject({
      'http.client.request.duration{fairlead.instance=a,http.request.method=GET,http.response.status_code=200,server.address=127.0.0.1,server.port=1001}': 1,
      'fairlead.client.attempts{fairlead.instance=a,fairlead.outcome=success}': 1,
      'fairlead.client.instance.latency{fairlead.instance=a}': 0.05,
      'fairlead.client.instance.in_flight{fairlead.instance=a}': 0,
      'fairlead.client.instance.out{fairlead.instance=a}': 0,
    });
    await world.client.close();
  });
});

describe('what is kept for labels', () => {
  it('an id that comes back at another address is told there', async () => {
    const { provider, collect } = makeCollector();
    const world = await makeWorld({ instruments: [metrics({ meterProvider: provider, instanceLabels: true })] });
    world.registry.set('users', [{ id: 'a', address: '127.0.0.1', port: 1_001 }]);
    await world.runtime.advance(40_000);
    await call(world);
    world.registry.set('users', [{ id: 'a', address: '127.0.0.1', port: 1_002 }]);
    await world.runtime.advance(40_000);
    await call(world);
    const ports = Object.keys(startingWith((await collect()).values, 'http.')).map(key => /port=(\d+)/.exec(key)?.[1]);
    expect(ports).toEqual(['1001', '1002']);
    await world.client.close();
  });

  it('is bounded, however many values there are', () => {
    const totals = new Totals();
    for (let n = 0; n < 5_000; n += 1) totals.of('attempts', { n: String(n) }).value += 1;
    const all = [...totals];
    expect(all).toHaveLength(2_001);
    expect(all.at(-1)![1]).toEqual({ labels: { 'otel.metric.overflow': 'true' }, value: 3_000 });
  });
});

describe('clients come and go', () => {
  const clientOf = (service: string, instrument: ReturnType<typeof metrics>) => {
    const runtime = testRuntime({ fetch: fakeFetch(() => new Response('ok')) });
    const registry = memoryRegistry({ instances: [{ service, id: 'a', address: '127.0.0.1', port: 1_001 }] });
    return { runtime, client: createServiceClient({ service, registry, runtime, instruments: [instrument] }) };
  };

  it('share one set of instruments, told apart by service', async () => {
    const { provider, collect } = makeCollector();
    const instrument = metrics({ meterProvider: provider });
    const [users, orders] = [clientOf('users', instrument), clientOf('orders', instrument)];
    await users.runtime.settle();
    await orders.runtime.settle();
    await users.client.fetch('/');
    await orders.client.fetch('/');
    const { descriptors } = await collect();
    expect(descriptors.filter(({ name }) => name === 'fairlead.client.calls')).toHaveLength(1);
    expect(JSON.stringify(await collect())).toContain('server.address=orders');
    await Promise.all([users.client.close(), orders.client.close()]);
  });

  it('two of one service are told as one: counts add up, flags are the worse one', async () => {
    const { provider, collect } = makeCollector();
    const instrument = metrics({ meterProvider: provider });
    const worlds = [
      await makeWorld({ instruments: [instrument] }),
      await makeWorld({ instruments: [instrument], count: 2 }),
    ];
    worlds[0]!.registry.fail();
    await worlds[0]!.runtime.advance(5_000);
    expect((await collect()).values).toMatchObject({
      'fairlead.client.instance.known': 5,
      'fairlead.client.registry.down': 1,
    });
    for (const { client } of worlds) await client.close();
  });

  it('one that closed leaves zeros, no listener and no callback', async () => {
    const { provider, collect } = makeCollector();
    const meter = provider.getMeter('fairlead');
    const callbacks = new Set<unknown>();
    const counting = {
      getMeter: () =>
        Object.assign(Object.create(meter) as typeof meter, {
          addBatchObservableCallback: (...given: Parameters<typeof meter.addBatchObservableCallback>) => {
            callbacks.add(given[0]);
            meter.addBatchObservableCallback(...given);
          },
          removeBatchObservableCallback: (...given: Parameters<typeof meter.removeBatchObservableCallback>) => {
            callbacks.delete(given[0]);
            meter.removeBatchObservableCallback(...given);
          },
        }),
    };
    const instrument = metrics({ meterProvider: counting });
    expect(callbacks.size).toBe(0);
    const world = await makeWorld({ instruments: [instrument] });
    world.registry.fail();
    await world.runtime.advance(5_000);
    expect((await collect()).values).toMatchObject({
      'fairlead.client.instance.known': 3,
      'fairlead.client.registry.down': 1,
    });
    await world.client.close();
    const { values } = await collect();
    const gauges = Object.entries(values).filter(([key]) =>
      /instance\.|registry\.down|breaker\.state|bulkhead/.test(key),
    );
    expect(gauges.length).toBeGreaterThan(8);
    expect(gauges.filter(([, value]) => value !== 0)).toEqual([]);
    await collect();
    expect(callbacks.size).toBe(0);
    // … and is there again for the next one.
    const next = await makeWorld({ instruments: [instrument] });
    expect((await collect()).values).toMatchObject({ 'fairlead.client.instance.known': 3 });
    expect(callbacks.size).toBe(1);
    await next.client.close();
  });

  it('one whose snapshot throws does not take the others along', async () => {
    const { provider, collect } = makeCollector();
    const instrument = metrics({ meterProvider: provider });
    const world = await makeWorld({ instruments: [instrument] });
    const broken = {
      service: 'broken',
      on: () => () => undefined,
      snapshot: () => {
        throw new Error('mine');
      },
    };
    instrument.attach!(broken as unknown as typeof world.client);
    expect((await collect()).values).toMatchObject({ 'fairlead.client.instance.known': 3 });
    await world.client.close();
  });

  it('an instance that left is told as zero once more, and is gone for us', async () => {
    const { provider, collect } = makeCollector();
    const world = await makeWorld({
      balancer: roundRobin(),
      instruments: [metrics({ meterProvider: provider, instanceLabels: true })],
    });
    world.servers[0]!.mode = 503;
    await load(world, { forMs: 3_000, workers: 4 });
    expect((await collect()).values['fairlead.client.instance.out{fairlead.instance=a}']).toBe(1);
    world.registry.set(
      'users',
      [1_002, 1_003].map((port, index) => ({ id: 'bc'[index]!, address: '127.0.0.1', port })),
    );
    await world.runtime.settle();
    expect((await collect()).values['fairlead.client.instance.out{fairlead.instance=a}']).toBe(0);
    await world.client.close();
  });
});

describe('the provider', () => {
  afterEach(() => api.disable());

  it('may be set up after the client: counted from the next call on', async () => {
    const world = await makeWorld({ instruments: [metrics()] });
    await call(world);
    const { provider, collect } = makeCollector();
    expect(api.setGlobalMeterProvider(provider)).toBe(true);
    await call(world);
    await call(world);
    expect((await collect()).values).toMatchObject({
      'fairlead.client.attempts{fairlead.outcome=success}': 2,
      'fairlead.client.instance.known': 3,
    });
    await world.client.close();
  });

  it('without one nothing listens', async () => {
    const world = await makeWorld({ instruments: [metrics()] });
    const on: string[] = [];
    const spied = { ...world.client, on: (type: string) => (on.push(type), () => undefined) };
    const instrument = metrics();
    const detach = instrument.attach!(spied);
    await call(world);
    expect(on).toEqual([]);
    detach();
    await world.client.close();
  });
});

describe('options', () => {
  it('change names and buckets', async () => {
    const { provider, collect } = makeCollector();
    const instruments = [metrics({ meterProvider: provider, prefix: 'acme.http', buckets: [0.1, 1] })];
    const world = await makeWorld({ instruments });
    await call(world);
    const { histograms, values } = await collect();
    expect(values['acme.http.client.attempts{fairlead.outcome=success}']).toBe(1);
    expect(Object.keys(values).filter(key => key.startsWith('fairlead'))).toEqual([]);
    expect(Object.values(histograms).map(({ buckets }) => buckets.boundaries)).toEqual([
      [0.1, 1],
      [0.1, 1],
    ]);
    await world.client.close();
  });

  it.each([
    [{ prefix: '9lives' }, /metrics\.prefix: expected a letter/],
    [{ prefix: 5 }, /metrics\.prefix: expected a string, got 5/],
    [{ buckets: [1, 1] }, /metrics\.buckets: expected ascending numbers, in seconds/],
    [{ buckets: [] }, /metrics\.buckets/],
    [{ buckets: [NaN] }, /metrics\.buckets/],
    [{ instanceLabels: 'yes' }, /metrics\.instanceLabels: expected a boolean/],
    [{ meterProvider: {} }, /metrics\.meterProvider: expected an object with a method getMeter\(\)/],
    [{ labels: {} }, /metrics\.labels: no such option/],
  ])('%j is refused', (options, message) => {
    expect(() => metrics(options as never)).toThrow(message);
  });
});
