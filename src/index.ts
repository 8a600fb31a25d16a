/** The door "fairlead". */
export { createServiceClient } from './client/client.js';
export type { ServiceClient, ServiceRequestInit } from './client/service-client.js';
export type { Instrument, Send } from './client/instrument.js';
export type { CallOptions, DiscoveryPolicy, LayerOptions, ServiceClientOptions } from './client/options.js';
export type { BulkheadOptions } from './client/options/bulkhead.js';
export type { RateLimitOptions } from './client/options/rate-limit.js';
export type { ThrottleOptions } from './client/options/throttle.js';
export type { ThrottleSnapshot } from './layers/throttle.js';
export type { CacheOptions } from './client/options/cache.js';
export type { CoalesceOptions } from './client/options/coalesce.js';
export type { CallFallback, FetchFallback } from './client/options/fallback.js';
export type { Failure, FallbackFunction } from './layers/fallback.js';
export type { CircuitBreakerOptions } from './client/options/circuit-breaker.js';
export type { OpossumBreaker, OpossumStats } from './client/opossum-breaker.js';
export type { BreakerSnapshot } from './client/service-breaker.js';
export type { HealthOptions } from './client/options/health.js';
export type { EjectionOptions, OutlierOptions } from './client/options/ejection.js';
export type { FixedHedge, HedgeOptions, QuantileHedge } from './client/options/hedge.js';
export type { CallRetryOptions, RetryOptions } from './client/options/retry.js';
export type { RouteOptions, ZoneOptions } from './client/options/route.js';
export type { SubsetOptions } from './client/options/subset.js';
export type { ClientUpdate } from './client/update.js';
export type { CallRoute, RouteFallback } from './routing/decision.js';
export type { RouteMatch } from './routing/match.js';
export type { RouteRule, RouteTarget } from './routing/rules.js';
export type { InstanceSelector } from './routing/selector.js';
export type { RouteSnapshot } from './pool/explain.js';
export { formatExplanation } from './client/format-explanation.js';
export { logEvents, type EventLogger, type LogEventsOptions, type LoggedEvent } from './client/log-events.js';
export type { LogLevel } from './client/log-words.js';
export type { CallExplanation, ErrorExplanation } from './core/explain-call.js';
export type {
  AttemptExplanation,
  DeadlineSource,
  Excluded,
  LimitExplanation,
  Numbers,
  Pause,
  PickExplanation,
  RouteExplanation,
  SetDescription,
} from './core/explanation.js';
export type { Attempted, Classify } from './client/classify.js';
export type { CallFunction, Invocation, ServiceCallOptions } from './client/invocation.js';
export type { ClientSnapshot, InstanceSnapshot } from './client/snapshot.js';
export { fromHystrix, type HystrixMapped, type HystrixProperties } from './client/from-hystrix.js';
export { DEFAULTS } from './client/defaults.js';
export type { InboundHeaders, InboundRequest } from './client/inbound-headers.js';
export { limitProcessRetries, retryBudget } from './client/retry-budgets.js';
export { withClientIp } from './client/with-client-ip.js';
export { remainingMs, withCriticality, withDeadline, withInboundDeadline } from './client/with-deadline.js';

export {
  DiscoveryClient,
  type DiscoveredSet,
  type DiscoveryOptions,
  type DiscoveryStatus,
  type LookupOptions,
  type ServiceObserver,
} from './discovery/discovery-client.js';
export { registerService } from './lifecycle/register-service.js';
export type { RegisterServiceOptions, RegistrationOptions, ServiceServer } from './lifecycle/options.js';
export type { RegisteredService } from './lifecycle/registered-service.js';
export type { FastifyReply, HealthHandler, PlainReply } from './lifecycle/health.js';
export type { ReleaseHook } from './lifecycle/release.js';
export type {
  LifecycleEvent,
  LifecycleEventOf,
  LifecycleEventType,
  LifecyclePhase,
  ServiceState,
} from './core/lifecycle-events.js';
export { mergeRegistries } from './discovery/merge-registries.js';
export type { PickOptions } from './discovery/picker.js';
export { pollingRegistry, type PolledRegistry, type PollingOptions } from './discovery/polling-registry.js';
export { preferRegistry, type PreferRegistryOptions } from './discovery/prefer-registry.js';
export type { SnapshotFiles } from './discovery/snapshot-disk.js';
export type { SnapshotFileOptions } from './discovery/snapshot-options.js';
export { dnsRegistry, type DnsRegistryOptions, type DnsResolver } from './registries/dns.js';
export { memoryRegistry, type MemoryRegistry, type MemoryRegistryOptions } from './registries/memory.js';
export { staticRegistry, type StaticInput } from './registries/static.js';

export { consistentHash } from './balancers/consistent-hash.js';
export type { HashKey } from './balancers/hash-key.js';
export type { ConsistentHashOptions } from './balancers/hash-options.js';
export { leastConnections } from './balancers/least-connections.js';
export { p2c } from './balancers/p2c.js';
export { random } from './balancers/random.js';
export { roundRobin } from './balancers/round-robin.js';
export { smoothWeighted } from './balancers/smooth-weighted.js';

export {
  adaptiveConcurrency,
  type AdaptiveConcurrency,
  type AdaptiveConcurrencyOptions,
  type AdaptiveConcurrencySnapshot,
} from './machines/adaptive-concurrency.js';
export { keyed, type KeyedLimiter, type KeyedOptions, type LimiterKey } from './machines/keyed.js';
export type { AcquireOptions, Limiter, LimiterSnapshot } from './machines/limiter.js';
export { slidingWindow, type SlidingWindow, type SlidingWindowOptions } from './machines/sliding-window.js';
export { tokenBucket, type Reservation, type TokenBucket, type TokenBucketOptions } from './machines/token-bucket.js';

export { CircuitBreaker, type CircuitSnapshot } from './machines/circuit-breaker.js';
export type { CircuitBreakerSettings, CircuitChange } from './machines/circuit-breaker-options.js';
export type { BreakerCounts } from './machines/breaker-rules.js';

export { compose, type Call, type CallPolicy, type Dispatch, type Layer } from './core/call.js';
export { Cancellation } from './core/cancellation.js';
export {
  FairleadError,
  isFairleadError,
  type FairleadErrorCode,
  type FairleadErrorDetails,
  type RefusedCode,
  type RegistryCode,
  type TimeoutCode,
} from './core/errors.js';
export type { ClientEvent, EventOf, EventType } from './core/events.js';
export type { Budget } from './core/budget.js';
export type { Jitter, RetryContext, ShouldRetry } from './core/policy.js';
export type { Criticality, Propagated } from './core/shared.js';
export type { RetryBudgetOptions } from './machines/retry-budget.js';
export type { Balancer, BalancerFactory, Candidates } from './core/balancer.js';
export type { Endpoint } from './core/endpoint.js';
export { REFUSED, type Gate } from './core/gate.js';
export type { InstanceInput, InstancePatch, InstanceStatus, ServiceInstance } from './core/instance.js';
export type { Outcome, Verdict } from './core/outcome.js';
export { recordOf, type CallRecord, type Ending, type Source } from './core/record.js';
export type {
  ConfigSource,
  RegisterOptions,
  Registrar,
  Registration,
  RegistrationEvent,
  Registry,
  RegistryProblem,
  WatchContext,
} from './core/registry.js';
export { systemRuntime, type Runtime } from './core/runtime.js';
export type { OutboundRequest, Transport, TransportContext } from './core/transport.js';
export { WATCH_BODY, type BodyObserver, type WatchedResponse } from './core/watched-body.js';
