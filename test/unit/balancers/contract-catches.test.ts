import { expect, it } from 'vitest';
import { p2c, type BalancerFactory, type Endpoint } from 'fairlead';
import { balancerContract } from 'fairlead/testing';

/** The rules of the contract that a balancer breaks. */
const broken = (make: () => BalancerFactory): string[] =>
  balancerContract(make).flatMap(({ name, run }) => {
    try {
      void run();
      return [];
    } catch {
      return [name];
    }
  });

const busy = ({ latencyMs, inFlight }: Endpoint): number => latencyMs * (inFlight + 1);

it.each<[string, BalancerFactory, string]>([
  ['whoever is first', () => ({ pick: from => from.eligible[0]! }), 'starves nobody'],
  [
    'any member, healthy or not',
    runtime => ({ pick: from => from.members[Math.floor(runtime.random() * from.members.length)]! }),
    'picks nobody who is not eligible',
  ],
  [
    'any eligible one, tried or not',
    runtime => ({ pick: from => from.eligible[Math.floor(runtime.random() * from.eligible.length)]! }),
    'picks somebody the call has not tried, if there is one',
  ],
  [
    'the fastest, and the slow ones never again',
    () => ({
      pick: from =>
        from.eligible.filter(endpoint => from.allows(endpoint)).sort((a, b) => busy(a) - busy(b))[0] ??
        from.eligible[0]!,
    }),
    'forgets nobody for more than 10 s, however slow or failing',
  ],
])('the contract catches who picks %s', (_what, balancer, rule) => {
  expect(broken(() => balancer)).toContain(rule);
});

it('and finds nothing where nothing is', () => {
  expect(broken(p2c)).toEqual([]);
});
