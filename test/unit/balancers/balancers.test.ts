import { describe, expect, it } from 'vitest';
import { p2c, random, roundRobin, type BalancerFactory, type Candidates } from 'fairlead';
import { testCall, testCandidates, testEndpoint, testRuntime } from 'fairlead/testing';

const count = (
  make: () => BalancerFactory,
  from: Candidates,
  { times = 10_000, seed = 7, now = 0 } = {},
): Record<string, number> => {
  const balancer = make()(testRuntime({ seed }));
  const counts: Record<string, number> = {};
  for (let turn = 0; turn < times; turn += 1) {
    const { id } = balancer.pick(from, testCall({ now })).instance;
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
};

describe('roundRobin', () => {
  it('takes each in turn, from a random place', () => {
    const from = testCandidates([testEndpoint('a'), testEndpoint('b'), testEndpoint('c')]);
    const starts = new Set<string>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const balancer = roundRobin()(testRuntime({ seed }));
      const sequence = Array.from({ length: 6 }, () => balancer.pick(from, testCall()).instance.id).join('');
      expect(['abcabc', 'bcabca', 'cabcab']).toContain(sequence);
      starts.add(sequence);
    }
    expect(starts.size).toBe(3);
  });
});

describe('random', () => {
  it.each([
    ['equals', [1, 1, 1, 1]],
    ['weights', [4, 3, 2, 1]],
    ['a light one among heavy ones', [100, 100, 1]],
  ])('shares by weight: %s', (_name, weights) => {
    const members = weights.map((weight, index) => testEndpoint(`i${index}`, { weight }));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const counts = count(random, testCandidates(members), { times: 20_000 });
    weights.forEach((weight, index) => {
      const expected = (weight / total) * 20_000;
      // Five standard deviations of a binomial: the seed is fixed, so it holds always or never.
      expect(Math.abs((counts[`i${index}`] ?? 0) - expected)).toBeLessThan(5 * Math.sqrt(expected));
    });
  });
});

describe('p2c', () => {
  it.each<[string, Parameters<typeof testEndpoint>[1], Parameters<typeof testEndpoint>[1]]>([
    ['the faster', { latencyMs: 10 }, { latencyMs: 11 }],
    ['the less busy', { inFlight: 1 }, { inFlight: 2 }],
    ['a fast busy one over a slow idle one', { latencyMs: 10, inFlight: 1 }, { latencyMs: 30 }],
    ['the one that works over one that fails fast', { latencyMs: 100 }, { latencyMs: 10, successRatio: 0 }],
    ['the heavier of two equals', { weight: 2 }, { weight: 1 }],
    ['the less busy where nobody is measured', { latencyMs: 0, inFlight: 0 }, { latencyMs: 0, inFlight: 3 }],
  ])('of two picks %s', (_name, better, worse) => {
    for (const members of [
      [testEndpoint('better', better), testEndpoint('worse', worse)],
      [testEndpoint('worse', worse), testEndpoint('better', better)],
    ])
      expect(count(p2c, testCandidates(members), { times: 100 })).toEqual({ better: 100 });
  });

  it('picks the slowest of three only when it is drawn twice', () => {
    const members = [testEndpoint('a'), testEndpoint('b'), testEndpoint('slow', { latencyMs: 1_000 })];
    expect(count(p2c, testCandidates(members))['slow'] ?? 0).toBeLessThan(100);
  });

  it('draws by weight', () => {
    const members = [
      ...Array.from({ length: 9 }, (_, index) => testEndpoint(`i${index}`)),
      testEndpoint('cold', { weight: 0.1 }),
    ];
    const { cold = 0 } = count(p2c, testCandidates(members));
    expect(cold).toBeGreaterThan(0);
    expect(cold).toBeLessThan(400);
  });

  it('tries one that nobody picked for 10 s, unless it is busy', () => {
    const slow = testEndpoint('slow', { latencyMs: 1_000, lastStartedAt: 0 });
    const fast = testEndpoint('fast', { lastStartedAt: 9_999 });
    const pick = (now: number) => count(p2c, testCandidates([fast, slow]), { times: 1, now });
    expect(pick(9_999)).toEqual({ fast: 1 });
    expect(pick(10_000)).toEqual({ slow: 1 });
    slow.inFlight = 1;
    expect(pick(10_000)).toEqual({ fast: 1 });
  });
});
