import { describe, expect, it } from 'vitest';
import {
  createServiceClient,
  staticRegistry,
  type ServiceClient,
  type ServiceClientOptions,
  type ServiceInstance,
  type Transport,
} from 'fairlead';
import { testRuntime, type TestRuntime } from 'fairlead/testing';

/** Each tier has so many instances, each with a client of its own for the tier below. */
const INSTANCES = 2;
const PER_SECOND = 200;

interface Tier {
  /** Logical calls made to it, and requests that arrived, since the outage began. */
  calls: number;
  requests: number;
}

interface Chain {
  readonly runtime: TestRuntime;
  /** Calls made at the top. */
  readonly call: () => Promise<void>;
  /** From the top down. */
  readonly tiers: readonly Tier[];
  down: boolean;
}

/** edge → orders → users → database; each service answers 502 when the one below it fails. */
const chain = (options: Partial<ServiceClientOptions>, failsAfterMs: number): Chain => {
  const services = ['orders', 'users', 'database'];
  const tiers = services.map((): Tier => ({ calls: 0, requests: 0 }));
  const runtime = testRuntime();
  // Below the client's whole pipeline: a fetch with real Requests would take most of the time of this test.
  const transport: Transport = {
    send: (_request, { instance }) => serve(instance),
    sendCancellable: (_request, { instance }) => serve(instance),
  };
  const clientOf = (tier: number): ServiceClient =>
    createServiceClient({
      service: services[tier]!,
      registry: staticRegistry(
        Array.from({ length: INSTANCES }, (_, index) => ({ address: `10.0.${tier}.${index}`, port: 80 })),
      ),
      runtime,
      transport,
      circuitBreaker: false,
      ...options,
    });
  const edge = clientOf(0);
  const below = [1, 2].map(tier => Array.from({ length: INSTANCES }, () => clientOf(tier)));
  const callTier = async (client: ServiceClient, tier: number): Promise<Response> => {
    tiers[tier]!.calls += 1;
    const response = await client.fetch('/').catch(() => new Response(null, { status: 502 }));
    return new Response(null, { status: response.ok ? 200 : 502 });
  };
  const serve = async ({ address }: ServiceInstance): Promise<Response> => {
    const [, , tier, instance] = address.split('.').map(Number);
    tiers[tier!]!.requests += 1;
    if (tier === 2 && made.down) await runtime.sleep(failsAfterMs);
    if (tier === 2) return new Response(null, { status: made.down ? 503 : 200 });
    return callTier(below[tier!]![instance!]!, tier! + 1);
  };
  const made = { runtime, tiers, down: false, call: async () => void (await callTier(edge, 0)) };
  return made;
};

const load = async (at: Chain, forMs: number): Promise<void> => {
  const stepMs = 100;
  for (let ms = 0; ms < forMs; ms += stepMs) {
    for (let call = 0; call < (PER_SECOND * stepMs) / 1_000; call += 1) void at.call();
    await at.runtime.advance(stepMs);
  }
};

interface Outage {
  readonly forMs?: number;
  /** The lowest tier fails after so long, not at once. */
  readonly failsAfterMs?: number;
}

/** Requests that arrive at each tier, for each call that is made to it, while the lowest one is down. */
const amplification = async (
  options: Partial<ServiceClientOptions>,
  { forMs = 60_000, failsAfterMs = 0 }: Outage = {},
): Promise<number[]> => {
  const at = chain(options, failsAfterMs);
  await load(at, 20_000);
  at.down = true;
  for (const tier of at.tiers) tier.calls = tier.requests = 0;
  await load(at, forMs);
  await at.runtime.advance(5_000);
  return at.tiers.map(({ calls, requests }) => requests / calls);
};

describe('an outage at the end of a chain of three services, 200 calls a second, without breakers', () => {
  it('of 60 s adds at most a fifth to the load of each', async () => {
    const factors = await amplification({});
    for (const factor of factors) expect(factor).toBeLessThanOrEqual(1.2);
    // Retries are not off: a few a second are always tried.
    for (const factor of factors) expect(factor).toBeGreaterThan(1.02);
  }, 60_000);

  it('without budgets more than doubles it, at each tier, and so comes to a multiple at the end', async () => {
    const factors = await amplification({ retry: { budget: false } }, { forMs: 1_000 });
    for (const factor of factors) expect(factor).toBeGreaterThan(2);
    expect(factors.reduce((product, factor) => product * factor)).toBeGreaterThan(20);
  }, 60_000);

  it('of 60 s that shows late: hedges add nothing to it, since they pay from the same budget', async () => {
    const factors = await amplification({ hedge: { afterMs: 100 } }, { failsAfterMs: 500 });
    for (const factor of factors) expect(factor).toBeLessThanOrEqual(1.2);
    for (const factor of factors) expect(factor).toBeGreaterThan(1.02);
  }, 60_000);
});
