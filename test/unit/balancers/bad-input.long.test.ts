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
import { testCall, testCandidates, testEndpoint, testRuntime, type TestEndpoint } from 'fairlead/testing';
import { toInstance } from '../../../src/core/instance.js';

const BALANCERS: readonly [name: string, make: () => BalancerFactory][] = [
  ['roundRobin()', roundRobin],
  ['smoothWeighted()', smoothWeighted],
  ['leastConnections()', leastConnections],
  ['random()', random],
  ['p2c()', p2c],
  ['consistentHash(), ring', () => consistentHash()],
  ['consistentHash(), maglev', () => consistentHash({ algorithm: 'maglev' })],
  ['consistentHash(), bounded', () => consistentHash({ maxLoadRatio: 1.25 })],
];

/** As no registry of ours lists it: the weight of the instance itself, past the check. */
const withWeight = (id: string, weight: number): TestEndpoint => {
  const endpoint = testEndpoint(id);
  return { ...endpoint, weight, instance: { ...endpoint.instance, weight } };
};

const picks = (make: () => BalancerFactory, members: readonly TestEndpoint[]): Set<string> => {
  const balancer = make()(testRuntime({ seed: 1 }));
  const from = testCandidates(members);
  const ids = new Set<string>();
  for (let turn = 0; turn < 400; turn += 1) {
    const picked = balancer.pick(from, testCall({ now: turn, hashKey: `key ${turn}` })) as TestEndpoint;
    picked.inFlight += 1;
    balancer.started?.(picked);
    picked.inFlight -= 1;
    balancer.settled?.(picked, 'success', 1);
    ids.add(picked.instance.id);
  }
  return ids;
};

describe('a weight', () => {
  it.each([-1, NaN, -Infinity, Infinity])('of %s is refused where instances come in', weight => {
    const input = { service: 'users', address: '10.0.0.1', port: 1 };
    expect(() => toInstance({ ...input, weight })).toThrow(RangeError);
    expect(() => toInstance({ ...input, metadata: { weight: String(weight) } })).toThrow(/weight .* is not >= 0/);
  });

  it.each(BALANCERS)('that is none takes no traffic, and hangs nobody: %s', (_name, make) => {
    for (const weight of [0, -1, NaN, -Infinity])
      expect(picks(make, [withWeight('a', 1), withWeight('odd', weight), withWeight('b', 1)]), `${weight}`).toEqual(
        new Set(['a', 'b']),
      );
  });

  it.each(BALANCERS)('that is none, of all: somebody is picked all the same: %s', (_name, make) => {
    for (const weight of [0, -1, NaN]) {
      const members = [withWeight('a', weight), withWeight('b', weight), withWeight('c', weight)];
      expect(picks(make, members).size, `${weight}`).toBeGreaterThan(0);
    }
  });

  it.each(BALANCERS)('that is huge or a fraction: all of the same share alike: %s', (_name, make) => {
    for (const weight of [1e308, Infinity, 1e12, 0.001, 1e-9])
      expect(
        picks(make, [withWeight('a', weight), withWeight('b', weight), withWeight('c', weight)]),
        `${weight}`,
      ).toEqual(new Set(['a', 'b', 'c']));
  });
});
