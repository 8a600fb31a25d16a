import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { isFairleadError, slidingWindow, tokenBucket, type Limiter } from 'fairlead';
import { testRuntime, type TestRuntime } from 'fairlead/testing';

const LIMITERS = {
  'token bucket': (runtime: TestRuntime) => tokenBucket({ perSecond: 10, burst: 2, runtime }),
  'exact window': (runtime: TestRuntime) => slidingWindow({ limit: 2, windowMs: 200, runtime }),
  'counted window': (runtime: TestRuntime) => slidingWindow({ limit: 2, windowMs: 200, exact: false, runtime }),
};

/** Who was served, or why not, and when. */
const watching = (runtime: TestRuntime, limiter: Limiter) => {
  const log: string[] = [];
  const wait = (name: string, n: number, options?: Parameters<Limiter['acquire']>[1]): void =>
    void limiter.acquire(n, options).then(
      () => log.push(`${name} ${Math.round(runtime.now())}`),
      (error: unknown) =>
        log.push(`${name} ${isFairleadError(error) ? error.code : String(error)} ${Math.round(runtime.now())}`),
    );
  return { log, wait };
};

describe.each(Object.entries(LIMITERS))('the line of a %s', (_name, make) => {
  it('serves in order of arrival, and lets nobody overtake', async () => {
    const runtime = testRuntime();
    const limiter = make(runtime);
    const { log, wait } = watching(runtime, limiter);
    limiter.tryAcquire(2);
    wait('two', 2);
    wait('one', 1);
    await runtime.advance(150);
    expect([limiter.tryAcquire(), limiter.snapshot().waiting]).toEqual([false, 2]);
    await runtime.advance(1_000);
    expect(log.map(line => line.split(' ')[0])).toEqual(['two', 'one']);
    expect(limiter.snapshot().waiting).toBe(0);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('who gives up leaves nothing behind, and makes room for the next', async () => {
    const runtime = testRuntime();
    const limiter = make(runtime);
    const { log, wait } = watching(runtime, limiter);
    limiter.tryAcquire(2);
    const abort = new AbortController();
    wait('a', 2, { signal: abort.signal });
    wait('b', 1);
    await runtime.advance(50);
    abort.abort('changed my mind');
    await runtime.advance(1_000);
    expect(log[0]).toBe('a changed my mind 50');
    expect(Number(log[1]!.split(' ')[1])).toBeLessThanOrEqual(300);
    expect(runtime.pendingTimers).toBe(0);
    expect(limiter.freshAt()).toBeLessThanOrEqual(runtime.now() + 400);
  });

  it('an aborted signal, a wait that would be too long and one without end are refused at once', async () => {
    const runtime = testRuntime();
    const limiter = make(runtime);
    const { log, wait } = watching(runtime, limiter);
    wait('aborted', 1, { signal: AbortSignal.abort('no') });
    limiter.tryAcquire(2);
    wait('long', 2, { maxWaitMs: 99 });
    wait('endless', 3);
    await runtime.settle();
    expect(log).toEqual(['aborted no 0', 'long RATE_LIMITED 0', 'endless RATE_LIMITED 0']);
    const refused = await limiter.acquire(1, { maxWaitMs: 0 }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: limiter.delayMs() });
    expect(runtime.pendingTimers).toBe(0);
  });

  it('what is given back goes to who waits', async () => {
    const runtime = testRuntime();
    const limiter = make(runtime);
    const { log, wait } = watching(runtime, limiter);
    limiter.tryAcquire(2);
    wait('a', 1);
    await runtime.advance(10);
    limiter.giveBack(1, 0);
    await runtime.settle();
    expect(log).toEqual(['a 10']);
  });

  it('has one listener on a signal that many wait with, and none once they are served', async () => {
    const runtime = testRuntime();
    const limiter = make(runtime);
    const { signal } = new AbortController();
    const all = Promise.all([1, 2, 1, 1].map(n => limiter.acquire(n, { signal })));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await runtime.advance(2_000);
    await all;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('the line when the rule changes', () => {
  it('a higher rate serves sooner, and rate 0 nobody until it rises again', async () => {
    const runtime = testRuntime();
    const bucket = tokenBucket({ perSecond: 1, burst: 1, runtime });
    const { log, wait } = watching(runtime, bucket);
    bucket.tryAcquire();
    for (const name of ['a', 'b', 'c']) wait(name, 1);
    await runtime.advance(500);
    bucket.update({ perSecond: 10 });
    await runtime.advance(60);
    bucket.update({ perSecond: 0 });
    await runtime.advance(10_000);
    expect(runtime.pendingTimers).toBe(0);
    bucket.update({ perSecond: Infinity });
    await runtime.settle();
    expect(log).toEqual(['a 550', 'b 10560', 'c 10560']);
  });

  it('a lower rate refuses at once who would now wait too long; a burst too small for him, too', async () => {
    const runtime = testRuntime();
    const bucket = tokenBucket({ perSecond: 10, burst: 2, runtime });
    const { log, wait } = watching(runtime, bucket);
    bucket.tryAcquire(2);
    wait('patient', 1);
    wait('hasty', 1, { maxWaitMs: 300 });
    wait('large', 2);
    bucket.update({ perSecond: 5, burst: 1 });
    await runtime.advance(200);
    expect(log).toEqual(['hasty RATE_LIMITED 0', 'large RATE_LIMITED 0', 'patient 200']);
  });

  it('a higher limit of a window serves at once', async () => {
    const runtime = testRuntime();
    const window = slidingWindow({ limit: 1, windowMs: 1_000, runtime });
    const { log, wait } = watching(runtime, window);
    window.tryAcquire();
    wait('a', 1);
    await runtime.advance(10);
    window.update({ limit: 2 });
    await runtime.settle();
    expect(log).toEqual(['a 10']);
  });
});

it('ten thousand who give up together cost no quadratic time', async () => {
  const runtime = testRuntime();
  const bucket = tokenBucket({ perSecond: 1, burst: 1, runtime });
  const abort = new AbortController();
  const all = Promise.allSettled(Array.from({ length: 10_000 }, () => bucket.acquire(1, { signal: abort.signal })));
  abort.abort();
  await all;
  expect(bucket.snapshot().waiting).toBe(0);
  expect(runtime.pendingTimers).toBe(0);
});
