import { describe, expect, it } from 'vitest';
import {
  consistentHash,
  leastConnections,
  p2c,
  random,
  roundRobin,
  smoothWeighted,
  type BalancerFactory,
  type Runtime,
} from 'fairlead';
import { testCall, testCandidates, testRuntime } from 'fairlead/testing';
import { fleetOf } from './support.js';

const PICKS = 20_000;

/** Chance that allocates nothing itself: a fraction is a number on the heap. */
const runtime: Runtime = { ...testRuntime(), random: () => 0 };

/** Bytes that a pick leaves on the heap: of several runs the least, since a run may share its time with the compiler. */
const bytesOf = (make: () => BalancerFactory): number => {
  const balancer = make()(runtime);
  const from = testCandidates(fleetOf([1, 2, 1, 3, 2, 1, 1, 5]));
  const calls = Array.from({ length: 64 }, (_, index) => testCall({ hashKey: `key ${index}` }));
  const run = (): number => {
    const before = process.memoryUsage().heapUsed;
    for (let pick = 0; pick < PICKS; pick += 1) balancer.pick(from, calls[pick & 63]!);
    return (process.memoryUsage().heapUsed - before) / PICKS;
  };
  for (let warmUp = 0; warmUp < 5; warmUp += 1) run();
  return Math.min(...Array.from({ length: 20 }, run).filter(bytes => bytes >= 0));
};

describe('a pick allocates nothing', () => {
  it.each<[string, () => BalancerFactory]>([
    ['roundRobin()', roundRobin],
    ['smoothWeighted()', smoothWeighted],
    ['leastConnections()', leastConnections],
    ['random()', random],
    ['p2c()', p2c],
    ['consistentHash(), ring', () => consistentHash()],
    ['consistentHash(), maglev', () => consistentHash({ algorithm: 'maglev' })],
  ])('%s', (_name, make) => {
    // The smallest object takes 16 bytes.
    expect(bytesOf(make)).toBeLessThan(2);
  });

  it('which this would notice', () => {
    const wasteful: BalancerFactory = () => ({ pick: from => [...from.eligible].reverse()[0]! });
    expect(bytesOf(() => wasteful)).toBeGreaterThan(16);
  });
});
