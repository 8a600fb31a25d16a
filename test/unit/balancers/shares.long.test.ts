import { describe, expect, it } from 'vitest';
import { consistentHash, leastConnections, p2c, random, roundRobin, smoothWeighted } from 'fairlead';
import { seededRandom, testCandidates, testEndpoint, type TestEndpoint } from 'fairlead/testing';
import { simulate } from './simulation.js';
import { binomialBound, build, fleetOf, idOf } from './support.js';

const SEEDS = Array.from({ length: 8 }, (_, index) => index + 1);

/** 2–20 instances of weights 1–5. */
const randomWeights = (seed: number): number[] => {
  const next = seededRandom(seed);
  return Array.from({ length: 2 + Math.floor(next() * 19) }, () => 1 + Math.floor(next() * 5));
};

const totalOf = (members: readonly TestEndpoint[]): number => members.reduce((sum, { weight }) => sum + weight, 0);

describe('shares are within the binomial bound of the weights, one call at a time or many', () => {
  /** By how much the share itself may be off: the points on a ring, or the entries of a table, are a finite number. */
  const exact = (): number => 0;
  const points = (weight: number): number => 6 / Math.sqrt(160 * weight);

  it.each([
    ['roundRobin(), equal weights', roundRobin, exact],
    ['smoothWeighted()', smoothWeighted, exact],
    ['random()', random, exact],
    ['consistentHash(), ring, over keys', () => consistentHash(), points],
    ['consistentHash(), maglev, over keys', () => consistentHash({ algorithm: 'maglev' }), points],
  ])('%s', (name, make, slack) => {
    for (const seed of SEEDS) {
      const weights = randomWeights(seed).map(weight => (name.startsWith('roundRobin') ? 1 : weight));
      const members = fleetOf(weights);
      const total = totalOf(members);
      for (const concurrency of [1, 4 * members.length]) {
        const calls = 200 * members.length;
        const from = testCandidates(members);
        const counts = simulate({ balancer: build(make(), seed), from, concurrency, calls, seed });
        for (const endpoint of members) {
          const share = endpoint.weight / total;
          const bound = binomialBound(calls, share) + calls * share * slack(endpoint.weight);
          const off = Math.abs((counts.get(endpoint) ?? 0) - calls * share);
          expect(off, `seed ${seed}, concurrency ${concurrency}, ${idOf(endpoint)}`).toBeLessThanOrEqual(bound);
        }
      }
    }
  });
});

const ADAPTIVE = [
  ['p2c()', p2c],
  ['leastConnections()', leastConnections],
] as const;

describe.each(ADAPTIVE)('%s', (_name, make) => {
  it('gives each 0.5–2 times its weight’s share at a concurrency of 4 n', () => {
    for (const seed of SEEDS) {
      const members = fleetOf(randomWeights(seed));
      const calls = 400 * members.length;
      const from = testCandidates(members);
      const concurrency = 4 * members.length;
      const counts = simulate({ balancer: build(make(), seed), from, concurrency, calls, seed });
      for (const endpoint of members) {
        const times = (counts.get(endpoint) ?? 0) / calls / (endpoint.weight / totalOf(members));
        expect(times, `seed ${seed}, ${idOf(endpoint)} of ${members.length}`).toBeGreaterThan(0.5);
        expect(times, `seed ${seed}, ${idOf(endpoint)} of ${members.length}`).toBeLessThan(2);
      }
    }
  });

  it('gives nobody more than twice its fair share while instances come and go every 200 ms', () => {
    for (const seed of SEEDS) {
      const next = seededRandom(seed);
      let names = 0;
      const join = (): TestEndpoint => testEndpoint(`i${(names += 1)}`, { latencyMs: 0 });
      let members = Array.from({ length: 10 }, join);
      let from = testCandidates(members);
      let changeAt = 200;
      let version = 1;
      const due = new Map<TestEndpoint, number>();
      const counts = simulate({
        balancer: build(make(), seed),
        from,
        concurrency: 40,
        calls: 20_000,
        seed,
        before: now => {
          for (const endpoint of members) due.set(endpoint, (due.get(endpoint) ?? 0) + 1 / members.length);
          if (now < changeAt) return undefined;
          changeAt += 200;
          version += 1;
          const leaves = members.length > 5 && (members.length > 15 || next() < 0.5);
          const gone = Math.floor(next() * members.length);
          members = leaves ? members.filter((_, index) => index !== gone) : [...members, join()];
          return (from = testCandidates(members, { version }));
        },
      });
      for (const [endpoint, fair] of due) {
        const got = counts.get(endpoint) ?? 0;
        // Who was there for a moment only says nothing.
        if (fair >= 50) expect(got / fair, `seed ${seed}, ${idOf(endpoint)}`).toBeLessThan(2);
      }
    }
  });
});
