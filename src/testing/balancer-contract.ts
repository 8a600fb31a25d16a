import type { Balancer, BalancerFactory } from '../core/balancer.js';
import type { Endpoint } from '../core/endpoint.js';
import { goesOnInChaos } from './balancer-chaos.js';
import { check, type ContractCase } from './contract-case.js';
import { testCall, testCandidates, testEndpoint, type TestEndpoint } from './test-fleet.js';
import { testRuntime } from './test-runtime.js';

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

/** However slow it was, and however often it failed: what is known of it grows old. One call at a time, 100 a second. */
const forgetsNobody = (fresh: Fresh): void => {
  for (const size of [2, 3, 10]) {
    const fleet = fleetOf(size);
    Object.assign(fleet[0]!, { latencyMs: 60_000, successRatio: 0 });
    const balancer = fresh();
    const from = testCandidates(fleet);
    for (let now = 0; now <= 60_000; now += 10) {
      const picked = balancer.pick(from, testCall({ now, hashKey: `key ${now}` })) as TestEndpoint;
      picked.lastStartedAt = now;
      balancer.started?.(picked);
      balancer.settled?.(picked, 'success', 1);
      // Some more, since one of many is seldom looked at.
      const forgotten = fleet.find(endpoint => now - endpoint.lastStartedAt > 11_000);
      check(forgotten === undefined, `${forgotten?.instance.id} of ${size} got nothing for more than 10 s`);
    }
  }
};

const survivesChange = (fresh: Fresh): void => {
  const balancer = fresh();
  const fleet = fleetOf(10);
  for (let version = 1; version <= 10; version += 1) {
    const from = testCandidates(fleet.slice(0, 11 - version), { version });
    for (const picked of picks(balancer, from, 20)) check(from.eligible.includes(picked), 'picked one that left');
  }
};

/** Nobody tells a balancer's calls apart by a key unless it hashes; and not every call has one. */
const picksWithoutKey = (fresh: Fresh): void => {
  const fleet = fleetOf(5);
  const balancer = fresh();
  const from = testCandidates(fleet);
  const picked = new Set(Array.from({ length: 500 }, (_, turn) => balancer.pick(from, testCall({ now: turn }))));
  check(picked.size === 5, `only ${picked.size} of 5 were ever picked for calls without a key`);
};

const bearsStrangers = (fresh: Fresh): void => {
  const balancer = fresh();
  const [left, never, ...fleet] = fleetOf(5);
  const out = testCandidates([left!, ...fleet], { eligible: fleet });
  balancer.pick(testCandidates([left!, ...fleet]), testCall({ hashKey: 'key' }));
  balancer.pick(testCandidates(fleet, { version: 2 }), testCall({ hashKey: 'key' }));
  // Probes of one that is out are told too, and an attempt may end after its endpoint left.
  for (const endpoint of [left!, never!]) {
    balancer.started?.(endpoint);
    balancer.settled?.(endpoint, 'failure', 10);
  }
  for (const picked of picks(balancer, { ...out, version: 3 }, 100))
    check(fleet.includes(picked), 'picked one that is out');
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
    { name: 'forgets nobody for more than 10 s, however slow or failing', run: () => forgetsNobody(fresh) },
    { name: 'picks for calls without a hash key', run: () => picksWithoutKey(fresh) },
    { name: 'goes on when the set changes under it', run: () => survivesChange(fresh) },
    { name: 'bears to be told of endpoints that are out, left or were never seen', run: () => bearsStrangers(fresh) },
    {
      name: 'goes on while calls are in flight and instances come, go, fall ill and change weight',
      run: () => [1, 2, 3].forEach(seed => goesOnInChaos(fresh(seed), seed)),
    },
  ];
};
