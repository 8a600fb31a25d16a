import { describe, it } from 'vitest';
import { p2c, random, roundRobin } from 'fairlead';
import { balancerContract } from 'fairlead/testing';

describe.each([
  ['roundRobin()', roundRobin],
  ['random()', random],
  ['p2c()', p2c],
])('%s', (_name, make) => {
  it.each(balancerContract(make).map(({ name, run }) => [name, run] as const))('%s', (_rule, run) => run());
});
