import type { Balancer, Candidates } from 'fairlead';
import { seededRandom, testCall, type TestEndpoint } from 'fairlead/testing';
import { PeakEwma } from '../../../src/machines/peak-ewma.js';

export interface Simulation {
  readonly balancer: Balancer;
  readonly from: Candidates;
  /** Callers, each with its next call as soon as the last ended. */
  readonly concurrency: number;
  readonly calls: number;
  readonly seed: number;
  /** @default exponential, 10 ms in the mean */
  readonly serviceMs?: (endpoint: TestEndpoint, random: () => number) => number;
  /** Who serves from now on; asked before each call. */
  readonly before?: (now: number) => Candidates | undefined;
  readonly picked?: (endpoint: TestEndpoint, now: number) => void;
}

interface Flight {
  readonly endpoint: TestEndpoint;
  readonly startedAt: number;
  readonly endsAt: number;
}

export const exponential = (meanMs: number, random: () => number): number => -Math.log(1 - random()) * meanMs;

/** Calls over time without a client: latencies and calls in flight are kept as a pool keeps them. Counts calls by instance. */
export const simulate = ({ balancer, concurrency, calls, seed, ...own }: Simulation): Map<TestEndpoint, number> => {
  const { serviceMs = (_endpoint, random) => exponential(10, random), before, picked } = own;
  const random = seededRandom(seed);
  const counts = new Map<TestEndpoint, number>();
  const latencies = new Map<TestEndpoint, PeakEwma>();
  const flying: Flight[] = [];
  let { from } = own;
  let now = 0;
  const start = (call: number): void => {
    from = before?.(now) ?? from;
    const endpoint = balancer.pick(from, testCall({ now, hashKey: `${seed} ${call}` })) as TestEndpoint;
    endpoint.inFlight += 1;
    endpoint.lastStartedAt = now;
    balancer.started?.(endpoint);
    counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
    picked?.(endpoint, now);
    flying.push({ endpoint, startedAt: now, endsAt: now + serviceMs(endpoint, random) });
  };
  const end = (): void => {
    let first = 0;
    for (let at = 1; at < flying.length; at += 1) if (flying[at]!.endsAt < flying[first]!.endsAt) first = at;
    const [{ endpoint, startedAt, endsAt }] = flying.splice(first, 1) as [Flight];
    now = endsAt;
    endpoint.inFlight -= 1;
    let latency = latencies.get(endpoint);
    if (latency === undefined) latencies.set(endpoint, (latency = new PeakEwma(10_000)));
    latency.observe(now - startedAt, now);
    endpoint.latencyMs = latency.value;
    balancer.settled?.(endpoint, 'success', now - startedAt);
  };
  for (let call = 0; call < calls; call += 1) {
    if (flying.length === concurrency) end();
    start(call);
  }
  while (flying.length > 0) end();
  return counts;
};
