import { describe, expect, it } from 'vitest';
import { adaptiveConcurrency, REFUSED, type AdaptiveConcurrencyOptions, type Outcome } from 'fairlead';
import { seededRandom, testRuntime } from 'fairlead/testing';
import { Slots } from '../../../src/machines/slots.js';

describe('adaptiveConcurrency alone', () => {
  it('lets in as many as its limit, and again when somebody leaves', () => {
    const limit = adaptiveConcurrency({ initialLimit: 2, maxLimit: 2, runtime: testRuntime() });
    const [a, b] = [limit.enter(), limit.enter()];
    expect([limit.enter(), limit.inFlight, limit.availableAt]).toEqual([REFUSED, 2, Infinity]);
    limit.leave(a, 'success');
    expect(limit.availableAt).toBe(0);
    expect(limit.enter()).toBeGreaterThanOrEqual(0);
    limit.leave(b, 'ignored');
    expect(limit.inFlight).toBe(1);
  });

  it('a ticket that is left twice counts once', () => {
    const limit = adaptiveConcurrency({ runtime: testRuntime() });
    const [a] = [limit.enter(), limit.enter()];
    limit.leave(a, 'success');
    limit.leave(a, 'success');
    limit.leave(99, 'success');
    limit.leave(REFUSED, 'success');
    expect(limit.inFlight).toBe(1);
  });

  it('execute: runs, refuses with BULKHEAD_FULL, passes errors on and lets go', async () => {
    const runtime = testRuntime();
    const limit = adaptiveConcurrency({ initialLimit: 1, maxLimit: 1, runtime });
    const first = limit.execute(async () => {
      await runtime.sleep(10);
      return 'done';
    });
    await expect(limit.execute(() => 1)).rejects.toMatchObject({
      code: 'BULKHEAD_FULL',
      message: 'adaptive limit reached, 1 in flight',
    });
    await runtime.advance(10);
    expect(await first).toBe('done');
    await expect(limit.execute(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(limit.snapshot()).toEqual({ limit: 1, inFlight: 0, unloadedMs: null, recentMs: null, probing: false });
  });

  it('failures that come at once do not make a service look fast', () => {
    const limit = adaptiveConcurrency({ runtime: testRuntime() });
    const window = (from: number, ms: number, outcome: Outcome): void => {
      const tickets = Array.from({ length: 10 }, () => limit.enter(from));
      for (const ticket of tickets) limit.leave(ticket, outcome, from + ms);
    };
    window(0, 100, 'success');
    window(100, 1, 'failure');
    for (let from = 200; from < 2_000; from += 200) window(from, 1, 'failure');
    expect(limit.snapshot().recentMs).toBe(100);
    window(2_000, 5_000, 'failure');
    expect(limit.snapshot().recentMs).toBe(5_000);
  });

  it.each([5, 77, 4_242])('random operations, seed %i: its count is right, and its limit within bounds', seed => {
    const random = seededRandom(seed);
    const limit = adaptiveConcurrency({ minLimit: 3, maxLimit: 50, runtime: testRuntime({ seed }) });
    const held = new Set<number>();
    const outcomes: Outcome[] = ['success', 'failure', 'overload', 'ignored'];
    for (let step = 0, now = 0; step < 20_000; step += 1) {
      now += random() < 0.001 ? 3_600_000 * (random() - 0.3) : random() * 10;
      if (random() < 0.55) {
        const full = held.size >= limit.limit;
        const ticket = limit.enter(now);
        if (full !== (ticket === REFUSED) || held.has(ticket))
          expect.fail(`seed ${seed}, step ${step}: ticket ${ticket}`);
        if (!full) held.add(ticket);
      } else if (held.size > 0) {
        const ticket = [...held][Math.floor(random() * held.size)]!;
        held.delete(ticket);
        limit.leave(ticket, outcomes[Math.floor(random() * 4)]!, now);
      }
      if (limit.inFlight !== held.size || limit.limit < 3 || limit.limit > 50)
        expect.fail(`seed ${seed}, step ${step}: ${JSON.stringify(limit.snapshot())}, ${held.size} held`);
    }
  });

  it.each<[string, AdaptiveConcurrencyOptions, object]>([
    ['least above the default', { minLimit: 2_000 }, { limit: 2_000 }],
    ['most below the default', { maxLimit: 2 }, { limit: 2 }],
  ])('options: %s moves the others along', (_name, options, expected) => {
    expect(adaptiveConcurrency({ ...options, runtime: testRuntime() }).snapshot()).toMatchObject(expected);
  });

  it.each<[string, object, RegExp]>([
    ['least above most', { minLimit: 9, maxLimit: 3 }, /adaptiveConcurrency: expected minLimit <= maxLimit, got 9 > 3/],
    ['half a call', { maxLimit: 1.5 }, /adaptiveConcurrency\.maxLimit: expected a whole number >= 1/],
    ['a name that is not known', { max: 1 }, /adaptiveConcurrency\.max: no such option/],
  ])('options: %s', (_name, options, message) => {
    expect(() => adaptiveConcurrency(options)).toThrow(message);
  });
});

it('Slots: thousands at once, in any order', () => {
  const slots = new Slots();
  const tickets = Array.from({ length: 5_000 }, (_, index) => slots.take(index));
  expect(new Set(tickets).size).toBe(5_000);
  for (let index = 4_999; index >= 0; index -= 3) expect(slots.leave(tickets[index]!)).toBe(index);
  expect(slots.size).toBe(5_000 - 1_667);
  const again = Array.from({ length: 1_667 }, () => slots.take(7));
  expect(Math.max(...again)).toBeLessThan(5_000);
});
