import { describe, expect, it } from 'vitest';
import { tokenBucket, type TokenBucketOptions } from 'fairlead';
import { testRuntime } from 'fairlead/testing';

// Named instants, 100 ms apart; at 10 per second one token flows in between two of them.
const [t0, t1, t2, t3, t4, t9] = [0, 100, 200, 300, 400, 900] as const;
const HOUR = 3_600_000;
const T = 5 * HOUR;

type Take = readonly [at: number, tokens: number, n: number, ok: boolean];

/** The tables of Go's rate_test.go, and what Go has no need to say. */
describe('tokenBucket: tryAcquire', () => {
  it.each<[string, TokenBucketOptions, readonly Take[]]>([
    [
      'burst 1',
      { perSecond: 10, burst: 1 },
      [
        [t0, 1, 1, true],
        [t0, 0, 1, false],
        [t0, 0, 1, false],
        [t1, 1, 1, true],
        [t1, 0, 1, false],
        [t2, 1, 2, false],
        [t2, 1, 1, true],
        [t2, 0, 1, false],
      ],
    ],
    [
      'burst 3',
      { perSecond: 10, burst: 3 },
      [
        [t0, 3, 2, true],
        [t0, 1, 2, false],
        [t0, 1, 1, true],
        [t0, 0, 1, false],
        [t1, 1, 4, false],
        [t2, 2, 1, true],
        [t3, 2, 1, true],
        [t4, 2, 1, true],
        [t4, 1, 1, true],
        [t4, 0, 1, false],
        [t9, 3, 3, true],
        [t9, 0, 0, true],
      ],
    ],
    [
      'a reading that comes late gives no time twice',
      { perSecond: 10, burst: 3 },
      [
        [t1, 3, 1, true],
        [t0, 2, 1, true],
        [t0, 1, 1, true],
        [t0, 0, 1, false],
        [t1, 0, 1, false],
        [t2, 1, 1, true],
        [t2, 0, 1, false],
      ],
    ],
    [
      'a clock that was set back by an hour goes on from there',
      { perSecond: 10, burst: 3 },
      [
        [T, 3, 3, true],
        [T - HOUR, 0, 1, false],
        [T - HOUR + t1, 1, 1, true],
        [T - HOUR + t9, 3, 3, true],
      ],
    ],
    [
      'an hour asleep saves up no more than the burst',
      { perSecond: 10, burst: 3 },
      [
        [t0, 3, 3, true],
        [HOUR, 3, 3, true],
        [HOUR, 0, 1, false],
      ],
    ],
    [
      'rate 0: the burst, once',
      { perSecond: 0, burst: 2 },
      [
        [t0, 2, 2, true],
        [HOUR, 0, 1, false],
      ],
    ],
    ['burst 0: nothing', { perSecond: 10, burst: 0 }, [[t9, 0, 1, false]]],
    ['an infinite rate takes no notice of the burst', { perSecond: Infinity, burst: 0 }, [[t0, Infinity, 1e9, true]]],
    ['an infinite burst', { perSecond: 1, burst: Infinity }, [[t0, Infinity, 1e9, true]]],
    ['as much as flows in in a second, if nothing is said', { perSecond: 5 }, [[t0, 5, 5, true]]],
    ['fractions are exact enough', { perSecond: 0.7692307692307693, burst: 1 }, [[t0, 1, 1, true]]],
  ])('%s', (_name, options, rows) => {
    const bucket = tokenBucket({ ...options, runtime: testRuntime() });
    for (const [at, tokens, n, ok] of rows) {
      const { available } = bucket.snapshot(at);
      expect([at, available ?? Infinity, bucket.tryAcquire(n, at)]).toEqual([at, tokens, ok]);
    }
  });

  it('exactly at the instant when the token is there, and not a millisecond before', () => {
    const bucket = tokenBucket({ perSecond: 3, burst: 1, runtime: testRuntime() });
    for (let taken = 0, now = 0; taken < 1_000; taken += 1) {
      expect(bucket.tryAcquire(1, now)).toBe(true);
      const next = now + bucket.delayMs(1, now);
      expect(bucket.tryAcquire(1, next - 1)).toBe(false);
      now = next;
    }
  });
});

type Step =
  | readonly ['reserve', at: number, n: number, actAt: number]
  | readonly ['cancel', at: number, index: number]
  | readonly ['rate', at: number, perSecond: number, burst: number];

describe('tokenBucket: reserve, after Go', () => {
  const R = 10;
  it.each<[string, number, readonly Step[]]>([
    [
      'in turn',
      2,
      [
        ['reserve', t0, 2, t0],
        ['reserve', t0, 2, t2],
        ['reserve', t3, 2, t4],
      ],
    ],
    [
      'a late reading',
      2,
      [
        ['reserve', t1, 2, t1],
        ['reserve', t0, 2, t3],
      ],
    ],
    [
      'more than the burst: never',
      2,
      [
        ['reserve', t0, 3, Infinity],
        ['reserve', t0, 1, t0],
      ],
    ],
    [
      'the last one, cancelled, is there for the next',
      2,
      [
        ['reserve', t0, 2, t0],
        ['reserve', t0, 2, t2],
        ['cancel', t1, 1],
        ['reserve', t1, 2, t2],
      ],
    ],
    [
      'cancelled too late: nothing comes back',
      2,
      [
        ['reserve', t0, 2, t0],
        ['reserve', t0, 2, t2],
        ['cancel', t3, 1],
        ['reserve', t3, 2, t4],
      ],
    ],
    [
      'what was reserved behind it is not given back: none',
      2,
      [
        ['reserve', t0, 2, t0],
        ['reserve', t0, 1, t1],
        ['reserve', t0, 1, t2],
        ['cancel', t0, 1],
        ['reserve', t0, 1, t3],
      ],
    ],
    [
      'what was reserved behind it is not given back: some',
      2,
      [
        ['reserve', t0, 2, t0],
        ['reserve', t0, 2, t2],
        ['reserve', t0, 1, t3],
        ['cancel', t1, 1],
        ['reserve', t1, 2, t4],
      ],
    ],
    [
      'several cancelled, the last first',
      4,
      [
        ['reserve', t0, 4, t0],
        ['reserve', t0, 3, t3],
        ['reserve', t0, 1, t4],
        ['cancel', t0, 2],
        ['cancel', t0, 1],
        ['reserve', t0, 1, t1],
      ],
    ],
    [
      'cancelled twice counts once',
      2,
      [
        ['reserve', t0, 2, t0],
        ['reserve', t0, 2, t2],
        ['cancel', t0, 1],
        ['cancel', t0, 1],
        ['reserve', t0, 2, t2],
      ],
    ],
    [
      'a higher rate',
      2,
      [
        ['reserve', t0, 2, t0],
        ['reserve', t0, 2, t2],
        ['rate', t1, 2 * R, 2],
        ['reserve', t1, 2, 250],
      ],
    ],
    [
      'a larger burst',
      2,
      [
        ['reserve', t0, 2, t0],
        ['reserve', t0, 2, t2],
        ['rate', t1, R, 4],
        ['reserve', t1, 4, 600],
      ],
    ],
    [
      'rate 0',
      2,
      [
        ['rate', t0, 0, 2],
        ['reserve', t0, 2, t0],
        ['reserve', t0, 1, Infinity],
      ],
    ],
    [
      'no limit',
      0,
      [
        ['rate', t0, Infinity, 0],
        ['reserve', t0, 99, t0],
        ['cancel', t0, 0],
        ['reserve', t0, 99, t0],
      ],
    ],
  ])('%s', async (_name, burst, steps) => {
    const runtime = testRuntime();
    const bucket = tokenBucket({ perSecond: R, burst, runtime });
    const made: ReturnType<typeof bucket.reserve>[] = [];
    for (const step of steps) {
      const at = step[1];
      if (step[0] === 'cancel') made[step[2]]!.cancel(at);
      else if (step[0] === 'rate') {
        await runtime.advance(at - runtime.now());
        bucket.update({ perSecond: step[2], burst: step[3] });
      } else {
        const reservation = bucket.reserve(step[2], at);
        made.push(reservation);
        expect([step, at + reservation.delayMs(at)]).toEqual([step, expect.closeTo(Math.max(at, step[3]), 6)]);
        expect(reservation.ok).toBe(step[3] !== Infinity);
      }
    }
  });

  it('a place behind those who wait, and given up again', async () => {
    const runtime = testRuntime();
    const bucket = tokenBucket({ perSecond: 10, burst: 1, runtime });
    const order: string[] = [];
    bucket.tryAcquire();
    void bucket.acquire().then(() => order.push(`a ${runtime.now()}`));
    const reservation = bucket.reserve();
    void bucket.acquire().then(() => order.push(`b ${runtime.now()}`));
    expect(reservation.delayMs()).toBe(200);
    await runtime.advance(150);
    reservation.cancel();
    await runtime.advance(1_000);
    expect(order).toEqual(['a 100', 'b 200']);
  });
});

describe('tokenBucket: options', () => {
  it.each<[string, unknown, ErrorConstructor, RegExp]>([
    ['none', undefined, TypeError, /tokenBucket: expected perSecond; write tokenBucket\(\{ perSecond: 100/],
    ['a number', 100, TypeError, /tokenBucket: expected an object, got 100; write/],
    ['no rate', {}, TypeError, /tokenBucket: expected perSecond; write/],
    ['a rate below 0', { perSecond: -1 }, RangeError, /tokenBucket\.perSecond: expected a number >= 0, got -1/],
    ['NaN', { perSecond: NaN }, RangeError, /tokenBucket\.perSecond: .*got NaN/],
    [
      'a name that is not known',
      { perSecond: 1, max: 2 },
      TypeError,
      /tokenBucket\.max: no such option; there are perSecond, burst/,
    ],
  ])('%s', (_name, options, type, message) => {
    expect(() => tokenBucket(options as TokenBucketOptions)).toThrow(message);
    expect(() => tokenBucket(options as TokenBucketOptions)).toThrow(type);
  });

  it.each([-1, 0.5, NaN, Infinity])('%d permits would corrupt the count', n => {
    const bucket = tokenBucket({ perSecond: 1, runtime: testRuntime() });
    expect(() => bucket.tryAcquire(n)).toThrow(RangeError);
    expect(() => bucket.giveBack(n)).toThrow(RangeError);
    expect(() => bucket.reserve(n)).toThrow(RangeError);
  });
});
