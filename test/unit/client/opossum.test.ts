import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as realTime } from 'node:timers/promises';
import Opossum from 'opossum';
import { describe, expect, it } from 'vitest';
import type { OpossumBreaker } from 'fairlead';
import { testRuntime, type TestRuntime } from 'fairlead/testing';
import { ServiceBreaker } from '../../../src/client/service-breaker.js';
import { resolveCircuitBreaker, type CircuitBreakerOptions } from '../../../src/client/options/circuit-breaker.js';
import { FAILURE, IGNORED, SUCCESS, TIMED_OUT } from '../../../src/core/outcome.js';

const require = createRequire(import.meta.url);

interface Fixture {
  readonly breaker: ServiceBreaker;
  readonly handle: OpossumBreaker;
  readonly runtime: TestRuntime;
  /** A call of so many ms that ends with the verdict; false if refused. */
  run(verdict: typeof SUCCESS, ms?: number, error?: unknown): Promise<boolean>;
}

const make = (options: CircuitBreakerOptions = {}): Fixture => {
  const runtime = testRuntime();
  const policy = resolveCircuitBreaker(options);
  if (policy === false) throw new Error('off');
  const works = (): boolean => false;
  const breaker = new ServiceBreaker({ service: 'orders', policy, runtime, events: { emit: undefined }, works });
  const run: Fixture['run'] = async (verdict, ms = 0, error) => {
    const ticket = breaker.enter(runtime.now());
    if (ticket < 0) {
      breaker.refusal({ service: 'orders', now: runtime.now() } as never);
      return false;
    }
    await runtime.advance(ms);
    if (error !== undefined) breaker.failed(error);
    breaker.leave(ticket, verdict, runtime.now());
    return true;
  };
  return { breaker, handle: breaker.handle, runtime, run };
};

/** 12 successes, 8 failures of which 3 timed out, 1 ignored; 20 failures more, which open it; 4 refused. */
const history = async ({ run }: Fixture): Promise<void> => {
  for (let nth = 0; nth < 12; nth += 1) await run(SUCCESS, 3);
  for (let nth = 0; nth < 5; nth += 1) await run(FAILURE, 5);
  for (let nth = 0; nth < 3; nth += 1) await run(TIMED_OUT, 50);
  await run(IGNORED);
  for (let nth = 0; nth < 24; nth += 1) await run(FAILURE);
};

describe('the instance', () => {
  it('is one of opossum’s, under the service’s name', () => {
    const { handle } = make({ failureRatio: 0.4, openMs: 7_000 });
    expect(handle).toBeInstanceOf(Opossum);
    expect(handle).toBeInstanceOf(EventEmitter);
    expect(handle).toMatchObject({
      name: 'orders',
      group: 'orders',
      options: { errorThresholdPercentage: 40, resetTimeout: 7_000, rollingCountTimeout: 10_000 },
    });
  });

  it('counts what happened, when it happened', async () => {
    const fixture = make();
    await history(fixture);
    const { handle, runtime } = fixture;
    expect(handle.opened).toBe(true);
    expect(handle.stats).toMatchObject({ fires: 26, successes: 12, failures: 13, timeouts: 3, rejects: 19 });
    expect(handle.stats.latencyTimes).toEqual([]);
    await runtime.advance(10_000);
    expect(handle.stats).toMatchObject({ fires: 0, successes: 0, failures: 0, rejects: 0 });
  });

  it('its window turns though nobody calls, also for who kept the status', async () => {
    const fixture = make();
    const { status } = fixture.handle;
    await fixture.run(FAILURE);
    await fixture.runtime.advance(9_999);
    expect([status.stats.failures, status.window.at(-1)?.failures]).toEqual([1, 1]);
    await fixture.runtime.advance(1);
    expect([status.stats.failures, status.window.length]).toEqual([0, 10]);
  });

  it('keeps no latency, however many calls', async () => {
    const { handle, run } = make();
    for (let nth = 0; nth < 1_000; nth += 1) await run(SUCCESS);
    expect(handle.status.window.every(({ latencyTimes }) => latencyTimes.length === 0)).toBe(true);
  });

  it('tells each change once, and half-open as soon as anybody looks', async () => {
    const { handle, runtime, run } = make({ minCalls: 1 });
    const told: unknown[] = [];
    for (const name of ['open', 'halfOpen', 'close', 'reject'])
      handle.on(name, (subject: unknown) => told.push([name, subject instanceof Error ? subject.message : subject]));
    await run(FAILURE);
    await run(SUCCESS);
    await runtime.advance(5_000);
    expect([handle.closed, handle.opened, handle.halfOpen, handle.pendingClose]).toEqual([false, false, true, true]);
    await run(FAILURE);
    expect(handle.opened).toBe(true);
    await runtime.advance(10_000);
    // More successes than one are needed: opossum by itself would close at the first.
    await run(SUCCESS);
    expect(handle.halfOpen).toBe(true);
    await run(SUCCESS);
    await run(SUCCESS);
    expect(told).toEqual([
      ['open', undefined],
      ['reject', 'orders: circuit open, retry in 5000 ms (1 of 1 attempts failed in 10 s)'],
      ['halfOpen', 5_000],
      ['open', undefined],
      ['halfOpen', 5_000],
      ['close', undefined],
    ]);
    expect(handle.toJSON()).toMatchObject({ state: { name: 'orders', closed: true, open: false, halfOpen: false } });
  });

  it('listeners get latency and error', async () => {
    const { handle, run } = make();
    const told: unknown[] = [];
    for (const name of ['success', 'failure', 'timeout'])
      handle.on(name, (subject: unknown, ms: number) => told.push([name, String(subject), ms]));
    await run(SUCCESS, 12);
    await run(FAILURE, 7, new Error('reset'));
    await run(TIMED_OUT, 50, new Error('late'));
    await run(FAILURE, 1);
    expect(told).toEqual([
      ['success', 'undefined', 12],
      ['failure', 'Error: reset', 7],
      ['timeout', 'Error: late', 50],
      ['failure', 'Error: late', 50],
      ['failure', 'Error: orders: the answer was a failure', 1],
    ]);
  });

  it.each(['fire', 'success'])('counts the same before, while and after somebody listens to %s', async event => {
    const { handle, run } = make();
    let heard = 0;
    const listener = (): void => void (heard += 1);
    const counted: number[][] = [];
    for (const change of [() => handle.on(event, listener), () => handle.off(event, listener), () => handle]) {
      await run(SUCCESS, 3);
      await run(FAILURE, 3);
      counted.push([handle.stats.fires, handle.stats.successes, handle.stats.failures, heard]);
      change();
    }
    const each = event === 'fire' ? 2 : 1;
    expect(counted).toEqual([
      [2, 1, 1, 0],
      [4, 2, 2, each],
      [6, 3, 3, each],
    ]);
    handle.removeAllListeners(event);
    await run(SUCCESS, 3);
    // It is opossum's own listener that counts: who takes it away takes the count away.
    expect(handle.stats[event === 'fire' ? 'fires' : 'successes']).toBe(event === 'fire' ? 6 : 3);
  });

  it('a failure is never told with the error of an attempt that was not counted', async () => {
    const fixture = make();
    const told: string[] = [];
    fixture.handle.on('failure', (error: Error) => told.push(error.message));
    await fixture.run(IGNORED, 1, new Error('nobody counts this'));
    await fixture.run(FAILURE);
    fixture.handle.disable();
    await fixture.run(FAILURE, 1, new Error('nor this'));
    fixture.handle.enable();
    await fixture.run(FAILURE);
    expect(told).toEqual(Array(2).fill('orders: the answer was a failure'));
  });

  it('a listener of failure may open it, and one of success close it', async () => {
    const { handle, run } = make();
    handle.on('failure', () => handle.open());
    await run(FAILURE);
    expect(handle.opened).toBe(true);
    handle.close();
    expect(handle.closed).toBe(true);
  });

  it('a listener that changes it again: all are told in order', async () => {
    const told: string[] = [];
    const runtime = testRuntime();
    const policy = resolveCircuitBreaker({ minCalls: 1 });
    if (policy === false) throw new Error('off');
    const emit = ({ type }: { type: string }): void => void told.push(type);
    const breaker = new ServiceBreaker({ service: 'orders', policy, runtime, events: { emit }, works: () => false });
    const { handle } = breaker;
    handle.on('open', () => {
      handle.close();
      told.push(`after close(): ${handle.closed ? 'closed' : 'open'}`);
    });
    handle.on('close', () => told.push('close'));
    breaker.leave(breaker.enter(0), FAILURE, 0);
    expect(told).toEqual(['after close(): closed', 'breaker.opened', 'close', 'breaker.closed']);
    expect(handle.closed).toBe(true);
  });

  it('has no timer of its own on the real clock, open or not', async () => {
    const before = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
    const fixtures = Array.from({ length: 50 }, () => make({ openMs: 10 }));
    for (const { handle } of fixtures) handle.open();
    await realTime(30);
    expect(fixtures.every(({ handle }) => handle.opened)).toBe(true);
    const after = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
    expect(after).toBeLessThan(before + 25);
  });
});

it('opossum-prometheus reads the right counts', async () => {
  const Metrics = require('opossum-prometheus') as new (options: object) => {
    readonly metrics: Promise<string> | string;
  };
  const { Registry } = createRequire(require.resolve('opossum-prometheus'))('prom-client') as {
    Registry: new () => object;
  };
  const fixture = make();
  const exporter = new Metrics({ circuits: [fixture.handle], registry: new Registry() });
  await history(fixture);
  const text = await exporter.metrics;
  const count = (event: string): string | undefined =>
    new RegExp(`^circuit\\{name="orders",event="${event}"\\} (.*)$`, 'm').exec(text)?.[1];
  expect(
    Object.fromEntries(['fire', 'success', 'failure', 'timeout', 'reject', 'open'].map(e => [e, count(e)])),
  ).toEqual({ fire: '26', success: '12', failure: '13', timeout: '3', reject: '19', open: '1' });
  expect(text).toContain('circuit_perf_sum{name="orders",event="success"} 36');
});

it('a Hystrix stream gets a snapshot each tenth of the window, as long as it listens', async () => {
  const HystrixStats = require('opossum-hystrix') as new (circuits: unknown[]) => {
    getHystrixStream(): NodeJS.ReadableStream;
    shutdown(): void;
  };
  const fixture = make();
  const { runtime, handle } = fixture;
  expect(runtime.pendingTimers).toBe(0);
  const stats = new HystrixStats([handle]);
  const lines: Record<string, unknown>[] = [];
  stats.getHystrixStream().on('data', (chunk: Buffer) => {
    lines.push(JSON.parse(String(chunk).replace(/^data: /, '')) as Record<string, unknown>);
  });
  await history(fixture);
  await runtime.advance(1_000);
  expect(lines.at(-1)).toMatchObject({
    type: 'HystrixCommand',
    name: 'orders',
    isCircuitBreakerOpen: true,
    requestCount: 26,
    errorCount: 13,
    errorPercentage: 50,
    rollingCountSuccess: 12,
    rollingCountTimeout: 3,
    rollingCountShortCircuited: 19,
    propertyValue_circuitBreakerErrorThresholdPercentage: 50,
    propertyValue_circuitBreakerSleepWindowInMilliseconds: 5_000,
  });
  await runtime.advance(11_000);
  expect(lines.at(-1)).toMatchObject({ requestCount: 0, errorCount: 0 });
  expect(lines).toHaveLength(12);
  stats.shutdown();
  await runtime.advance(3_000);
  expect(runtime.pendingTimers).toBe(0);
});
