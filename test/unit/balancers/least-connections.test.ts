import { describe, expect, it } from 'vitest';
import { leastConnections, type Balancer, type Candidates } from 'fairlead';
import { seededRandom, testCall, testCandidates, testEndpoint, type TestEndpoint } from 'fairlead/testing';
import { build, countOf, equals, fleetOf, idOf, sequence } from './support.js';

const start = (balancer: Balancer, from: Candidates): TestEndpoint => {
  const picked = balancer.pick(from, testCall()) as TestEndpoint;
  picked.inFlight += 1;
  balancer.started!(picked);
  return picked;
};

const end = (balancer: Balancer, endpoint: TestEndpoint): void => {
  endpoint.inFlight -= 1;
  balancer.settled!(endpoint, 'success', 1);
};

const loadOf = (endpoint: TestEndpoint): number => endpoint.inFlight / endpoint.weight;

describe('exact', () => {
  it('beside a scan of all, while calls come and go: nobody less busy is ever passed by', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed);
      const members = fleetOf(
        Array.from({ length: 2 + Math.floor(random() * 30) }, () => 1 + Math.floor(random() * 4)),
      );
      const balancer = build(leastConnections());
      const flying: TestEndpoint[] = [];
      let out = new Set<TestEndpoint>();
      let from = testCandidates(members);
      for (let step = 0; step < 2_000; step += 1) {
        if (step % 100 === 0) {
          // Those who are out go on settling what they have in flight.
          out = new Set(members.filter((_, index) => index > 0 && random() < 0.2));
          from = testCandidates(members, { eligible: members.filter(endpoint => !out.has(endpoint)), version: step });
        }
        if (random() < 0.52) {
          const least = Math.min(...(from.eligible as TestEndpoint[]).map(loadOf));
          const tried = random() < 0.2 ? from.eligible[0] : undefined;
          const allows = (endpoint: unknown) => from.allows(endpoint as TestEndpoint) && endpoint !== tried;
          const allowed = (from.eligible as TestEndpoint[]).filter(allows);
          const bound = allowed.length > 0 ? Math.min(...allowed.map(loadOf)) : least;
          const picked = start(balancer, { ...from, allows });
          expect((picked.inFlight - 1) / picked.weight, `seed ${seed}, step ${step}`).toBe(bound);
          flying.push(picked);
        } else if (flying.length > 0) {
          end(balancer, flying.splice(Math.floor(random() * flying.length), 1)[0]!);
        }
      }
    }
  });

  it('for one that returns with calls still in flight, and one that ended all of them meanwhile', () => {
    const members = equals(3);
    const [a, b, c] = members as [TestEndpoint, TestEndpoint, TestEndpoint];
    const balancer = build(leastConnections());
    const all = testCandidates(members);
    for (let call = 0; call < 6; call += 1) start(balancer, all);
    expect(members.map(({ inFlight }) => inFlight)).toEqual([2, 2, 2]);
    const without = testCandidates(members, { eligible: [c], version: 2 });
    start(balancer, without);
    end(balancer, b);
    end(balancer, b);
    const back = testCandidates(members, { version: 3 });
    expect([start(balancer, back), start(balancer, back)]).toEqual([b, b]);
    expect(a.inFlight).toBe(2);
    expect(new Set([start(balancer, back), start(balancer, back)])).toEqual(new Set([a, b]));
  });

  it('after a weight changed', () => {
    const [a, b] = equals(2) as [TestEndpoint, TestEndpoint];
    const balancer = build(leastConnections());
    for (let call = 0; call < 4; call += 1) start(balancer, testCandidates([a, b]));
    b.weight = 4;
    const from = testCandidates([a, b], { version: 2 });
    for (let call = 0; call < 6; call += 1) expect(start(balancer, from)).toBe(b);
    expect(loadOf(b)).toBe(loadOf(a));
  });

  it('again within one round, where another subset of the service changed the counts', () => {
    const members = equals(10);
    const balancer = build(leastConnections());
    const from = testCandidates(members);
    for (let call = 0; call < 30; call += 1) start(balancer, from);
    // More than was known is seen at once …
    for (const endpoint of members.slice(1)) endpoint.inFlight = 9;
    members[0]!.inFlight = 8;
    expect(start(balancer, from)).toBe(members[0]);
    // … and fewer after as many picks as there are endpoints.
    members[7]!.inFlight = 0;
    for (let call = 0; call < 10; call += 1) start(balancer, from);
    for (let call = 0; call < 3; call += 1) expect(start(balancer, from)).toBe(members[7]);
  });
});

describe('equals', () => {
  it('take turns', () => {
    const from = testCandidates(equals(4));
    const ids = sequence(build(leastConnections()), from, 40);
    expect([...countOf(ids).values()]).toEqual([10, 10, 10, 10]);
    expect(new Set(ids.slice(0, 4)).size).toBe(4);
  });

  it('take turns by weight, in a service that never has two calls at once', () => {
    const members = fleetOf([5, 1, 1, 3]);
    const balancer = build(leastConnections());
    const ids = Array.from({ length: 1_000 }, () => {
      const picked = start(balancer, testCandidates(members));
      end(balancer, picked);
      return idOf(picked);
    });
    expect([...countOf(ids)].sort()).toEqual([
      ['i0', 500],
      ['i1', 100],
      ['i2', 100],
      ['i3', 300],
    ]);
  });

  it('do not wait for a newcomer or a returning one to catch up', () => {
    const members = fleetOf([1, 1, 2]);
    const balancer = build(leastConnections());
    sequence(balancer, testCandidates(members), 10_000);
    const newcomers = [testEndpoint('n0', { weight: 3 }), testEndpoint('n1', { weight: 1 })];
    const counts = countOf(sequence(balancer, testCandidates([...members, ...newcomers], { version: 2 }), 80));
    expect(counts.get('n0')).toBeLessThanOrEqual(32);
    expect(counts.get('n1')).toBeLessThanOrEqual(11);
  });
});

describe('shares under load', () => {
  it.each([
    ['equals', [1, 1, 1, 1, 1]],
    ['weights', [1, 2, 3, 4, 5]],
    ['a light one', [10, 10, 1]],
  ])('are within 0.5–2 times the weights at a concurrency of 4 n: %s', (_name, weights) => {
    const random = seededRandom(3);
    const members = fleetOf(weights);
    const balancer = build(leastConnections());
    const from = testCandidates(members);
    const counts = new Map(members.map(endpoint => [endpoint, 0]));
    // Each ends at a random moment, whoever it is on.
    const flying = Array.from({ length: 4 * members.length }, () => start(balancer, from));
    for (let call = 0; call < 20_000; call += 1) {
      const slot = Math.floor(random() * flying.length);
      end(balancer, flying[slot]!);
      flying[slot] = start(balancer, from);
      counts.set(flying[slot], counts.get(flying[slot])! + 1);
    }
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [endpoint, count] of counts) {
      const times = count / ((20_000 * endpoint.weight) / total);
      expect(times, idOf(endpoint)).toBeGreaterThan(0.5);
      expect(times, idOf(endpoint)).toBeLessThan(2);
    }
  });
});

describe('weights and counts that are none', () => {
  it.each([0, -1, NaN])('weight %s takes no traffic', weight => {
    const members = equals(3);
    members[1]!.weight = weight;
    expect(new Set(sequence(build(leastConnections()), testCandidates(members), 10))).toEqual(new Set(['i0', 'i2']));
  });

  it.each([NaN, -5, Infinity, 1e9])('%s in flight breaks nothing', inFlight => {
    const members = equals(3);
    members[1]!.inFlight = inFlight;
    const balancer = build(leastConnections());
    expect(sequence(balancer, testCandidates(members), 20)).toContain('i0');
  });

  it('somebody is picked even if nobody has a weight', () => {
    const members = equals(2);
    for (const endpoint of members) endpoint.weight = 0;
    expect(sequence(build(leastConnections()), testCandidates(members), 1)).toEqual(['i0']);
  });
});
