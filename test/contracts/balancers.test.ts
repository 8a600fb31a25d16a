import { describe, it } from 'vitest';
import { consistentHash, leastConnections, p2c, random, roundRobin, smoothWeighted } from 'fairlead';
import { balancerContract } from 'fairlead/testing';

describe.each([
  ['roundRobin()', () => roundRobin()],
  ['smoothWeighted()', () => smoothWeighted()],
  ['leastConnections()', () => leastConnections()],
  ['consistentHash()', () => consistentHash()],
  ["consistentHash({ algorithm: 'maglev' })", () => consistentHash({ algorithm: 'maglev' })],
  ['consistentHash({ maxLoadRatio: 1.25 })', () => consistentHash({ maxLoadRatio: 1.25 })],
  ['random()', () => random()],
  ['p2c()', () => p2c()],
])('%s', (_name, make) => {
  it.each(balancerContract(make).map(({ name, run }) => [name, run] as const))('%s', (_rule, run) => run());
});
