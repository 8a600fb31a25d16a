import { describe, expect, it } from 'vitest';
import { ADAPTIVE_CONCURRENCY_DEFAULTS } from '../../../src/machines/adaptive-concurrency.js';
import { GradientLimit } from '../../../src/machines/gradient-limit.js';
import { seededRandom } from '../../../src/testing/test-runtime.js';

interface Phase {
  readonly forMs: number;
  /** Calls that come in a second, evenly. */
  readonly perSecond: number;
  readonly workers: number;
  /** How long a worker takes for one. */
  readonly takes: (random: () => number) => number;
}

interface Seen {
  done: number;
  refused: number;
  sumMs: number;
  lowest: number;
}

/** A service with a queue without bound behind the limit, moved by arithmetic: no promises, no timers. */
class Stage {
  readonly limit = new GradientLimit(ADAPTIVE_CONCURRENCY_DEFAULTS, () => 0.5);
  readonly #random = seededRandom(3);
  #now = 1_000;
  #inFlight: { readonly startedAt: number; readonly doneAt: number }[] = [];
  #freeAt: number[] = [];

  run({ forMs, perSecond, workers, takes }: Phase): Seen {
    const seen: Seen = { done: 0, refused: 0, sumMs: 0, lowest: Infinity };
    this.#freeAt = Array.from({ length: workers }, (_, index) => this.#freeAt[index] ?? this.#now);
    const until = this.#now + forMs;
    for (; this.#now < until; this.#now += 1_000 / perSecond) {
      this.#settle(seen);
      seen.lowest = Math.min(seen.lowest, this.limit.limit);
      if (this.#inFlight.length >= this.limit.limit) {
        seen.refused += 1;
        this.limit.refused();
        continue;
      }
      const worker = this.#freeAt.indexOf(Math.min(...this.#freeAt));
      const doneAt = Math.max(this.#now, this.#freeAt[worker]!) + takes(this.#random);
      this.#freeAt[worker] = doneAt;
      this.#inFlight.push({ startedAt: this.#now, doneAt });
      this.#inFlight.sort((a, b) => a.doneAt - b.doneAt);
      this.limit.started(this.#inFlight.length);
    }
    return seen;
  }

  #settle(seen: Seen): void {
    while (this.#inFlight[0] !== undefined && this.#inFlight[0].doneAt <= this.#now) {
      const { startedAt, doneAt } = this.#inFlight.shift()!;
      seen.done += 1;
      seen.sumMs += doneAt - startedAt;
      this.limit.took(startedAt, doneAt);
    }
  }
}

const always = (ms: number) => (): number => ms;
const between = (ms: number) => (random: () => number) => ms * (0.5 + random());

describe('GradientLimit beside a service', () => {
  it('leaves a service with enough capacity alone, at any load: nobody is refused once it has grown, nothing is probed', () => {
    const stage = new Stage();
    stage.run({ forMs: 5_000, perSecond: 1_000, workers: 75, takes: between(50) });
    const seen = stage.run({ forMs: 60_000, perSecond: 1_000, workers: 75, takes: between(50) });
    expect(seen.refused).toBe(0);
    expect(stage.limit.limit).toBeGreaterThan(50);
  });

  it.each([
    ['calls alike', between(20)],
    ['a few that take twenty times as long', (random: () => number) => (random() < 0.05 ? 200 : 10)],
  ])('five times too much (%s): the service stays busy, and its queue short', (_name, takes) => {
    const stage = new Stage();
    const phase = { forMs: 60_000, perSecond: 2_500, workers: 10, takes };
    stage.run(phase);
    const seen = stage.run(phase);
    expect(seen.done / 60).toBeGreaterThan(0.93 * 500);
    expect(seen.sumMs / seen.done).toBeLessThan(3.5 * 20);
  });

  it('a service that becomes five times slower, and then fast again', () => {
    const stage = new Stage();
    stage.run({ forMs: 30_000, perSecond: 2_500, workers: 10, takes: between(10) });
    const slow = { forMs: 60_000, perSecond: 2_500, workers: 10, takes: between(50) };
    expect(stage.run(slow).done / 60).toBeGreaterThan(0.85 * 200);
    expect(stage.run(slow).done / 60).toBeGreaterThan(0.93 * 200);
    const seen = stage.run({ forMs: 60_000, perSecond: 2_500, workers: 10, takes: between(10) });
    expect(seen.done / 60).toBeGreaterThan(0.93 * 1_000);
    expect(seen.sumMs / seen.done).toBeLessThan(3.5 * 10);
  });

  it('does not let a queue that stays pass for the time without load, for ten minutes', () => {
    const stage = new Stage();
    const seen = stage.run({ forMs: 600_000, perSecond: 500, workers: 3, takes: always(10) });
    expect(stage.limit.unloadedMs).toBeLessThan(20);
    expect(stage.limit.limit).toBeLessThan(20);
    expect(seen.done / 600).toBeGreaterThan(0.95 * 300);
  });
});

describe('GradientLimit', () => {
  const grown = (ms: number): GradientLimit => {
    const limit = new GradientLimit(ADAPTIVE_CONCURRENCY_DEFAULTS, () => 0.5);
    feed(limit, { from: 0, ms, windows: 20 });
    return limit;
  };

  /** Windows of 10 calls each that all begin at its start and fill the limit. */
  const feed = (limit: GradientLimit, { from, ms, windows }: { from: number; ms: number; windows: number }): number => {
    let now = from;
    for (let window = 0; window < windows; window += 1) {
      limit.started(limit.limit);
      for (let call = 0; call < 10; call += 1) limit.took(now, now + Math.max(100, ms));
      now += Math.max(100, ms);
    }
    return now;
  };

  it('starts at its first limit, grows by √limit while calls are fast, up to the last', () => {
    const limit = new GradientLimit({ ...ADAPTIVE_CONCURRENCY_DEFAULTS, maxLimit: 30 }, () => 0);
    expect(limit.limit).toBe(20);
    feed(limit, { from: 0, ms: 100, windows: 1 });
    expect(limit.limit).toBe(24);
    feed(limit, { from: 200, ms: 100, windows: 5 });
    expect(limit.limit).toBe(30);
  });

  it('never takes away more than half in a window, nor goes below the least', () => {
    const limit = grown(100);
    const before = limit.limit;
    const now = feed(limit, { from: 10_000, ms: 60_000, windows: 1 });
    expect(limit.limit).toBeGreaterThanOrEqual(Math.floor(before / 2));
    feed(limit, { from: now, ms: 60_000, windows: 30 });
    expect(limit.limit).toBeGreaterThanOrEqual(ADAPTIVE_CONCURRENCY_DEFAULTS.minLimit);
  });

  it('does not grow where half of it is enough', () => {
    const limit = new GradientLimit(ADAPTIVE_CONCURRENCY_DEFAULTS, () => 0);
    for (let window = 0; window < 50; window += 1) {
      limit.started(9);
      for (let call = 0; call < 10; call += 1) limit.took(window * 100, window * 100 + 100);
    }
    expect(limit.limit).toBe(20);
  });

  it('is lowered by requests for less, whatever the time they take', () => {
    const limit = grown(100);
    const before = limit.limit;
    limit.started(before);
    for (let call = 0; call < 10; call += 1) limit.overloaded(5_000, 5_100);
    expect(Math.abs(limit.limit - before * 0.9)).toBeLessThan(1);
  });

  it('passes over calls that began under an earlier limit', () => {
    const limit = grown(100);
    const before = limit.limit;
    for (let call = 0; call < 100; call += 1) limit.took(0, 5_000);
    expect(limit.limit).toBe(before);
  });

  it('an hour asleep is not what calls take', () => {
    const limit = grown(100);
    limit.started(1);
    for (let call = 0; call < 10; call += 1) limit.took(2_000, 3_600_000);
    expect(limit.unloadedMs).toBeCloseTo(110, 6);
    feed(limit, { from: 3_600_100, ms: 100, windows: 10 });
    expect(limit.limit).toBeGreaterThan(20);
  });

  it('a clock that goes back an hour is followed', () => {
    const limit = new GradientLimit(ADAPTIVE_CONCURRENCY_DEFAULTS, () => 0);
    feed(limit, { from: 4_000_000, ms: 100, windows: 2 });
    const before = limit.limit;
    feed(limit, { from: 400_000, ms: 100, windows: 5 });
    expect(limit.limit).toBeGreaterThan(before);
  });
});
