import { describe, expect, it } from 'vitest';
import { Cancellation, tokenBucket, type Call, type FairleadError, type Limiter } from 'fairlead';
import { testRuntime, type TestRuntime } from 'fairlead/testing';
import { asDispatch, asStage } from '../../../src/core/flow.js';
import { rateLimit } from '../../../src/layers/rate-limit.js';

/** A call as far as this layer looks at it. */
const makeCall = (runtime: TestRuntime, deadlineMs = Infinity) => {
  const releases: (() => void)[] = [];
  const call = {
    service: 'users',
    startedAt: runtime.now(),
    now: runtime.now(),
    deadlineAt: runtime.now() + deadlineMs,
    cancellation: new Cancellation(),
    record: { attempts: 0, queuedMs: 0, endedBy: 'running', notes: {} },
    atEnd: <T>(release: (held: T) => void, held: T) => void releases.push(() => release(held)),
  };
  return { call: call as unknown as Call, end: () => releases.splice(0).forEach(release => release()) };
};

const setUp = (mode: 'reject' | 'wait', options: { limiter?: Limiter; layersMayWait?: boolean } = {}) => {
  const runtime = testRuntime();
  const limiter = options.limiter ?? tokenBucket({ perSecond: 10, burst: 1 });
  const sent: number[] = [];
  const next = (): Promise<string> => {
    sent.push(runtime.now());
    return Promise.resolve('answer');
  };
  const stage = rateLimit<string>({ limiter, mode, runtime, layersMayWait: options.layersMayWait ?? false });
  const layer = asDispatch(stage(asStage<string>(() => next)(() => undefined)));
  return { runtime, limiter, sent, layer };
};

describe('rateLimit, the layer', () => {
  it('takes one permit, and keeps it when an attempt was made', async () => {
    const { runtime, limiter, layer } = setUp('reject');
    const { call, end } = makeCall(runtime);
    expect(await layer(call)).toBe('answer');
    call.record.attempts = 1;
    end();
    expect(limiter.snapshot().available).toBe(0);
  });

  it('gives it back when the call ends without one, and the next in line has it', async () => {
    const { runtime, layer, sent } = setUp('wait');
    const first = makeCall(runtime);
    await layer(first.call);
    const waiting = layer(makeCall(runtime).call);
    await runtime.advance(30);
    first.end();
    await runtime.settle();
    expect(await waiting).toBe('answer');
    expect(sent).toEqual([0, 30]);
  });

  it('a second round of a call that was redirected is a request of its own', async () => {
    const { runtime, limiter, layer } = setUp('reject', { limiter: tokenBucket({ perSecond: 0, burst: 2 }) });
    const { call, end } = makeCall(runtime);
    await layer(call);
    call.record.attempts = 1;
    end();
    await layer(call);
    end();
    expect(limiter.snapshot().available).toBe(1);
  });

  it('reads the clock anew where layers above may have taken time', async () => {
    const { runtime, layer } = setUp('reject', { layersMayWait: true });
    const [a, b] = [makeCall(runtime), makeCall(runtime)];
    await layer(a.call);
    await runtime.advance(100);
    expect(await layer(b.call)).toBe('answer');
    expect(b.call.now).toBe(100);
  });

  it.each<[string, number, string | undefined]>([
    ['exactly as long as there is time: waits', 100, undefined],
    [
      'a millisecond longer: refused',
      99,
      'users: rate limited (10/s, burst 1), retry in 100 ms, later than its deadline',
    ],
  ])('a wait %s', async (_name, deadlineMs, message) => {
    const { runtime, layer } = setUp('wait');
    await layer(makeCall(runtime).call);
    const { call } = makeCall(runtime, deadlineMs);
    const end = layer(call).catch((error: Error) => error.message);
    await runtime.advance(100);
    expect(await end).toBe(message ?? 'answer');
    expect(call.record).toMatchObject(message === undefined ? { queuedMs: 100 } : { endedBy: 'refused' });
  });

  it('nothing will ever be free: no retry will help, and there is no retryAfterMs', async () => {
    const { runtime, layer } = setUp('reject', { limiter: tokenBucket({ perSecond: 0, burst: 0 }) });
    const error: unknown = await layer(makeCall(runtime).call).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: 'users: rate limited (0/s, burst 0), no retry will help' });
    expect((error as FairleadError).retryAfterMs).toBeUndefined();
  });

  it('cancelled while it waits: the reason, and its place goes to the next', async () => {
    const { runtime, limiter, layer } = setUp('wait');
    await layer(makeCall(runtime).call);
    const [a, b] = [makeCall(runtime), makeCall(runtime)];
    const ends = [layer(a.call).catch((reason: unknown) => reason), layer(b.call)];
    a.call.cancellation.cancel('deadline');
    await runtime.advance(100);
    expect(await Promise.all(ends)).toEqual(['deadline', 'answer']);
    expect(limiter.snapshot().waiting).toBe(0);
  });
});
