import { describe, expect, it } from 'vitest';
import { pointOf, REST, saltOf, targetAt } from '../../../src/routing/shares.js';
import { seededRandom } from '../../../src/testing/test-runtime.js';
import { slack } from './support.js';

const USERS = Array.from({ length: 20_000 }, (_, user) => `user ${user}`);
const SEED = 20_240_501;

describe('targetAt', () => {
  it.each<[readonly number[], number, number]>([
    [[0.05], 0, 0],
    [[0.05], 0.0499, 0],
    [[0.05], 0.05, REST],
    [[0], 0, REST],
    [[1], 0.999999, 0],
    [[0.05, 0.1], 0.01, 0],
    [[0.05, 0.1], 0.5, REST],
    [[0.05, 0.1], 0.91, 1],
    [[0.2, 0.3, 0.5], 0.3, 1],
    [[0.2, 0.3, 0.5], 0.5, 2],
    [[0.1, 0.2, 0.7], 0.31, 2],
    [[0.1, 0.2, 0.3], 0.65, REST],
    [[0.1, 0.2, 0.3], 0.71, 2],
    [[0.5, 0.5], 0.4999, 0],
    [[0.5, 0.5], 0.5, 1],
    // 0.1 + 0.2 is more than 0.3, and 0.1 × 3 + 0.7 less than 1: no point may fall through.
    [[0.1, 0.1, 0.1, 0.7], 1 - 2 ** -32, 3],
  ])('of shares %j gives the point %d to %d', (shares, point, target) => {
    expect(targetAt(shares, point)).toBe(target);
  });
});

describe('shares', () => {
  it('hold, whatever the users are called', () => {
    const salt = saltOf('canary');
    const chosen = USERS.filter(user => targetAt([0.05], pointOf(user, salt)) === 0).length;
    expect(Math.abs(chosen - 1_000)).toBeLessThan(slack(20_000, 0.05));
  });

  it(`keep a user where he is while they only grow, one target or two (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const salt = saltOf('release');
    for (let run = 0; run < 50; run += 1) {
      const shares = [random() * 0.5, random() * 0.5].slice(0, 1 + (run % 2));
      const grown = shares.map(share => Math.min(share + random() * 0.2, 1 / shares.length));
      const moved = USERS.slice(0, 2_000).filter(user => {
        const before = targetAt(shares, pointOf(user, salt));
        return before !== REST && targetAt(grown, pointOf(user, salt)) !== before;
      });
      expect(moved, `${String(shares)} grown to ${String(grown)}`).toEqual([]);
    }
  });

  it('of two rules meet users independently of each other', () => {
    const [one, other] = [saltOf('one'), saltOf('other')];
    const both = USERS.filter(user => pointOf(user, one) < 0.2 && pointOf(user, other) < 0.2).length;
    expect(Math.abs(both - 800)).toBeLessThan(slack(20_000, 0.04));
  });
});
