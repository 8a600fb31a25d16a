import { describe, expect, it } from 'vitest';
import { THROTTLE_DEFAULTS } from '../../../src/client/options/throttle.js';
import { AdaptiveThrottle, type ThrottlePolicy } from '../../../src/machines/adaptive-throttle.js';
import { seededRandom } from '../../../src/testing/test-runtime.js';

const HOUR = 3_600_000;

const throttle = (policy: Partial<ThrottlePolicy> = {}, random = () => 0.5): AdaptiveThrottle =>
  new AdaptiveThrottle({ ...THROTTLE_DEFAULTS, ...policy }, random);

const answers = (subject: AdaptiveThrottle, accepted: number, refused: number, now = 0): AdaptiveThrottle => {
  for (let answer = 0; answer < accepted; answer += 1) subject.answered(true, now);
  for (let answer = 0; answer < refused; answer += 1) subject.answered(false, now);
  return subject;
};

describe('AdaptiveThrottle', () => {
  it.each<[string, Partial<ThrottlePolicy>, number, number, number]>([
    ['nothing known', {}, 0, 0, 0],
    ['too few to judge', {}, 0, 19, 0],
    ['just enough', {}, 0, 20, 0.9],
    ['half accepted: not yet', {}, 50, 50, 0],
    ['a little less than half', {}, 49, 51, 2 / 101],
    ['a quarter', {}, 25, 75, 50 / 101],
    ['a quarter, k = 1.5', { k: 1.5 }, 25, 75, 62.5 / 101],
    ['k = 1 sends no more than was accepted', { k: 1 }, 50, 50, 50 / 101],
    ['nothing accepted: up to its cap', {}, 0, 1_000_000, 0.9],
    ['another cap', { maxRejectRatio: 0.5 }, 0, 100, 0.5],
  ])('%s', (_name, policy, accepted, refused, ratio) => {
    expect(answers(throttle(policy), accepted, refused).rejectRatio(0)).toBeCloseTo(ratio, 6);
  });

  it('what it refuses counts as asked: more who ask are refused more', () => {
    const subject = answers(
      throttle({}, () => 0),
      30,
      30,
    );
    subject.admits(0);
    expect(subject.rejectRatio(0)).toBe(0);
    answers(subject, 0, 10);
    const before = subject.rejectRatio(0);
    expect([1, 2, 3].map(now => subject.admits(now))).toEqual([false, false, false]);
    expect(subject.rejectRatio(3)).toBeGreaterThan(before);
    expect(subject.counts(3)).toEqual({ requests: 73, accepts: 30 });
  });

  it('a first burst in flight is no reason to refuse: nobody was asked in vain yet', () => {
    const subject = throttle({}, () => 0);
    for (let call = 0; call < 10_000; call += 1) expect(subject.admits(0)).toBe(true);
  });

  it('one in a second passes, whatever chance says', () => {
    const subject = answers(
      throttle({ windowMs: 600_000 }, () => 0),
      0,
      1_000,
    );
    const passed = Array.from({ length: 100 }, (_, tenth) => tenth * 100).filter(now => subject.admits(now));
    expect(passed).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000]);
  });

  it('forgets with its window: exactly, and after an hour asleep', () => {
    const subject = answers(throttle(), 0, 100, 500);
    expect(subject.rejectRatio(9_999)).toBe(0.9);
    expect(subject.rejectRatio(10_000)).toBe(0);
    answers(subject, 0, 100, 20_000);
    expect(subject.rejectRatio(20_000 + HOUR)).toBe(0);
  });

  it('a clock that goes back an hour: starts anew, and forgets in time', () => {
    const subject = answers(throttle(), 0, 100, 2 * HOUR);
    expect(subject.rejectRatio(HOUR)).toBe(0);
    answers(subject, 0, 100, HOUR);
    expect(subject.rejectRatio(HOUR)).toBe(0.9);
    expect(subject.rejectRatio(HOUR + 10_000)).toBe(0);
  });

  it.each([3, 31, 314])('sends about twice what is accepted, and recovers within a window (seed %i)', seed => {
    const subject = throttle({}, seededRandom(seed));
    let sent = 0;
    const second = (from: number, capacity: number): void => {
      sent = 0;
      for (let call = 0; call < 1_500; call += 1) {
        const now = from + call / 1.5;
        if (!subject.admits(now)) continue;
        sent += 1;
        subject.answered(sent <= capacity, now);
      }
    };
    for (let from = 0; from < 30_000; from += 1_000) second(from, 300);
    expect(sent).toBeGreaterThan(450);
    expect(sent).toBeLessThan(750);
    for (let from = 30_000; from < 40_000; from += 1_000) second(from, 10_000);
    second(40_000, 10_000);
    expect(sent).toBe(1_500);
  });
});
