import { describe, expect, it } from 'vitest';
import { roundRobin, p2c, type Call, type Happening, type ServiceInstance, type Verdict } from './support.js';
import { FAILURE, IGNORED, OVERLOAD, SERVER_ERROR, SUCCESS, makeCall, makeInstance, makePool } from './support.js';

const three = (): ServiceInstance[] => ['a', 'b', 'c'].map(id => makeInstance({ id }));
const retryable = { idempotent: true, replayable: true, maxAttempts: 3 };

describe('Pool', () => {
  it('keeps what it learnt of survivors, and forgets what a new incarnation did not do', () => {
    const { pool, runtime } = makePool({ instances: [makeInstance({ id: 'a', incarnation: '1' })] });
    const measure = (): number => [...pool.endpoints][0]!.latencyMs;
    pool.acquire(makeCall(runtime)).settle(SUCCESS, runtime.now() + 40);
    pool.update([makeInstance({ id: 'a', incarnation: '1', metadata: { version: '2' } })]);
    expect([measure(), [...pool.endpoints][0]!.instance.version]).toEqual([40, '2']);
    pool.update([makeInstance({ id: 'a', incarnation: '2' })]);
    expect([...pool.endpoints][0]!.measuredMs).toBe(0);
  });

  it('refuses with a reason when nobody may serve', () => {
    const { pool, runtime } = makePool({ instances: [] });
    expect(() => pool.acquire(makeCall(runtime))).toThrow(/users: no instances, the registry lists none/);
    pool.update([makeInstance({ id: 'a', weight: 0 })]);
    expect(() => pool.acquire(makeCall(runtime))).toThrow(/all 1 have weight 0/);
  });

  it('gives fetch only instances that speak http', () => {
    const { pool, runtime } = makePool({
      instances: [makeInstance({ id: 'g', protocol: 'grpc' }), makeInstance({ id: 'h', port: 2 })],
    });
    for (let turn = 0; turn < 6; turn += 1)
      expect(pool.acquire(makeCall(runtime, { fetch: true })).endpoint.instance.id).toBe('h');
    const all = new Set(Array.from({ length: 6 }, () => pool.acquire(makeCall(runtime)).endpoint.instance.id));
    expect(all).toEqual(new Set(['g', 'h']));
  });

  it('settles a lease once', () => {
    const { pool, runtime } = makePool({ instances: [makeInstance({ id: 'a' })] });
    const lease = pool.acquire(makeCall(runtime));
    lease.settle(FAILURE, 1);
    lease.settle(FAILURE, 2);
    expect([lease.endpoint.inFlight, lease.endpoint.health.window.total(2)]).toEqual([0, 1]);
  });

  it('avoids what the call tried, then takes the least recently tried', () => {
    const { pool, runtime } = makePool({ instances: three(), balancer: p2c() });
    const call = makeCall(runtime);
    const first = Array.from({ length: 3 }, () => pool.acquire(call).endpoint.instance.id);
    expect(new Set(first).size).toBe(3);
    expect(pool.offersMore(call)).toBe(false);
    expect(pool.acquire(call).endpoint.instance.id).toBe(first[0]);
    expect(pool.acquire(call).endpoint.instance.id).toBe(first[1]);
  });
});

describe('ejection', () => {
  const fail = (id: string, world: ReturnType<typeof makePool>, { times = 5, verdict = FAILURE } = {}): void => {
    for (let done = 0; done < times;) {
      const lease = world.pool.acquire(makeCall(world.runtime));
      if (lease.endpoint.instance.id === id) done += 1;
      lease.settle(lease.endpoint.instance.id === id ? verdict : SUCCESS, world.runtime.now());
    }
  };
  const picked = (world: ReturnType<typeof makePool>, call: Partial<Call> = {}, times = 9): string[] =>
    Array.from({ length: times }, () => {
      const lease = world.pool.acquire(makeCall(world.runtime, call));
      lease.settle(IGNORED, world.runtime.now());
      return lease.endpoint.instance.id;
    });
  const state = (world: ReturnType<typeof makePool>, id: string): string =>
    [...world.pool.endpoints].find(endpoint => endpoint.instance.id === id)!.health.kind;

  it.each([
    ['five failures in a row', 5, FAILURE, 'out'],
    ['four', 4, FAILURE, 'serving'],
    ['five answers 500: the requests may be at fault', 5, SERVER_ERROR, 'serving'],
    ['twenty answers 500: half of twenty', 20, SERVER_ERROR, 'out'],
    ['a hundred answers 429', 100, OVERLOAD, 'serving'],
    ['a hundred attempts that say nothing', 100, IGNORED, 'serving'],
  ])('%s', (_name, times, verdict, expected) => {
    const world = makePool({ instances: three() });
    fail('a', world, { times, verdict });
    expect(state(world, 'a')).toBe(expected);
  });

  it('sends nothing to an instance that is out, then single probes of retryable calls, then all', async () => {
    const world = makePool({ instances: three() });
    fail('a', world);
    expect(picked(world, retryable)).not.toContain('a');
    await world.runtime.advance(5_000);
    expect(picked(world)).not.toContain('a');
    const probe = world.pool.acquire(makeCall(world.runtime, retryable));
    expect(probe.endpoint.instance.id).toBe('a');
    expect(picked(world, retryable)).not.toContain('a');
    probe.settle(SUCCESS, world.runtime.now());
    const second = world.pool.acquire(makeCall(world.runtime, retryable));
    expect([second.endpoint.instance.id, state(world, 'a')]).toEqual(['a', 'trial']);
    second.settle(SUCCESS, world.runtime.now());
    expect(state(world, 'a')).toBe('serving');
    expect(picked(world)).toContain('a');
  });

  it('probes an instance by any call where no retryable one comes', async () => {
    const world = makePool({ instances: three() });
    fail('a', world);
    await world.runtime.advance(5_000);
    expect(picked(world)).not.toContain('a');
    await world.runtime.advance(2_000);
    expect(picked(world)).toContain('a');
  });

  it('is out for longer each time, up to maxMs, and forgets that while healthy', async () => {
    const world = makePool({ instances: three() });
    const outMs = (): number =>
      (world.happened.filter(({ type }) => type === 'instance.down').at(-1) as { forMs: number }).forMs;
    fail('a', world);
    expect(outMs()).toBeGreaterThanOrEqual(4_000);
    expect(outMs()).toBeLessThanOrEqual(5_000);
    for (const [least, most] of [
      [8_000, 10_000],
      [8_000, 10_000],
    ] as const) {
      const endpoint = [...world.pool.endpoints][0]!;
      await world.runtime.advance(10_000);
      const probe = world.pool.acquire(makeCall(world.runtime, retryable));
      expect(probe.endpoint).toBe(endpoint);
      probe.settle(FAILURE, world.runtime.now());
      const ms = endpoint.availableAt - world.runtime.now();
      expect(ms).toBeGreaterThanOrEqual(least);
      expect(ms).toBeLessThanOrEqual(most);
    }
    await world.runtime.advance(10_000);
    for (let probes = 0; probes < 2; probes += 1)
      world.pool.acquire(makeCall(world.runtime, retryable)).settle(SUCCESS, world.runtime.now());
    await world.runtime.advance(30_000);
    fail('a', world);
    expect(outMs()).toBeLessThanOrEqual(5_000);
  });

  it.each([
    [1, 0],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
    [10, 5],
  ])('of %i instances at most %i are out', (n, most) => {
    const world = makePool({
      instances: Array.from({ length: n }, (_, id) => makeInstance({ id: `i${id}`, port: id + 1 })),
    });
    for (let attempt = 0; attempt < 40 * n; attempt += 1)
      world.pool.acquire(makeCall(world.runtime)).settle(FAILURE, world.runtime.now());
    expect([...world.pool.endpoints].filter(endpoint => endpoint.health.kind === 'out').length).toBe(most);
  });

  it('ignores what began before the last change of state', async () => {
    const world = makePool({ instances: three() });
    const late = Array.from({ length: 3 }, () => world.pool.acquire(makeCall(world.runtime))).find(
      ({ endpoint }) => endpoint.instance.id === 'a',
    )!;
    fail('a', world);
    await world.runtime.advance(5_000);
    world.pool.refresh(world.runtime.now());
    expect(state(world, 'a')).toBe('trial');
    late.settle(FAILURE, world.runtime.now());
    expect(state(world, 'a')).toBe('trial');
  });

  it('counts the time until the next probe from the start of one that hung', async () => {
    const world = makePool({ instances: three() });
    fail('a', world);
    await world.runtime.advance(5_000);
    const probe = world.pool.acquire(makeCall(world.runtime, retryable));
    await world.runtime.advance(5_000);
    probe.settle(FAILURE, world.runtime.now());
    expect(probe.endpoint.availableAt - probe.startedAt).toBeLessThanOrEqual(10_000);
  });

  it('goes on when a probe never ends', async () => {
    const world = makePool({ instances: three() });
    fail('a', world);
    await world.runtime.advance(5_000);
    expect(world.pool.acquire(makeCall(world.runtime, retryable)).endpoint.instance.id).toBe('a');
    expect(picked(world, retryable)).not.toContain('a');
    await world.runtime.advance(10_000);
    expect(world.pool.acquire(makeCall(world.runtime, retryable)).endpoint.instance.id).toBe('a');
  });

  it('leaves an instance alone as long as its Retry-After says, but not longer than maxMs', async () => {
    const world = makePool({ instances: three() });
    const verdict: Verdict = {
      outcome: 'overload',
      retryable: true,
      retryAfterMs: 60_000,
      retryAfterScope: 'instance',
    };
    fail('a', world, { times: 1, verdict });
    expect(state(world, 'a')).toBe('out');
    await world.runtime.advance(7_999);
    expect(picked(world, retryable)).not.toContain('a');
    await world.runtime.advance(2_001);
    expect(picked(world, retryable)).toContain('a');
  });

  it('lets all serve when too few are healthy', () => {
    const world = makePool({ instances: three() });
    const verdict: Verdict = {
      outcome: 'overload',
      retryable: true,
      retryAfterMs: 60_000,
      retryAfterScope: 'instance',
    };
    for (const id of ['a', 'b', 'c']) fail(id, world, { times: 1, verdict });
    expect(new Set(picked(world))).toEqual(new Set(['a', 'b', 'c']));
    expect(world.happened.map(({ type }) => type)).toContain('panic.entered');
  });

  it('tells of down and up, with the reason', async () => {
    const world = makePool({ instances: three() });
    fail('a', world);
    await world.runtime.advance(5_000);
    for (let probes = 0; probes < 2; probes += 1)
      world.pool.acquire(makeCall(world.runtime, retryable)).settle(SUCCESS, world.runtime.now());
    const told = world.happened.filter((happening: Happening) => happening.type.startsWith('instance.'));
    expect(told).toMatchObject([
      { type: 'instance.down', instance: 'a', reason: '5 failures in a row' },
      { type: 'instance.probed', instance: 'a', ok: true },
      { type: 'instance.probed', instance: 'a', ok: true },
      { type: 'instance.up', instance: 'a' },
    ]);
  });
});

describe('slow start', () => {
  const weights = (world: ReturnType<typeof makePool>): number[] => {
    world.pool.refresh(world.runtime.now());
    return [...world.pool.endpoints].map(endpoint => Math.round(endpoint.weight * 10) / 10);
  };

  it('warms up who appears after the first set, in ten steps', async () => {
    const world = makePool({ instances: [makeInstance({ id: 'a' })], balancer: roundRobin() });
    world.pool.update([makeInstance({ id: 'a' }), makeInstance({ id: 'b', port: 2 })]);
    expect(weights(world)).toEqual([1, 0.1]);
    await world.runtime.advance(6_000);
    expect(weights(world)).toEqual([1, 0.2]);
    await world.runtime.advance(23_999);
    expect(weights(world)).toEqual([1, 0.9]);
    await world.runtime.advance(1);
    expect(weights(world)).toEqual([1, 1]);
  });
});
