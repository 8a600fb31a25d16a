import { describe, expect, it } from 'vitest';
import { testRuntime } from 'fairlead/testing';
import { TimerQueue } from '../../../src/core/timer-queue.js';

const make = () => {
  const runtime = testRuntime();
  const expired: string[] = [];
  const queue = new TimerQueue<{ name: string }>(100, runtime, ({ name }) => expired.push(name));
  return { runtime, expired, arm: (name: string) => queue.arm(runtime.now(), { name }), queue };
};

describe('a TimerQueue', () => {
  it('tells whose time is up, in the order in which they were armed, and nobody who was disarmed', async () => {
    const { runtime, expired, arm, queue } = make();
    arm('a');
    const b = arm('b');
    await runtime.advance(40);
    const c = arm('c');
    arm('d');
    queue.disarm(b);
    await runtime.advance(60);
    expect(expired).toEqual(['a']);
    queue.disarm(c);
    queue.disarm(c);
    await runtime.advance(40);
    expect(expired).toEqual(['a', 'd']);
  });

  it('goes on after all were disarmed', async () => {
    const { runtime, expired, arm, queue } = make();
    queue.disarm(arm('a'));
    await runtime.advance(50);
    arm('b');
    await runtime.advance(99);
    expect(expired).toEqual([]);
    await runtime.advance(1);
    expect(expired).toEqual(['b']);
  });

  it('lets go of who was disarmed: one that is kept keeps none of those after it', () => {
    const { arm, queue } = make();
    const timeouts = ['a', 'b', 'c', 'd'].map(arm);
    timeouts.forEach(timeout => queue.disarm(timeout));
    expect(timeouts.map(({ previous, next }) => [previous, next])).toEqual(Array(4).fill([undefined, undefined]));
  });
});
