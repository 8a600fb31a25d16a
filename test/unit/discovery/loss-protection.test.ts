import { describe, expect, it } from 'vitest';
import { toInstance, type ServiceInstance } from '../../../src/core/instance.js';
import { LossProtection } from '../../../src/discovery/loss-protection.js';

const HOLD_MS = 30_000;

/** 'a' is instance a on port 1 of host a; 'b@a' is b on the address of a; 'c:0' is c with weight 0. */
const instance = (text: string): ServiceInstance => {
  const [, id = '', host = id, weight = '1'] = /^(\w+)(?:@(\w+))?(?::(\d+))?$/.exec(text) ?? [];
  return toInstance({ id, service: 's', address: host, port: 1, weight: Number(weight) });
};
const set = (text: string): ServiceInstance[] => text.split(' ').filter(Boolean).map(instance);

/** [when, what happens, of whom, members after it with the held ones in brackets] */
type Row = readonly [at: number, action: 'listed' | 'refused' | 'read', who: string, expected: string];

const play = (rows: readonly Row[], options = {}): void => {
  const protection = new LossProtection({ holdDropRatio: 0.5, holdMs: HOLD_MS, ...options });
  rows.forEach(([at, action, who, expected], index) => {
    if (action === 'listed') protection.listed(set(who), at);
    else if (action === 'refused') set(who).forEach(one => protection.refused(one));
    else protection.read(set(who), at);
    const held = [...protection.held].map(identity => identity.split(' ')[1]);
    const shown = protection.members.map(({ id }) => (held.includes(id) ? `(${id})` : id)).join(' ');
    expect(shown, `row ${index}: ${at} ms, ${action} ${who}`).toBe(expected);
  });
};

const STORIES: Record<string, readonly Row[]> = {
  'a small drop is believed at once': [
    [0, 'listed', 'a b c', 'a b c'],
    [1, 'listed', 'a b', 'a b'],
  ],
  'exactly half is believed, more is not': [
    [0, 'listed', 'a b c d', 'a b c d'],
    [1, 'listed', 'a b', 'a b'],
    [2, 'listed', 'a b c d', 'a b c d'],
    [3, 'listed', 'a', 'a (b) (c) (d)'],
  ],
  'all of it is never believed, be it one': [
    [0, 'listed', 'a', 'a'],
    [1, 'listed', '', '(a)'],
  ],
  'an empty list at the start is what it is': [
    [0, 'listed', '', ''],
    [1, 'listed', 'a', 'a'],
  ],
  'who is listed again is not held any more': [
    [0, 'listed', 'a b c', 'a b c'],
    [1, 'listed', '', '(a) (b) (c)'],
    [2, 'listed', 'b', 'b (a) (c)'],
    [3, 'listed', 'a b c', 'a b c'],
  ],
  'an early read proves nothing': [
    [0, 'listed', 'a b', 'a b'],
    [1_000, 'listed', '', '(a) (b)'],
    [1_001, 'read', '', '(a) (b)'],
    [30_999, 'read', '', '(a) (b)'],
    [31_000, 'read', '', ''],
  ],
  'a late update proves nothing either: only a read of its own does': [
    [0, 'listed', 'a b c', 'a b c'],
    [1, 'listed', '', '(a) (b) (c)'],
    [90_000, 'listed', '', '(a) (b) (c)'],
    [90_001, 'read', '', ''],
  ],
  'a read that lists somebody holds him anew': [
    [0, 'listed', 'a b', 'a b'],
    [0, 'listed', '', '(a) (b)'],
    [30_000, 'read', 'a', '(a)'],
    [59_999, 'read', '', '(a)'],
    [60_000, 'read', '', ''],
  ],
  'each loss has its own time': [
    [0, 'listed', 'a b c d e f', 'a b c d e f'],
    [0, 'listed', 'e f', 'e f (a) (b) (c) (d)'],
    [10_000, 'listed', '', '(a) (b) (c) (d) (e) (f)'],
    [30_000, 'read', '', '(e) (f)'],
    [40_000, 'read', '', ''],
  ],
  'a second loss counts against the set without the held ones': [
    [0, 'listed', 'a b c d e f g h i j', 'a b c d e f g h i j'],
    [1, 'listed', 'a b c d', 'a b c d (e) (f) (g) (h) (i) (j)'],
    [2, 'listed', 'a b c', 'a b c (e) (f) (g) (h) (i) (j)'],
    [3, 'listed', 'a', 'a (e) (f) (g) (h) (i) (j) (b) (c)'],
  ],
  'who refused leaves, but never the last': [
    [0, 'listed', 'a b c', 'a b c'],
    [1, 'listed', '', '(a) (b) (c)'],
    [2, 'refused', 'b', '(a) (c)'],
    [3, 'refused', 'a', '(c)'],
    [4, 'refused', 'c', '(c)'],
  ],
  'the last that refused leaves when somebody else comes': [
    [0, 'listed', 'a', 'a'],
    [1, 'listed', '', '(a)'],
    [2, 'refused', 'a', '(a)'],
    [3, 'listed', 'z', 'z'],
  ],
  'one that did not refuse stays beside a new one': [
    [0, 'listed', 'a b', 'a b'],
    [1, 'listed', '', '(a) (b)'],
    [2, 'listed', 'z', 'z (a) (b)'],
  ],
  'a refusal before the loss, or of one that is listed, says nothing': [
    [0, 'listed', 'a b', 'a b'],
    [1, 'refused', 'a b', 'a b'],
    [2, 'listed', '', '(a) (b)'],
  ],
  'a refusal is forgotten with the loss': [
    [0, 'listed', 'a', 'a'],
    [1, 'listed', '', '(a)'],
    [2, 'refused', 'a', '(a)'],
    [3, 'listed', 'a', 'a'],
    [4, 'listed', '', '(a)'],
    [5, 'listed', 'z', 'z (a)'],
  ],
  'a new id on the address of one that is held replaces it': [
    [0, 'listed', 'a b', 'a b'],
    [1, 'listed', '', '(a) (b)'],
    [2, 'listed', 'x@a', 'x (b)'],
  ],
  'a set whose processes all took new ids has lost nobody': [
    [0, 'listed', 'a b', 'a b'],
    [1, 'listed', 'x@a y@b', 'x y'],
  ],
  'a set that moved to other addresses is held beside the new one': [
    [0, 'listed', 'a b', 'a b'],
    [1, 'listed', 'x y', 'x y (a) (b)'],
    [2, 'refused', 'a b', 'x y'],
  ],
  'weight 0 counts nowhere: neither as lost nor as what remains': [
    [0, 'listed', 'a b:0 c:0', 'a b c'],
    [1, 'listed', 'a', 'a'],
    [2, 'listed', 'a b:0', 'a b'],
    [3, 'listed', 'b:0', 'b (a)'],
    [4, 'refused', 'a', 'b (a)'],
  ],
};

describe('loss protection', () => {
  it.each(Object.entries(STORIES))('%s', (_, rows) => play(rows));

  const drop: readonly Row[] = [
    [0, 'listed', 'a b c', 'a b c'],
    [1, 'listed', '', ''],
  ];
  it('is off with holdMs 0', () => play(drop, { holdMs: 0 }));
  it('is off with holdDropRatio 1', () => play(drop, { holdDropRatio: 1 }));
  it('holds every loss with holdDropRatio 0', () =>
    play(
      [
        [0, 'listed', 'a b c', 'a b c'],
        [1, 'listed', 'a b', 'a b (c)'],
      ],
      { holdDropRatio: 0 },
    ));

  it('says when a read is worth its while', () => {
    const protection = new LossProtection({ holdDropRatio: 0.5, holdMs: HOLD_MS });
    expect(protection.reviewAt).toBe(Infinity);
    protection.listed(set('a b c d'), 0);
    protection.listed(set('d'), 500);
    protection.listed([], 700);
    expect(protection.reviewAt).toBe(30_500);
    protection.read([], 30_500);
    expect(protection.reviewAt).toBe(30_700);
    protection.listed(set('d'), 31_000);
    expect(protection.reviewAt).toBe(Infinity);
  });

  it('names those that are held from now on', () => {
    const protection = new LossProtection({ holdDropRatio: 0.5, holdMs: HOLD_MS });
    protection.listed(set('a b c d'), 0);
    expect(protection.listed(set('d'), 1).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(protection.listed([], 2).map(({ id }) => id)).toEqual(['d']);
    expect(protection.listed([], 3)).toEqual([]);
  });
});
