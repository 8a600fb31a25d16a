import { describe, expect, it } from 'vitest';
import { testRuntime } from 'fairlead/testing';
import { stallWatch, type StallWatch } from '../../../src/pool/stall-watch.js';

const makeLoop = () => {
  const runtime = testRuntime();
  return { runtime, watch: stallWatch(runtime), now: runtime.now };
};

const begin = ({ watch, now }: { watch: StallWatch; now: () => number }): number => {
  watch.began(now());
  return now();
};

/** All found, to within a beat. */
const expectToBeat = (found: readonly number[], stalls: readonly number[]): void => {
  expect(found).toHaveLength(stalls.length);
  found.forEach((ms, index) => {
    expect(ms).toBeLessThanOrEqual(stalls[index]!);
    expect(ms).toBeGreaterThanOrEqual(Math.max(0, stalls[index]! - 50));
  });
};

describe('StallWatch', () => {
  it('is one for all clients of a runtime', () => {
    const { runtime, watch } = makeLoop();
    expect(stallWatch(runtime)).toBe(watch);
    expect(stallWatch(testRuntime())).not.toBe(watch);
  });

  it('says 0 of a loop that ran, however long that took', async () => {
    const loop = makeLoop();
    const from = begin(loop);
    await loop.runtime.advance(60_000);
    expect(loop.watch.longestMs(from, loop.now())).toBe(0);
  });

  it.each<[string, beforeMs: number, stallMs: number, afterMs: number, from: number, to: number]>([
    ['right after it began', 0, 2_000, 3_000, 1_950, 2_000],
    ['in the middle', 1_020, 2_000, 1_000, 1_800, 2_000],
    ['right before its end, before the beat could tell', 1_020, 2_000, 0, 1_800, 2_000],
    ['long ago', 1_020, 2_000, 60_000, 1_800, 2_000],
    ['for too short to matter', 1_020, 60, 100, 0, 60],
  ])('finds a stall %s', async (_name, beforeMs, stallMs, afterMs, least, most) => {
    const loop = makeLoop();
    const from = begin(loop);
    await loop.runtime.advance(beforeMs);
    loop.runtime.block(stallMs);
    await loop.runtime.advance(afterMs);
    const found = loop.watch.longestMs(from, loop.now());
    expect(found).toBeGreaterThanOrEqual(least);
    expect(found).toBeLessThanOrEqual(most);
  });

  it('counts of a stall what an attempt saw of it', async () => {
    const loop = makeLoop();
    const first = begin(loop);
    loop.runtime.block(1_000);
    // Begun by the same piece of code that holds the loop up.
    const second = begin(loop);
    loop.runtime.block(500);
    await loop.runtime.advance(100);
    const third = begin(loop);
    await loop.runtime.advance(100);
    const seen = [first, second, third].map(from => loop.watch.longestMs(from, loop.now()));
    expectToBeat(seen, [1_500, 500, 0]);
  });

  it('tells the longest of several, each attempt its own', async () => {
    const loop = makeLoop();
    const starts: number[] = [];
    for (const ms of [300, 900, 400, 200]) {
      starts.push(begin(loop));
      await loop.runtime.advance(20);
      loop.runtime.block(ms);
      await loop.runtime.advance(200);
    }
    expectToBeat(
      starts.map(from => loop.watch.longestMs(from, loop.now())),
      [900, 900, 400, 200],
    );
  });

  it('costs an idle process nothing: no timer once nobody is in flight', async () => {
    const loop = makeLoop();
    begin(loop);
    loop.watch.ended();
    await loop.runtime.advance(50);
    expect(loop.runtime.pendingTimers).toBe(0);
    begin(loop);
    loop.watch.rest();
    expect(loop.runtime.pendingTimers).toBe(1);
    loop.watch.ended();
    loop.watch.rest();
    expect(loop.runtime.pendingTimers).toBe(0);
  });

  it('looks five times a second only while a long poll is all there is, and closely again when a call begins', async () => {
    const loop = makeLoop();
    let timers = 0;
    const { after } = loop.runtime;
    loop.runtime.after = (ms, run) => {
      timers += 1;
      return after(ms, run);
    };
    begin(loop);
    await loop.runtime.advance(60_000);
    expect(timers).toBeLessThan(305);
    await loop.runtime.advance(300);
    const from = begin(loop);
    loop.runtime.block(200);
    await loop.runtime.advance(10);
    expect(loop.watch.longestMs(from, loop.now())).toBeGreaterThan(100);
    expect(loop.runtime.pendingTimers).toBe(1);
  });
});
