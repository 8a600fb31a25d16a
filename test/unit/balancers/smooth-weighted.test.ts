import { describe, expect, it } from 'vitest';
import { smoothWeighted } from 'fairlead';
import { seededRandom, testCall, testCandidates, testEndpoint } from 'fairlead/testing';
import { build, countOf, equals, fleetOf, idOf, sequence } from './support.js';

/** nginx, ngx_http_upstream_round_robin.c: looks at every peer for each pick. */
const nginx = (weights: readonly number[], times: number): string[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const currents = weights.map(() => 0);
  return Array.from({ length: times }, () => {
    weights.forEach((weight, peer) => (currents[peer]! += weight));
    const best = currents.indexOf(Math.max(...currents));
    currents[best]! -= total;
    return `i${best}`;
  });
};

describe("nginx's sequence", () => {
  it('is a a b a c a a for 5, 1, 1', () => {
    const from = testCandidates([testEndpoint('a', { weight: 5 }), testEndpoint('b'), testEndpoint('c')]);
    expect(sequence(build(smoothWeighted()), from, 14).join('')).toBe('aabacaaaabacaa');
  });

  it.each([
    [[1, 5, 1]],
    [[1, 1, 1, 1]],
    [[4, 3, 2, 1]],
    [[10, 1, 10, 1, 10]],
    [[7]],
    [[1000, 1, 999, 2]],
    [[0.5, 0.25, 0.25]],
  ])('for %j', weights => {
    const from = testCandidates(fleetOf(weights));
    expect(sequence(build(smoothWeighted()), from, 5_000)).toEqual(nginx(weights, 5_000));
  });

  it('for a hundred fleets drawn by seed', () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = seededRandom(seed);
      const weights = Array.from({ length: 1 + Math.floor(random() * 40) }, () => 1 + Math.floor(random() * 8));
      const from = testCandidates(fleetOf(weights));
      expect(sequence(build(smoothWeighted()), from, 300), `seed ${seed}`).toEqual(nginx(weights, 300));
    }
  });

  it('goes on where it was when a new set says the same', () => {
    const weights = [5, 1, 1, 3];
    const members = fleetOf(weights);
    const balancer = build(smoothWeighted());
    const ids: string[] = [];
    for (let version = 1; version <= 100; version += 1)
      ids.push(...sequence(balancer, testCandidates([...members], { version }), 3));
    expect(ids).toEqual(nginx(weights, 300));
  });
});

describe('change at run time', () => {
  /** Nobody is ahead of, or behind, its share by more than `bound` picks at any moment. */
  const expectNoBurst = (ids: readonly string[], weights: ReadonlyMap<string, number>, bound: number): void => {
    const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
    const counts = new Map<string, number>();
    let most = 0;
    ids.forEach((id, turn) => {
      counts.set(id, (counts.get(id) ?? 0) + 1);
      most = Math.max(most, counts.get(id)! - ((turn + 1) * weights.get(id)!) / total);
    });
    expect(most).toBeLessThan(bound);
    for (const [id, weight] of weights)
      expect((ids.length * weight) / total - (counts.get(id) ?? 0), `${id} behind`).toBeLessThan(bound);
  };
  const weightsOf = (members: readonly { readonly weight: number; readonly instance: { readonly id: string } }[]) =>
    new Map(members.map(({ instance, weight }) => [instance.id, weight]));

  it.each([
    ['all shrink', [1000, 1000, 10], [1, 1, 1]],
    ['all grow', [1, 1, 1], [1000, 100, 10]],
    ['one grows', [1, 1, 1, 1], [1, 1, 1, 9]],
    ['they change places', [9, 1, 5], [1, 9, 5]],
    ['to fractions', [5, 3], [0.1, 0.3]],
  ])('of weights gives no burst: %s', (_name, before, after) => {
    for (let picks = 0; picks <= 30; picks += 1) {
      const members = fleetOf(before);
      const balancer = build(smoothWeighted());
      sequence(balancer, testCandidates(members), picks);
      members.forEach((endpoint, index) => (endpoint.weight = after[index]!));
      const from = testCandidates([...members], { version: 2 });
      expectNoBurst(sequence(balancer, from, 2_000), weightsOf(members), 3);
    }
  });

  it('of health costs nobody its place, and gives no burst when one returns', () => {
    const members = fleetOf([5, 1, 1, 3, 3]);
    const balancer = build(smoothWeighted());
    for (let round = 0; round < 50; round += 1) {
      const eligible = members.filter((_, index) => index !== round % 5);
      const without = testCandidates(members, { eligible, version: 2 * round });
      expectNoBurst(sequence(balancer, without, 40 + round), weightsOf(eligible), 3);
      const whole = testCandidates(members, { version: 2 * round + 1 });
      expectNoBurst(sequence(balancer, whole, 40 + round), weightsOf(members), 3);
    }
  });

  it('of members makes no newcomer wait, however often it happened', () => {
    const balancer = build(smoothWeighted());
    let members = fleetOf([3, 1, 2, 1]);
    for (let round = 1; round <= 300; round += 1) {
      const newcomer = testEndpoint(`n${round}`, { weight: 1 + (round % 3) });
      members = [...members.slice(1), newcomer];
      const total = members.reduce((sum, { weight }) => sum + weight, 0);
      const ids = sequence(balancer, testCandidates(members, { version: round }), 2 * total + 1);
      const first = ids.indexOf(idOf(newcomer));
      expect(first, `round ${round}`).toBeGreaterThanOrEqual(0);
      expect(first, `round ${round}`).toBeLessThanOrEqual((2 * total) / newcomer.weight);
    }
  });
});

describe('a retry', () => {
  it('goes elsewhere, and leaves the turn to whom it passed by', () => {
    const [a, b, c] = equals(3);
    const balancer = build(smoothWeighted());
    const all = testCandidates([a!, b!, c!]);
    const retry = { ...all, allows: (endpoint: unknown) => endpoint !== a };
    expect(idOf(balancer.pick(retry, testCall()))).toBe('i1');
    expect(sequence(balancer, all, 5)).toEqual(['i0', 'i2', 'i1', 'i0', 'i2']);
  });

  it('that passes by one in two picks takes nothing from the shares of the others', () => {
    const members = fleetOf([5, 1, 1, 2, 2]);
    const balancer = build(smoothWeighted());
    const all = testCandidates(members);
    const ids: string[] = [];
    for (let call = 0; call < 5_500; call += 1) {
      const first = balancer.pick(all, testCall());
      const again = balancer.pick({ ...all, allows: endpoint => endpoint !== first }, testCall());
      expect(again).not.toBe(first);
      ids.push(idOf(first), idOf(again));
    }
    const counts = countOf(ids);
    // The heavy one cannot have both attempts of a call, so the others share the rest by weight.
    expect(counts.get('i3')! / counts.get('i1')!).toBeGreaterThan(1.6);
    expect(Math.abs(counts.get('i1')! - counts.get('i2')!)).toBeLessThan(60);
  });
});

describe('weights that are none', () => {
  it.each([0, -1, NaN])('%s takes no traffic', weight => {
    const members = equals(3);
    members[1]!.weight = weight;
    expect(sequence(build(smoothWeighted()), testCandidates(members), 4)).toEqual(['i0', 'i2', 'i0', 'i2']);
  });

  it('somebody is picked even if nobody has a weight', () => {
    const members = equals(2);
    for (const endpoint of members) endpoint.weight = 0;
    expect(sequence(build(smoothWeighted()), testCandidates(members), 1)).toEqual(['i0']);
  });

  it.each([[[1e308, 1e308, 1]], [[Infinity, Infinity, 1]], [[Number.MIN_VALUE, 1, 1]]])(
    '%j breaks nothing',
    weights => {
      const members = equals(3);
      weights.forEach((weight, index) => (members[index]!.weight = weight));
      const counts = countOf(sequence(build(smoothWeighted()), testCandidates(members), 1_000));
      const heavy = weights.filter(weight => weight >= 1);
      expect([...counts.values()].filter(count => count >= 490)).toHaveLength(2);
      expect(heavy.length).toBeGreaterThanOrEqual(2);
    },
  );
});
