import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { keyed, slidingWindow, tokenBucket } from 'fairlead';
import { seededRandom, testRuntime } from 'fairlead/testing';

const byText = (text: string): string => text;

describe('keyed', () => {
  it('counts each key for itself, and not who has none', () => {
    const runtime = testRuntime();
    const make = () => tokenBucket({ perSecond: 1, burst: 1 });
    const limits = keyed(make, (who: string) => (who === 'admin' ? undefined : who), { runtime });
    expect(['a', 'a', 'b', 'b'].map(who => limits.of(who)!.tryAcquire())).toEqual([true, false, true, false]);
    expect(limits.of('admin')).toBeUndefined();
    expect(limits.snapshot()).toEqual({ rule: '1/s, burst 1 for each key', available: null, waiting: 0, keys: 2 });
  });

  it('hands its runtime on to the limiters that it makes', async () => {
    const runtime = testRuntime();
    const limits = keyed(() => tokenBucket({ perSecond: 1, burst: 1 }), byText, { runtime });
    limits.of('a')!.tryAcquire();
    await runtime.advance(1_000);
    expect(limits.of('a')!.tryAcquire()).toBe(true);
  });

  it('forgets a key that is as good as new, never one that is not: then a new key is refused', async () => {
    const runtime = testRuntime();
    const limits = keyed(() => slidingWindow({ limit: 1, windowMs: 1_000 }), byText, { maxKeys: 2, runtime });
    limits.of('a')!.tryAcquire();
    await runtime.advance(400);
    limits.of('b')!.tryAcquire();
    const refused = limits.of('c')!;
    expect([refused.tryAcquire(), refused.delayMs(), limits.size]).toEqual([false, 600, 2]);
    await expect(refused.acquire()).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 600 });
    await runtime.advance(599);
    expect([limits.of('c')!.tryAcquire(), limits.of('a')!.tryAcquire()]).toEqual([false, false]);
    await runtime.advance(1);
    expect([limits.of('c')!.tryAcquire(), limits.of('b')!.tryAcquire(), limits.size]).toEqual([true, false, 2]);
  });

  it('does not forget who waits, and lets go of it later', async () => {
    const runtime = testRuntime();
    const limits = keyed(() => tokenBucket({ perSecond: 1, burst: 1 }), byText, { maxKeys: 1, runtime });
    limits.of('a')!.tryAcquire();
    const waiting = limits.of('a')!.acquire();
    expect(limits.of('b')!.tryAcquire()).toBe(false);
    await runtime.advance(1_000);
    await waiting;
    expect(limits.of('b')!.tryAcquire()).toBe(false);
    await runtime.advance(1_000);
    expect(limits.of('b')!.tryAcquire()).toBe(true);
  });

  it('a clock that was set back does not keep new keys out for an hour', async () => {
    const runtime = testRuntime();
    const limits = keyed(() => slidingWindow({ limit: 1, windowMs: 100 }), byText, { maxKeys: 1, runtime });
    const at = 3_600_000;
    limits.of('a', at)!.tryAcquire(1, at);
    expect(limits.of('b', at)!.tryAcquire(1, at)).toBe(false);
    expect(limits.of('b', 200)!.tryAcquire(1, 200)).toBe(false);
    await runtime.advance(500);
    expect(limits.of('b', 500)!.tryAcquire(1, 500)).toBe(true);
  });

  it('a key as long as anybody likes takes no more memory than a short one, and stays itself', () => {
    const limits = keyed(() => tokenBucket({ perSecond: 0, burst: 1 }), byText, { runtime: testRuntime() });
    const long = 'x'.repeat(100_000);
    expect([`${long}1`, `${long}2`, `${long}1`].map(key => limits.of(key)!.tryAcquire())).toEqual([true, true, false]);
  });

  it('a key function with a fault gives one key for all, and one warning', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    onTestFinished(() => warn.mockRestore());
    const faulty = (subject: number): string => {
      if (subject === 1) throw new Error('no such tenant');
      return subject as unknown as string;
    };
    const limits = keyed(() => tokenBucket({ perSecond: 0, burst: 1 }), faulty, { runtime: testRuntime() });
    expect([1, 2, 1].map(subject => limits.of(subject)!.tryAcquire())).toEqual([true, false, false]);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toMatch(/the key of a limiter threw: .*no such tenant/);
  });

  it('no key ever gets more than its share, whatever comes, within the memory it was given', () => {
    const seed = 20_261;
    const random = seededRandom(seed);
    const limits = keyed(() => slidingWindow({ limit: 3, windowMs: 1_000 }), byText, {
      maxKeys: 20,
      runtime: testRuntime(),
    });
    const taken = new Map<string, number[]>();
    let served = 0;
    for (let step = 0, now = 0; step < 20_000; step += 1) {
      now += random() < 0.01 ? 2_000 * random() : 20 * random();
      // A few keys that come often, and many that come once.
      const key = random() < 0.5 ? `often-${Math.floor(random() * 5)}` : `once-${step}`;
      if (!limits.of(key, now)!.tryAcquire(1, now)) continue;
      served += 1;
      const times = (taken.get(key) ?? []).filter(at => at > now - 1_000);
      taken.set(key, [...times, now]);
      if (times.length >= 3 || limits.size > 20)
        expect.fail(`seed ${seed}, step ${step}: ${key} got ${times.length + 1}, ${limits.size} keys`);
    }
    expect(served).toBeGreaterThan(1_000);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'a limiter instead of a function',
      () => keyed(tokenBucket({ perSecond: 1 }) as never, byText),
      /expected a function that makes a limiter; write keyed\(\(\) =>/,
    ],
    [
      'no key',
      () => keyed(() => tokenBucket({ perSecond: 1 }), undefined as never),
      /expected a function that returns the key/,
    ],
    [
      'no room at all',
      () => keyed(() => tokenBucket({ perSecond: 1 }), byText, { maxKeys: 0 }),
      /keyed\.maxKeys: expected a whole number >= 1/,
    ],
  ])('options: %s', (_name, make, message) => {
    expect(make).toThrow(message);
  });
});
