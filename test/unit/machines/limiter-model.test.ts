import { describe, expect, it } from 'vitest';
import { slidingWindow, tokenBucket } from 'fairlead';
import { seededRandom, testRuntime } from 'fairlead/testing';
import { BucketQuota } from '../../../src/machines/token-bucket-quota.js';

/** Asserted a hundred thousand times: `expect` would take most of the time. */
const same = (where: readonly unknown[], actual: unknown, expected: unknown): void => {
  if (!Object.is(actual, expected))
    expect.fail(`seed and step ${where.join(', ')}: expected ${String(expected)}, got ${String(actual)}`);
};

const SEEDS = [1, 7, 42, 1_234, 99_991];

/** Random steps against the simplest thing that could be right. A failure names the seed and the step. */
describe.each(SEEDS)('random operations, seed %i', seed => {
  const times = (random: () => number): (() => number) => {
    let now = random() * 1e6;
    return () => {
      const kind = random();
      if (kind < 0.002) return (now += 3_600_000);
      if (kind < 0.3) return now;
      return (now += kind < 0.9 ? random() * 20 : random() * 2_000);
    };
  };

  it('an exact window holds what a list of times would', () => {
    const random = seededRandom(seed);
    const next = times(random);
    let limit = 1 + Math.floor(random() * 40);
    const windowMs = 50 + random() * 1_000;
    const clock = { now: 0 };
    const runtime = Object.assign(testRuntime(), { now: () => clock.now });
    const window = slidingWindow({ limit, windowMs, runtime });
    let model: number[] = [];
    for (let step = 0; step < 5_000; step += 1) {
      const now = (clock.now = next());
      const n = random() < 0.8 ? 1 : Math.floor(random() * 5);
      model = model.filter(at => at > now - windowMs);
      const action = random();
      if (action < 0.85) {
        const fits = model.length + n <= limit;
        same([seed, step], window.tryAcquire(n), fits);
        if (fits) model.push(...Array.from({ length: n }, () => now));
      } else if (action < 0.95 && model.length > 0) {
        const given = model[Math.floor(random() * model.length)]!;
        model.splice(model.lastIndexOf(given), 1);
        window.giveBack(1, given);
      } else if (action > 0.99) {
        limit = 1 + Math.floor(random() * 40);
        window.update({ limit });
      }
      same([seed, step], window.snapshot().available, Math.max(0, limit - model.length));
    }
  });

  it('a counted window never estimates otherwise than its formula', () => {
    const random = seededRandom(seed);
    const next = times(random);
    const limit = 1 + Math.floor(random() * 40);
    const windowMs = 50 + random() * 1_000;
    const window = slidingWindow({ limit, windowMs, exact: false, runtime: testRuntime() });
    let startedAt = NaN;
    let current = 0;
    let previous = 0;
    for (let step = 0; step < 5_000; step += 1) {
      const now = next();
      if (Number.isNaN(startedAt) || now - startedAt >= 2 * windowMs) [startedAt, previous, current] = [now, 0, 0];
      else if (now - startedAt >= windowMs) [startedAt, previous, current] = [startedAt + windowMs, current, 0];
      const usedAt = (at: number): number => {
        const passed = (at - startedAt) / windowMs;
        return passed < 1 ? current + previous * (1 - passed) : current * (2 - passed);
      };
      const fits = usedAt(now) + 1 <= limit + 1e-6;
      const delayMs = window.delayMs(1, now);
      same([seed, step], window.tryAcquire(1, now), fits);
      same([seed, step], delayMs === 0, fits);
      if (fits) current += 1;
      // Its word on when is right: not before, and then surely.
      else {
        same([seed, step], usedAt(now + delayMs) + 1 <= limit + 1e-5, true);
        same([seed, step], usedAt(now + delayMs * 0.99) + 1 > limit, true);
      }
    }
  });

  it('a bucket lets through no more than burst + rate × time, and all of that to who keeps asking', () => {
    const random = seededRandom(seed);
    const next = times(random);
    const perSecond = 1 + random() * 500;
    const burst = 1 + Math.floor(random() * 50);
    const bucket = tokenBucket({ perSecond, burst, runtime: testRuntime() });
    let tokens = burst;
    let at = 0;
    for (let step = 0; step < 5_000; step += 1) {
      const now = next();
      // Readings come late, and then give nothing: the model sees the clock itself.
      const late = random() < 0.2 ? now - random() * 100 : now;
      if (step === 0) at = late;
      if (late > at) [tokens, at] = [Math.min(burst, tokens + ((late - at) * perSecond) / 1_000), late];
      const n = random() < 0.8 ? 1 : Math.floor(random() * 5);
      const fits = n <= tokens + 1e-6 && n <= burst;
      // Sums of fractions differ by their order: what is that close may go either way.
      const close = Math.abs(tokens - n) < 1e-3;
      const ok = bucket.tryAcquire(n, late);
      if (!close) same([seed, step], ok, fits);
      if (ok) tokens -= n;
    }
  });

  it('reservations keep the rate: no window holds more than burst + rate × its length, whatever is cancelled', () => {
    const random = seededRandom(seed);
    const [perSecond, burst] = [10, 5];
    const quota = new BucketQuota(perSecond, burst);
    let live: { n: number; dueAt: number; perSecond: number }[] = [];
    const acted: { n: number; dueAt: number }[] = [];
    for (let step = 0, now = 0; step < 2_000; step += 1) {
      now += random() * 150;
      acted.push(...live.filter(({ dueAt }) => dueAt <= now));
      live = live.filter(({ dueAt }) => dueAt > now);
      if (random() < 0.7) {
        const n = 1 + Math.floor(random() * burst);
        live.push({ n, dueAt: quota.reserve(n, now), perSecond });
      } else if (live.length > 0) {
        const [gone] = live.splice(Math.floor(random() * live.length), 1);
        quota.cancel(gone!, now);
      }
    }
    acted.sort((a, b) => a.dueAt - b.dueAt);
    for (let from = 0; from < acted.length; from += 1)
      for (let to = from, sum = 0; to < Math.min(acted.length, from + 60); to += 1) {
        sum += acted[to]!.n;
        const most = burst + ((acted[to]!.dueAt - acted[from]!.dueAt) * perSecond) / 1_000;
        same([seed, from], sum <= most + 1e-3, true);
      }
  });

  it('whoever waits is served or told why, in order, and nothing is left', async () => {
    const random = seededRandom(seed);
    const runtime = testRuntime({ seed });
    const bucket = tokenBucket({ perSecond: 20, burst: 4, runtime });
    const served: number[] = [];
    const settled: Promise<void>[] = [];
    let asked = 0;
    let taken = 0;
    const aborts: AbortController[] = [];
    for (let step = 0; step < 300; step += 1) {
      const kind = random();
      if (kind < 0.5) {
        const abort = new AbortController();
        const n = 1 + Math.floor(random() * 4);
        const id = (asked += 1);
        aborts.push(abort);
        const maxWaitMs = random() < 0.3 ? random() * 500 : undefined;
        const wait = bucket.acquire(n, { signal: abort.signal, maxWaitMs });
        settled.push(
          wait.then(
            () => void (served.push(id), (taken += n)),
            () => undefined,
          ),
        );
      } else if (kind < 0.6) aborts[Math.floor(random() * aborts.length)]?.abort(0);
      else if (kind < 0.65) bucket.update({ perSecond: 1 + random() * 40 });
      else await runtime.advance(random() * 100);
    }
    bucket.update({ perSecond: 1_000 });
    await runtime.advance(60_000);
    await Promise.all(settled);
    expect([seed, served]).toEqual([seed, [...served].sort((a, b) => a - b)]);
    expect([seed, bucket.snapshot().waiting, runtime.pendingTimers]).toEqual([seed, 0, 0]);
    expect(taken).toBeGreaterThan(0);
  });
});
