import type { Budget } from '../core/budget.js';
import type { Call } from '../core/call.js';
import type { Emitter } from '../core/events.js';
import type { TimerQueue } from '../core/timer-queue.js';
import type { Transport } from '../core/transport.js';
import type { DiscoveryClient } from '../discovery/discovery-client.js';
import type { HealthPolicy } from '../health/health-policy.js';
import { HealthMonitor } from '../health/monitor.js';
import { httpProbe } from '../health/probe.js';
import { tcpProbe } from '../health/tcp-probe.js';
import type { Guard } from '../layers/guarded.js';
import { CacheStore } from '../layers/cache-store.js';
import { adaptiveGuard } from '../layers/adaptive-concurrency.js';
import { deadlineTimers } from '../layers/deadline.js';
import { ThrottleGuard } from '../layers/throttle.js';
import { AdaptiveConcurrency } from '../machines/adaptive-concurrency.js';
import { Permits } from '../machines/permits.js';
import { Pool } from '../pool/pool.js';
import { RuleRouter } from '../routing/router.js';
import { attemptTimers, type AttemptTimers } from './attempt-timeout.js';
import { EJECTION_DEFAULTS } from './options/ejection.js';
import { RETRY_DEFAULTS } from './options/retry.js';
import type { ResolvedOptions } from './resolve-options.js';
import { somebodyWorks } from './somebody-works.js';
import { ServiceBreaker } from './service-breaker.js';
import { layeredBudget } from './retry-budgets.js';

/** Timers of the lengths that deadlines and attempt timeouts usually have; shared by fetch and call(). */
export interface UsualTimers {
  readonly deadlines: TimerQueue<Call> | undefined;
  readonly attempts: AttemptTimers | undefined;
}

/** What a client keeps between calls, shared by fetch and call(). A stage that is off is `undefined`. */
export interface ClientParts {
  readonly options: ResolvedOptions;
  readonly pool: Pool;
  readonly events: Emitter;
  readonly permits: Permits | undefined;
  readonly breaker: ServiceBreaker | undefined;
  readonly throttle: ThrottleGuard | undefined;
  readonly adaptive: AdaptiveConcurrency | undefined;
  /** What sees each attempt, in order: throttle, breaker, adaptive concurrency. */
  readonly guards: readonly Guard[];
  /** Of retries and hedges; there even where both are off, for calls that ask for them. */
  readonly budget: Budget;
  readonly cache: CacheStore | undefined;
  readonly health: HealthMonitor | undefined;
  readonly timers: UsualTimers;
  readonly known: (call: Call) => Promise<void>;
}

export interface Surroundings {
  readonly events: Emitter;
  readonly discovery: DiscoveryClient;
  readonly transport: Transport;
}

export const clientParts = (options: ResolvedOptions, surroundings: Surroundings): ClientParts => {
  const { events, discovery, transport } = surroundings;
  const { service, runtime, health, bulkhead, retry, cache, circuitBreaker: policy } = options;
  const pool = new Pool({
    ...options,
    router: new RuleRouter(options.route, runtime),
    events,
    // Health checks take instances out without it, too.
    panicRatio: health ? EJECTION_DEFAULTS.panicRatio : undefined,
    left: endpoint => transport.left?.(endpoint),
    refused: instance => discovery.reportRefused(instance),
  });
  const works = (): boolean => policy !== false && somebodyWorks(pool, options, policy);
  const breaker = policy ? new ServiceBreaker({ service, policy, runtime, events, works }) : undefined;
  const throttle = options.throttle ? new ThrottleGuard(options.throttle, () => runtime.random()) : undefined;
  const adaptive = ownLimit(options);
  return {
    options,
    events,
    pool,
    permits: bulkhead ? new Permits(bulkhead.maxInFlight, bulkhead.maxQueue) : undefined,
    breaker,
    throttle,
    adaptive,
    guards: [throttle, breaker, adaptive && adaptiveGuard(adaptive)].filter(guard => guard !== undefined),
    budget: layeredBudget((retry || RETRY_DEFAULTS).budget),
    cache: cache ? new CacheStore(cache) : undefined,
    health: health ? healthMonitor(health, options, surroundings) : undefined,
    timers: usualTimers(options),
    known: call => discovery.whenKnown(service, call.cancellation.signal),
  };
};

const healthMonitor = (
  policy: HealthPolicy,
  { runtime }: ResolvedOptions,
  { transport, discovery }: Surroundings,
): HealthMonitor =>
  new HealthMonitor({
    policy,
    runtime,
    probe: policy.type === 'tcp' ? tcpProbe() : httpProbe(policy, transport),
    failed: ({ held, instance }) => {
      if (held) discovery.reportRefused(instance);
    },
  });

/** Of this client alone, unless it was given one that others use too. */
const ownLimit = ({ adaptiveConcurrency: given, runtime }: ResolvedOptions): AdaptiveConcurrency | undefined => {
  if (given === false) return undefined;
  return 'enter' in given ? given : new AdaptiveConcurrency(given, runtime);
};

const usualTimers = ({ runtime, deadlineMs, attemptTimeoutMs }: ResolvedOptions): UsualTimers => ({
  deadlines: deadlineMs === Infinity ? undefined : deadlineTimers(deadlineMs, runtime),
  attempts: attemptTimeoutMs === false ? undefined : attemptTimers(attemptTimeoutMs, runtime),
});
