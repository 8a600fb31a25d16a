import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../../src/client/defaults.js';
import { FAILURE, IGNORED, OVERLOAD, SERVER_ERROR, SUCCESS, type Verdict } from '../../../src/core/outcome.js';
import type { EjectionChange } from '../../../src/pool/ejection-host.js';
import type { EjectionPolicy } from '../../../src/pool/ejection-policy.js';
import { Ejection } from '../../../src/pool/ejection.js';

const ASKED: Verdict = { ...OVERLOAD, retryAfterMs: 3_000, retryAfterScope: 'instance' };

/** An instance by itself, whose jitter is nothing. */
const make = (own: Partial<EjectionPolicy> = {}, { mayEject = true } = {}) => {
  const changes: EjectionChange[] = [];
  const counts = { probed: 0 };
  const health = new Ejection(
    {
      policy: { ...DEFAULTS.ejection, ...own },
      mayEject: () => mayEject,
      random: () => 1,
      changed: change => changes.push(change),
      probed: () => (counts.probed += 1),
    },
    0,
  );
  const attempt = (verdict: Verdict, now: number, durationMs = 10): void =>
    health.leave({ ticket: health.enter(), durationMs }, verdict, now);
  const probe = (verdict: Verdict, now: number, durationMs = 10): void =>
    health.leave({ ticket: health.probe(true, now)!, durationMs }, verdict, now);
  const fail = (now: number, times = 5): void => {
    for (let done = 0; done < times; done += 1) attempt(FAILURE, now);
  };
  /** Ejects it, waits until its time is up, and heals it. */
  const outage = (now: number): number => {
    fail(now);
    const until = health.availableAt;
    health.review(until);
    probe(SUCCESS, until);
    probe(SUCCESS, until);
    return until;
  };
  return { health, changes, counts, attempt, probe, fail, outage };
};

type Step = readonly [
  now: number,
  what: 'attempt' | 'probe' | 'review',
  verdict: Verdict | undefined,
  then: Ejection['kind'],
];
const failures = (now: number, times: number, then: Ejection['kind'] = 'serving'): Step[] =>
  Array.from({ length: times }, (_, index) => [now, 'attempt', FAILURE, index === times - 1 ? then : 'serving']);

describe('the way of an instance', () => {
  it.each<[string, readonly Step[]]>([
    ['five failures in a row: out', [...failures(0, 5, 'out')]],
    [
      'a success between: from the start',
      [...failures(0, 4), [0, 'attempt', SUCCESS, 'serving'], ...failures(0, 4), [0, 'attempt', FAILURE, 'out']],
    ],
    [
      'an overload between: it is alive',
      [...failures(0, 4), [0, 'attempt', OVERLOAD, 'serving'], [0, 'attempt', FAILURE, 'serving']],
    ],
    [
      'what says nothing between: it says nothing',
      [...failures(0, 4), [0, 'attempt', IGNORED, 'serving'], [0, 'attempt', FAILURE, 'out']],
    ],
    [
      'out until its time is up, then on trial, and back after two probes',
      [
        ...failures(0, 5, 'out'),
        [4_999, 'review', undefined, 'out'],
        [5_000, 'review', undefined, 'trial'],
        [5_100, 'probe', SUCCESS, 'trial'],
        [5_200, 'probe', SUCCESS, 'serving'],
      ],
    ],
    [
      'a probe fails: out for twice as long, from when it began',
      [
        ...failures(0, 5, 'out'),
        [5_000, 'review', undefined, 'trial'],
        [5_100, 'probe', FAILURE, 'out'],
        [15_099, 'review', undefined, 'out'],
        [15_100, 'review', undefined, 'trial'],
      ],
    ],
    [
      'a probe that says nothing is no success',
      [
        ...failures(0, 5, 'out'),
        [5_000, 'review', undefined, 'trial'],
        [5_000, 'probe', SUCCESS, 'trial'],
        [5_000, 'probe', IGNORED, 'trial'],
        [5_000, 'probe', SUCCESS, 'serving'],
      ],
    ],
    [
      'Retry-After: out for so long at once, and on trial too',
      [
        [0, 'attempt', ASKED, 'out'],
        [2_999, 'review', undefined, 'out'],
        [3_000, 'review', undefined, 'trial'],
        [3_000, 'probe', ASKED, 'out'],
        [6_000, 'review', undefined, 'trial'],
      ],
    ],
  ])('%s', (_name, steps) => {
    const { health, attempt, probe } = make();
    for (const [now, what, verdict, then] of steps) {
      if (what === 'review') health.review(now);
      else (what === 'probe' ? probe : attempt)(verdict!, now);
      expect([now, what, health.kind]).toEqual([now, what, then]);
    }
  });

  it('what began in an older state moves no newer one: neither back nor out again', () => {
    const { health, attempt, fail } = make();
    const late = Array.from({ length: 20 }, () => ({ ticket: health.enter(), durationMs: 10 }));
    fail(0);
    for (const old of late.slice(0, 10)) health.leave(old, SUCCESS, 10);
    expect(health.availableAt).toBe(5_000);
    health.review(5_000);
    for (const old of late.slice(10)) health.leave(old, FAILURE, 5_000);
    expect(health.kind).toBe('trial');
    const slowProbe = { ticket: health.probe(true, 5_000)!, durationMs: 10 };
    attempt(FAILURE, 5_000);
    health.review(20_000);
    health.leave(slowProbe, SUCCESS, 20_000);
    health.leave({ ticket: health.probe(true, 20_000)!, durationMs: 10 }, SUCCESS, 20_000);
    expect(health.kind).toBe('trial');
  });

  it('tells of each change, and of each probe that succeeded', () => {
    const { changes, counts, outage } = make();
    outage(0);
    expect(changes).toEqual([
      { from: 'serving', to: 'out', cause: 'calls', reason: '5 failures in a row', ms: 5_000 },
      { from: 'out', to: 'trial', reason: 'time is up', ms: 5_000 },
      { from: 'trial', to: 'serving', reason: 'probes succeeded', ms: 5_000 },
    ]);
    expect(counts.probed).toBe(2);
  });

  it('a new incarnation starts anew, and hears nothing of the old one', () => {
    const { health, changes, fail } = make();
    fail(0, 4);
    const old = Array.from({ length: 5 }, () => ({ ticket: health.enter(), durationMs: 10 }));
    health.reset(10);
    for (const attempt of old) health.leave(attempt, FAILURE, 20);
    expect([health.kind, health.window.total(20), changes]).toEqual(['serving', 0, []]);
    fail(30);
    health.reset(1_030);
    expect(changes.at(-1)).toEqual({ from: 'out', to: 'serving', reason: 'a new incarnation', ms: 1_000 });
  });
});

describe('times out', () => {
  const outMs = ({ changes }: ReturnType<typeof make>): number[] =>
    changes.filter(({ from, to }) => from === 'serving' && to === 'out').map(({ ms }) => ms);

  it.each<[string, Partial<EjectionPolicy>, readonly number[], readonly number[]]>([
    ['double up to the cap', { maxMs: 30_000 }, [0, 0, 0, 0], [5_000, 10_000, 20_000, 30_000]],
    ['… which is 10 s unless somebody says otherwise', {}, [0, 0, 0], [5_000, 10_000, 10_000]],
    ['shrink by one step for each healthy window', { maxMs: 60_000 }, [0, 0, 10_000], [5_000, 10_000, 10_000]],
    ['… down to the first', { maxMs: 60_000 }, [0, 0, 0, 60_000], [5_000, 10_000, 20_000, 5_000]],
    ['stay for less than one', { maxMs: 60_000 }, [0, 9_999], [5_000, 10_000]],
  ])('%s', (_name, policy, healthyMs, expected) => {
    const world = make(policy);
    let now = 0;
    for (const pause of healthyMs) now = world.outage(now + pause);
    expect(outMs(world)).toEqual(expected);
  });

  it('shrink while it serves, whatever it goes out for', () => {
    const world = make({ maxMs: 60_000 });
    let now = world.outage(world.outage(0));
    now += 20_000;
    world.attempt(ASKED, now);
    now += 3_000;
    world.health.review(now);
    for (let probes = 0; probes < 2; probes += 1) world.probe(SUCCESS, now);
    world.fail(now);
    expect(outMs(world)).toEqual([5_000, 10_000, 3_000, 5_000]);
  });
});

describe('slow calls', () => {
  const SLOW = { slowCallMs: 1_000, slowCallRatio: 0.5, consecutiveFailures: false } as const;

  it.each<[string, Partial<EjectionPolicy>, readonly number[], Ejection['kind']]>([
    ['are no reason by default', {}, Array.from({ length: 100 }, () => 60_000), 'serving'],
    ['half of twenty', SLOW, Array.from({ length: 20 }, (_, index) => (index % 2 ? 1_000 : 999)), 'out'],
    ['nine of twenty', SLOW, Array.from({ length: 20 }, (_, index) => (index > 10 ? 1_000 : 999)), 'serving'],
    ['all of nineteen: too few to say', SLOW, Array.from({ length: 19 }, () => 5_000), 'serving'],
    ['all, by default', { slowCallMs: 1_000 }, Array.from({ length: 20 }, () => 1_000), 'out'],
    ['all but one, by default', { slowCallMs: 1_000 }, [1, ...Array.from({ length: 50 }, () => 1_000)], 'serving'],
    ['while our own loop stood still', SLOW, Array.from({ length: 50 }, () => NaN), 'serving'],
  ])('%s', (_name, policy, durations, then) => {
    const { health, attempt } = make(policy);
    for (const ms of durations) attempt(SUCCESS, 0, ms);
    expect(health.kind).toBe(then);
  });

  it('count where they fail too, and say what is wrong', () => {
    const { health, attempt } = make({ ...SLOW, failureRatio: 1 });
    for (let call = 0; call < 20; call += 1) attempt(call % 2 ? SERVER_ERROR : SUCCESS, 0, call < 10 ? 2_000 : 1);
    expect(health.reason).toBe('10 of 20 attempts took 1000 ms or more in 10000 ms');
  });

  it('as a probe: it is not well yet', () => {
    const { health, fail, probe } = make(SLOW);
    fail(0, 20);
    health.review(5_000);
    probe(SUCCESS, 5_000, 1_500);
    expect([health.kind, health.reason]).toEqual(['out', 'probe took 1000 ms or more']);
    health.review(20_000);
    probe(SUCCESS, 20_000, NaN);
    expect(health.kind).toBe('trial');
  });

  it('are forgotten with their window', () => {
    const { health, attempt } = make(SLOW);
    for (let call = 0; call < 19; call += 1) attempt(SUCCESS, 0, 2_000);
    for (let call = 0; call < 20; call += 1) attempt(SUCCESS, 10_000, 10);
    attempt(SUCCESS, 10_000, 2_000);
    expect(health.kind).toBe('serving');
  });
});

it('goes on where nobody else may be out', () => {
  const { health, fail } = make({}, { mayEject: false });
  fail(0, 100);
  expect(health.kind).toBe('serving');
});
