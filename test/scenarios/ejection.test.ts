import { describe, expect, it } from 'vitest';
import {
  consistentHash,
  leastConnections,
  p2c,
  random,
  roundRobin,
  smoothWeighted,
  type Balancer,
  type BalancerFactory,
  type ClientEvent,
  type Endpoint,
} from 'fairlead';
import { load, makeWorld, type Mode, type World } from './support.js';

const BALANCERS: readonly [name: string, make: () => BalancerFactory][] = [
  ['p2c()', p2c],
  ['roundRobin()', roundRobin],
  ['smoothWeighted()', smoothWeighted],
  ['leastConnections()', leastConnections],
  ['random()', random],
  ['consistentHash()', () => consistentHash({ key: call => `${call.startedAt}` })],
];

const states = ({ client }: World): string[] => client.snapshot().instances.map(({ state }) => state);

describe('one instance that fails fast with 503', () => {
  it.each(BALANCERS)('attracts no traffic, and is out: %s', async (_name, make) => {
    const world = await makeWorld({ count: 4, balancer: make() });
    await load(world, { forMs: 1_000, workers: 8 });
    world.servers[0]!.mode = 503;
    world.servers.forEach(server => (server.arrived = 0));
    const tally = await load(world, { forMs: 10_000, workers: 8 });
    const [sick, ...healthy] = world.servers.map(({ arrived }) => arrived);
    // A few calls until it is out, and single probes since.
    expect(sick).toBeLessThan(0.05 * Math.min(...healthy));
    expect(tally.failed).toBe(0);
    await world.client.close();
  });

  it('attracts none with p2c() even where nobody is ejected', async () => {
    const world = await makeWorld({ count: 10, ejection: false, retry: false });
    world.servers[0]!.mode = 503;
    await load(world, { forMs: 2_000 });
    world.servers.forEach(server => (server.arrived = 0));
    await load(world, { forMs: 8_000 });
    const [sick, ...healthy] = world.servers.map(({ arrived }) => arrived);
    expect(sick).toBeLessThan(Math.min(...healthy));
    await world.client.close();
  });
});

describe('of n instances', () => {
  it.each<[n: number, sick: number, mostOut: number]>([
    [1, 1, 0],
    [2, 1, 1],
    [2, 2, 1],
    [3, 2, 2],
    [3, 3, 2],
    [4, 4, 2],
    [10, 3, 3],
    [10, 10, 5],
  ])('%i, of which %i answer 503: never more than %i are out', async (count, sick, mostOut) => {
    // The breaker of the service would end it before.
    const world = await makeWorld({ count, balancer: roundRobin(), circuitBreaker: false });
    world.servers.slice(0, sick).forEach(server => (server.mode = 503));
    let most = 0;
    world.client.on('attempt.ended', () => {
      most = Math.max(most, states(world).filter(state => state !== 'serving').length);
    });
    await load(world, { forMs: 4_000, workers: 10 });
    expect(most).toBe(mostOut);
    await world.client.close();
  });
});

describe('what an owner is told of an outage', () => {
  it('one down, each probe, one up', async () => {
    const told: ClientEvent[] = [];
    const onEvent = (event: ClientEvent): void => void (event.type.startsWith('instance.') && told.push(event));
    const world = await makeWorld({ onEvent, balancer: roundRobin() });
    world.servers[0]!.mode = 'refuses';
    await load(world, { forMs: 25_000, workers: 4 });
    world.servers[0]!.mode = 'ok';
    await load(world, { forMs: 12_000, workers: 4 });
    const of = told.filter(event => 'instance' in event && event.instance === 'a');
    const failed = of.filter(event => event.type === 'instance.probed' && !event.ok);
    expect(of[0]).toMatchObject({ type: 'instance.down', reason: '5 failures in a row' });
    expect(failed.length).toBeGreaterThanOrEqual(2);
    expect(failed[0]).toMatchObject({ reason: 'probe failed', forMs: expect.any(Number) });
    expect(of.slice(-3)).toMatchObject([
      { type: 'instance.probed', ok: true },
      { type: 'instance.probed', ok: true },
      { type: 'instance.up' },
    ]);
    expect(of.map(({ type }) => type).filter(type => type !== 'instance.probed')).toEqual([
      'instance.down',
      'instance.up',
    ]);
    await world.client.close();
  });
});

describe('an instance that is only slow', () => {
  it.each([
    ['is out', { slowCallMs: 500, slowCallRatio: 0.5 }, 'out'],
    ['serves, unless somebody says what slow is', undefined, 'serving'],
  ])('%s', async (_what, ejection, expected) => {
    const world = await makeWorld({ balancer: roundRobin(), ...(ejection && { ejection }) });
    world.servers[0]!.latencyMs = 800;
    await load(world, { forMs: 5_000, workers: 12 });
    const [slow, ...others] = world.client.snapshot().instances;
    expect(others.map(({ state }) => state)).toEqual(['serving', 'serving']);
    if (expected === 'serving') expect(slow).toMatchObject({ state: 'serving', reason: null });
    else expect(slow!.state).not.toBe('serving');
    await world.client.close();
  });
});

it('one of six that fails 10 % of the calls, where the others fail none, is out if outliers are', async () => {
  const down: string[] = [];
  const world = await makeWorld({
    count: 6,
    balancer: roundRobin(),
    ejection: { outliers: {} },
    onEvent: event => event.type === 'instance.down' && down.push(`${event.instance}: ${event.reason}`),
  });
  let answers = 0;
  const { fetch } = world.runtime;
  world.runtime.fetch = async (input, init) => {
    const response = await fetch(input, init);
    const isSick = new URL(new Request(input, init).url).port === '1001';
    return isSick && (answers += 1) % 10 === 0 ? new Response(null, { status: 500 }) : response;
  };
  await load(world, { forMs: 25_000, workers: 12 });
  expect(down.length).toBeGreaterThan(0);
  expect(down.every(what => /^a: 9\d(\.\d+)? % succeeded, the fleet's mean is 9\d(\.\d+)? %$/.test(what))).toBe(true);
  await world.client.close();
});

describe('while our own event loop stands still', () => {
  const EDGY = { consecutiveFailures: 1, slowCallMs: 500, slowCallRatio: 0.1, minCalls: 1 } as const;

  it.each<[string, { mode?: Mode; atMs: number; thenMs: number }]>([
    ['right after the calls began', { atMs: 0, thenMs: 20_000 }],
    ['right before their answers are read', { atMs: 49, thenMs: 20_000 }],
    ['while instances hang, for a good part of the time they have', { mode: 'hangs', atMs: 2_000, thenMs: 3_500 }],
    ['while connections break', { mode: 'resets', atMs: 20, thenMs: 20_000 }],
  ])('for 2 s, %s: nobody is slow, failing or out', async (_when, { mode = 'ok', atMs, thenMs }) => {
    const world = await makeWorld({ ejection: EDGY, retry: false, attemptTimeoutMs: 5_000 });
    await load(world, { forMs: 500, workers: 6 });
    const before = world.client.snapshot().instances;
    world.servers.forEach(server => (server.mode = mode));
    const pending = Array.from({ length: 6 }, () => world.client.fetch('/').catch(() => undefined));
    await world.runtime.advance(atMs);
    world.runtime.block(2_000);
    await world.runtime.advance(thenMs);
    world.client.snapshot().instances.forEach((instance, index) => {
      expect(instance).toMatchObject({ state: 'serving', successRatio: 1, latencyMs: before[index]!.latencyMs });
    });
    await world.runtime.advance(20_000);
    await Promise.all(pending);
    await world.client.close();
  });

  it('an instance that answers 503 is failing all the same: no stall of ours makes it say that', async () => {
    const world = await makeWorld({ ejection: EDGY, retry: false });
    await load(world, { forMs: 500, workers: 6 });
    const slow = world.client.fetch('/');
    world.servers.forEach(server => (server.mode = 503));
    await world.runtime.advance(20);
    world.runtime.block(2_000);
    const pending = Array.from({ length: 6 }, () => world.client.fetch('/'));
    await world.runtime.advance(1_000);
    await Promise.all([slow, ...pending]);
    expect(states(world)).toContain('out');
    await world.client.close();
  });

  it('a loop that is late all the time excuses nobody who takes 5 s', async () => {
    const world = await makeWorld({ ejection: EDGY, retry: false, attemptTimeoutMs: 5_000 });
    world.servers[0]!.mode = 'hangs';
    const pending = Array.from({ length: 9 }, () => world.client.fetch('/').catch(() => undefined));
    for (let turn = 0; turn < 30; turn += 1) {
      await world.runtime.advance(50);
      world.runtime.block(120);
    }
    await world.runtime.advance(10_000);
    await Promise.all(pending);
    expect(states(world)[0]).not.toBe('serving');
    await world.client.close();
  });
});

/** Counts what a balancer is told. */
const counting = (make: () => BalancerFactory) => {
  const books = new Map<Endpoint, { started: number; settled: number }>();
  const of = (endpoint: Endpoint) => {
    const known = books.get(endpoint) ?? { started: 0, settled: 0 };
    books.set(endpoint, known);
    return known;
  };
  const factory: BalancerFactory = runtime => {
    const inner: Balancer = make()(runtime);
    return {
      pick: (from, call) => inner.pick(from, call),
      started: endpoint => {
        of(endpoint).started += 1;
        inner.started?.(endpoint);
      },
      settled: (endpoint, outcome, durationMs) => {
        of(endpoint).settled += 1;
        inner.settled?.(endpoint, outcome, durationMs);
      },
    };
  };
  return { factory, books };
};

describe('each attempt is told exactly once, and a retry goes elsewhere', () => {
  it.each(BALANCERS)('whatever happens to it: %s', async (_name, make) => {
    const { factory, books } = counting(make);
    const world = await makeWorld({ count: 6, balancer: factory, attemptTimeoutMs: 300 });
    const moods: Mode[] = ['refuses', 'resets', 'hangs', 503, 'asks for 60 s', 'ok'];
    world.servers.forEach((server, index) => (server.mode = moods[index]!));
    const perCall = new Map<string, string[]>();
    world.servers.forEach(server => {
      server.processed = [];
    });
    let attempts = 0;
    world.client.on('attempt.ended', () => (attempts += 1));
    const { fetch } = world.runtime;
    world.runtime.fetch = (input, init) => {
      const request = new Request(input, init);
      const id = request.headers.get('x-id')!;
      perCall.set(id, [...(perCall.get(id) ?? []), new URL(request.url).port]);
      return fetch(request);
    };
    for (let round = 0; round < 20; round += 1) {
      const aborted = new AbortController();
      const calls = Array.from({ length: 10 }, (_, index) => {
        const init = { headers: { 'x-id': `${round} ${index}` }, ...(index % 3 ? {} : { signal: aborted.signal }) };
        return world.client.fetch('/', init).catch(() => undefined);
      });
      await world.runtime.advance(round * 20);
      aborted.abort();
      await world.runtime.advance(2_000);
      await Promise.all(calls);
    }
    const told = [...books.values()];
    expect(told.reduce((sum, { started }) => sum + started, 0)).toBe(attempts);
    for (const { started, settled } of told) expect(settled).toBe(started);
    expect(world.client.snapshot().instances.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0, 0, 0]);
    const repeated = [...perCall.values()].filter(ports => new Set(ports).size < ports.length);
    expect(repeated).toEqual([]);
    expect(Math.max(...[...perCall.values()].map(ports => ports.length))).toBe(3);
    await world.client.close();
  });
});
