import { describe, expect, it } from 'vitest';
import { Alarm } from '../../../src/discovery/alarm.js';
import { Contact } from '../../../src/discovery/contact.js';
import { ProblemLog } from '../../../src/discovery/problem-log.js';
import { Reconnect } from '../../../src/discovery/reconnect.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';

describe('Reconnect', () => {
  const CEILING = 1;

  it('doubles from 100 ms to 10 s, with full jitter, and never gives up', () => {
    const reconnect = new Reconnect();
    const waits = Array.from({ length: 1_100 }, () => reconnect.lost(0, CEILING));
    expect(waits.slice(0, 10)).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
    expect(new Set(waits.slice(7))).toEqual(new Set([10_000]));
    expect(reconnect.lost(0, 0)).toBe(0);
    expect(reconnect.lost(0, 0.5)).toBe(5_000);
  });

  it('begins anew after a set, and counts the tries since', () => {
    const reconnect = new Reconnect();
    for (let n = 0; n < 8; n += 1) {
      reconnect.started();
      reconnect.lost(0, CEILING);
    }
    expect(reconnect.tries).toBe(8);
    reconnect.started();
    reconnect.received(1_000);
    expect(reconnect.tries).toBe(0);
    expect(reconnect.lost(1_500, CEILING)).toBe(100);
  });

  it('grows while sets are followed by a loss within a second, until one lasts', () => {
    const reconnect = new Reconnect();
    const live = (from: number, to: number): number => {
      reconnect.received(from);
      return reconnect.lost(to, CEILING);
    };
    expect([live(0, 10), live(20, 30), live(40, 1_039), live(2_000, 3_000), live(4_000, 4_001)]).toEqual([
      100, 200, 400, 800, 100,
    ]);
  });
});

describe('Contact', () => {
  it('is fresh while the watch is up, and ages from its end', () => {
    const contact = new Contact();
    expect(contact.ageMs(5)).toBeUndefined();
    expect(contact.lost('refused', 10)).toBe(true);
    expect(contact.lost('again', 20)).toBe(false);
    expect(contact.outage).toEqual({ since: 10, error: 'again' });
    expect(contact.restored(50)).toBe(40);
    expect(contact.restored(60)).toBeUndefined();
    expect(contact.ageMs(1_000)).toBe(0);
    expect(contact.lost('reset', 2_000)).toBe(true);
    contact.lost('refused', 3_000);
    expect(contact.ageMs(3_500)).toBe(1_500);
    contact.heard(3_600);
    expect(contact.ageMs(3_700)).toBe(100);
  });
});

describe('ProblemLog', () => {
  const problem = (message: string, entry?: string) => ({ kind: 'bad-entry' as const, message, entry });

  it('tells the same of the same entry once a minute', () => {
    const log = new ProblemLog();
    const told = [0, 1, 59_999, 60_000, 119_999, 120_000].map(now => log.isNews(problem('m', 'e'), now));
    expect(told).toEqual([true, false, false, true, false, true]);
    expect(log.isNews(problem('m', 'other'), 1)).toBe(true);
    expect(log.isNews(problem('other', 'e'), 1)).toBe(true);
    expect(log.count).toBe(8);
  });

  it('forgets what is old before it keeps quiet about what is new', () => {
    const log = new ProblemLog();
    for (let n = 0; n < 1_000; n += 1) expect(log.isNews(problem(`${n}`), 0)).toBe(true);
    expect(log.isNews(problem('one too many'), 59_999)).toBe(false);
    expect(log.isNews(problem('one too many'), 60_000)).toBe(true);
  });
});

describe('Alarm', () => {
  it('goes on waiting when its timer wakes early, and runs once', async () => {
    const runtime = testRuntime();
    const capped = { ...runtime, after: (ms: number, run: () => void) => runtime.after(Math.min(ms, 1_000), run) };
    const rang: number[] = [];
    const alarm = new Alarm(capped, () => rang.push(runtime.now()));
    alarm.set(3_500);
    expect(alarm.pending).toBe(true);
    await runtime.advance(10_000);
    expect(rang).toEqual([3_500]);
    expect(alarm.pending).toBe(false);
  });

  it('keeps only the last setting, and none after close', async () => {
    const runtime = testRuntime();
    const rang: number[] = [];
    const alarm = new Alarm(runtime, () => rang.push(runtime.now()));
    alarm.set(100);
    alarm.set(50);
    alarm.set(200);
    expect(runtime.pendingTimers).toBe(1);
    await runtime.advance(1_000);
    alarm.set(1_100);
    alarm.close();
    alarm.set(1_200);
    expect(runtime.pendingTimers).toBe(0);
    await runtime.advance(1_000);
    expect(rang).toEqual([200]);
  });
});
