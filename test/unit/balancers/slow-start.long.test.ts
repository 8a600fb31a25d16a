import { describe, expect, it } from 'vitest';
import {
  consistentHash,
  leastConnections,
  p2c,
  random,
  roundRobin,
  smoothWeighted,
  type BalancerFactory,
} from 'fairlead';
import { testCandidates, type TestEndpoint } from 'fairlead/testing';
import { simulate } from './simulation.js';
import { build, equals } from './support.js';

const CALLS = 4_000;
type Bounds = readonly [least: number, most: number];

/** By how much one that warms up may miss its share: 1 = has exactly that. */
const BALANCERS: readonly [name: string, make: () => BalancerFactory, bounds: Bounds][] = [
  ['roundRobin()', roundRobin, [0.95, 1.05]],
  ['smoothWeighted()', smoothWeighted, [0.95, 1.05]],
  ['random()', random, [0.75, 1.25]],
  ['leastConnections()', leastConnections, [0.5, 1.1]],
  // Idle, it is drawn up to twice as often as its weight says; and who was seldom asked had few slow answers.
  ['p2c()', p2c, [0.5, 2.5]],
  // Of its own keys it gets that share; the others keep all of theirs.
  ['consistentHash(), ring', () => consistentHash(), [0.45, 1.25]],
  ['consistentHash(), maglev', () => consistentHash({ algorithm: 'maglev' }), [0.45, 1.25]],
];

describe.each(BALANCERS)('%s', (_name, make, [least, most]) => {
  const share = (members: readonly TestEndpoint[], concurrency: number): number => {
    const balancer = build(make(), 3);
    const from = testCandidates(members);
    const serviceMs = (_endpoint: TestEndpoint, next: () => number): number => 10 + next();
    const counts = simulate({ balancer, from, concurrency, calls: CALLS, seed: 5, serviceMs });
    return (counts.get(members[0]!) ?? 0) / CALLS;
  };

  it.each([
    [2, 1],
    [2, 8],
    [3, 1],
    [3, 12],
    [10, 1],
    [10, 40],
  ])('gives one of %i that warms up its growing share, %i calls at a time', (size, concurrency) => {
    const shares: number[] = [];
    for (const warmth of [0.1, 0.3, 0.6, 1]) {
      const members = equals(size);
      members[0]!.weight = warmth;
      const got = share(members, concurrency);
      const due = warmth / (size - 1 + warmth);
      expect(got / due, `at ${warmth}`).toBeGreaterThan(least);
      expect(got / due, `at ${warmth}`).toBeLessThan(most);
      shares.push(got);
    }
    expect(shares.at(-1)).toBeGreaterThan(shares[0]! * 1.5);
  });

  it('balances a fleet that is all new as one that is all warm', () => {
    for (const concurrency of [1, 20]) {
      const members = equals(5);
      for (const endpoint of members) endpoint.weight = 0.1;
      expect(share(members, concurrency)).toBeGreaterThan(0.13);
      expect(share(members, concurrency)).toBeLessThan(0.27);
    }
  });
});
