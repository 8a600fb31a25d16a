import type { Balancer, BalancerFactory } from '../core/balancer.js';
import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import { toInstance } from '../core/instance.js';
import type { ContractCase } from './contract-case.js';
import { testRuntime } from './test-runtime.js';

/** An endpoint with numbers to play with, for tests of balancers. */
export interface TestEndpoint extends Endpoint {
  weight: number;
  inFlight: number;
  latencyMs: number;
  successRatio: number;
  lastStartedAt: number;
  availableAt: number;
}

export const testEndpoint = (id: string, numbers: Partial<TestEndpoint> = {}): TestEndpoint => ({
  instance: toInstance({ id, service: 'test', address: '127.0.0.1', port: 1 }),
  weight: 1,
  inFlight: 0,
  latencyMs: 10,
  successRatio: 1,
  lastStartedAt: 0,
  availableAt: 0,
  ...numbers,
});

/** Candidates as a pool would offer them: `eligible` defaults to all members, and `tried` is what the call tried. */
export const testCandidates = (
  members: readonly Endpoint[],
  {
    eligible = members,
    tried = [],
    version = 1,
  }: { eligible?: readonly Endpoint[]; tried?: readonly Endpoint[]; version?: number } = {},
) => ({
  members,
  eligible,
  version,
  allows: (endpoint: Endpoint) => eligible.includes(endpoint) && !tried.includes(endpoint),
});

/** The little of a call that a balancer reads. */
export const testCall = ({ now = 0, hashKey }: { now?: number; hashKey?: string } = {}): Call =>
  ({ now, hashKey, tried: [] }) as unknown as Call;

const check = (holds: boolean, message: string): void => {
  if (!holds) throw new Error(message);
};

/** Names of the fleet's members, enough for every case. */
const fleetOf = (size: number): TestEndpoint[] => Array.from({ length: size }, (_, index) => testEndpoint(`i${index}`));

const picks = (balancer: Balancer, from: ReturnType<typeof testCandidates>, times: number): Endpoint[] =>
  Array.from({ length: times }, (_, turn) => balancer.pick(from, testCall({ now: turn, hashKey: `key ${turn}` })));

type Fresh = (seed?: number) => Balancer;

const picksEligible = (fresh: Fresh): void => {
  for (const size of [1, 2, 3, 10, 100]) {
    const from = testCandidates(fleetOf(size));
    for (const picked of picks(fresh(), from, 200))
      check(from.eligible.includes(picked), `picked a stranger of ${size}`);
  }
};

const picksNobodyOut = (fresh: Fresh): void => {
  const fleet = fleetOf(6);
  const from = testCandidates(fleet, { eligible: fleet.slice(0, 2) });
  for (const picked of picks(fresh(), from, 200)) check(from.eligible.includes(picked), 'picked one that is out');
};

const picksUntried = (fresh: Fresh): void => {
  for (const size of [2, 3, 10])
    for (let seed = 1; seed <= 20; seed += 1) {
      const fleet = fleetOf(size);
      const from = testCandidates(fleet, { tried: fleet.slice(1) });
      check(fresh(seed).pick(from, testCall()) === fleet[0], `picked one that was tried, of ${size}`);
    }
};

const picksWhenAllTried = (fresh: Fresh): void => {
  const fleet: readonly Endpoint[] = fleetOf(3);
  check(fleet.includes(fresh().pick(testCandidates(fleet, { tried: fleet }), testCall())), 'picked nobody');
};

const starvesNobody = (fresh: Fresh): void => {
  const picked = new Set(picks(fresh(), testCandidates(fleetOf(5)), 500));
  check(picked.size === 5, `only ${picked.size} of 5 were ever picked`);
};

const survivesChange = (fresh: Fresh): void => {
  const balancer = fresh();
  const fleet = fleetOf(10);
  for (let version = 1; version <= 10; version += 1) {
    const from = testCandidates(fleet.slice(0, 11 - version), { version });
    for (const picked of picks(balancer, from, 20)) check(from.eligible.includes(picked), 'picked one that left');
  }
};

/**
 * What the pool relies on, as cases for any test runner:
 * `for (const { name, run } of balancerContract(() => mine())) it(name, run);`
 */
export const balancerContract = (make: () => BalancerFactory): readonly ContractCase[] => {
  const fresh: Fresh = (seed = 1) => make()(testRuntime({ seed }));
  return [
    { name: 'picks an eligible endpoint, whatever the size of the fleet', run: () => picksEligible(fresh) },
    { name: 'picks nobody who is not eligible', run: () => picksNobodyOut(fresh) },
    { name: 'picks somebody the call has not tried, if there is one', run: () => picksUntried(fresh) },
    { name: 'picks somebody even when all were tried', run: () => picksWhenAllTried(fresh) },
    { name: 'starves nobody', run: () => starvesNobody(fresh) },
    { name: 'goes on when the set changes under it', run: () => survivesChange(fresh) },
  ];
};
