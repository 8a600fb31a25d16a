import type { Balancer, BalancerFactory, Candidates, Endpoint } from 'fairlead';
import { testCall, testEndpoint, testRuntime, type TestEndpoint } from 'fairlead/testing';

export const build = (factory: BalancerFactory, seed = 1): Balancer => factory(testRuntime({ seed }));

export const fleetOf = (weights: readonly number[]): TestEndpoint[] =>
  weights.map((weight, index) => testEndpoint(`i${index}`, { weight }));

export const equals = (count: number): TestEndpoint[] => fleetOf(Array.from({ length: count }, () => 1));

export const idOf = (endpoint: Endpoint): string => endpoint.instance.id;

/** The ids that so many picks give, one after the other. */
export const sequence = (balancer: Balancer, from: Candidates, times: number): string[] =>
  Array.from({ length: times }, () => idOf(balancer.pick(from, testCall())));

export const countOf = (ids: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
};

/** Six standard deviations of a binomial: the seed is fixed, so it holds always or never. */
export const binomialBound = (times: number, share: number): number => 6 * Math.sqrt(times * share * (1 - share)) + 1;
