import type { BalancerFactory } from '../core/balancer.js';
import type { Call, Layer } from '../core/call.js';
import type { ClientEvent } from '../core/events.js';
import type { Registry } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';
import type { Transport } from '../core/transport.js';
import type { DiscoveryClient } from '../discovery/discovery-client.js';
import type { DiscoveryOptions } from '../discovery/options.js';
import type { PolledRegistry } from '../discovery/polling-registry.js';
import type { CallRoute } from '../routing/decision.js';
import type { Classify } from './classify.js';
import type { Instrument } from './instrument.js';
import type { KeyedLimiter } from '../machines/keyed.js';
import type { Limiter } from '../machines/limiter.js';
import type { AdaptiveConcurrency, AdaptiveConcurrencyOptions } from '../machines/adaptive-concurrency.js';
import type { RateLimitOptions } from './options/rate-limit.js';
import type { ThrottleOptions } from './options/throttle.js';
import type { BulkheadOptions } from './options/bulkhead.js';
import type { CacheOptions } from './options/cache.js';
import type { CircuitBreakerOptions } from './options/circuit-breaker.js';
import type { CoalesceOptions } from './options/coalesce.js';
import type { FetchFallback } from './options/fallback.js';
import type { EjectionOptions } from './options/ejection.js';
import type { HealthOptions } from './options/health.js';
import type { HedgeOptions } from './options/hedge.js';
import type { CallRetryOptions, RetryOptions } from './options/retry.js';
import type { RouteOptions } from './options/route.js';
import type { SubsetOptions } from './options/subset.js';

export interface LayerOptions {
  /** Around the whole call, outside everything else; the first is outermost. */
  readonly call?: readonly Layer<unknown>[] | undefined;
  /** Around each attempt, before an instance is chosen. */
  readonly attempt?: readonly Layer<unknown>[] | undefined;
}

/** Of the DiscoveryClient that a service client makes for itself. */
export type DiscoveryPolicy = Pick<
  DiscoveryOptions,
  'ttlMs' | 'firstTimeoutMs' | 'maxStaleMs' | 'holdDropRatio' | 'holdMs' | 'snapshotFile'
>;

/** What `createServiceClient` takes. `false` switches a stage off; `undefined` means the default. */
export interface ServiceClientOptions extends DiscoveryPolicy {
  /** The name under which instances are registered, and the host in URLs given to `fetch`. */
  readonly service: string;
  /** Where instances are found; without a method `watch` it is asked every `ttlMs`. Either this or `discovery`. */
  readonly registry?: Registry | PolledRegistry | undefined;
  /** A DiscoveryClient shared by several clients; never closed by one of them. */
  readonly discovery?: DiscoveryClient | undefined;
  /** Instances that are `warning` serve too. @default false */
  readonly includeWarning?: boolean | undefined;
  /** For the whole call up to the headers, in ms, > 0; `false`: none. @default 15_000 (Envoy) */
  readonly deadlineMs?: number | false | undefined;
  /**
   * For one attempt up to the headers, in ms, > 0; `false`: none. The default applies only while another attempt is
   * possible: cutting the last one gains nothing. @default 5_000
   */
  readonly attemptTimeoutMs?: number | false | undefined;
  /** Your own verdict on an attempt; `undefined` from it means the default rule. */
  readonly classify?: Classify<unknown> | undefined;
  readonly retry?: RetryOptions | false | undefined;
  /** A second attempt beside one that takes long, for idempotent calls; `{}`: at the 95th percentile. @default false */
  readonly hedge?: HedgeOptions | false | undefined;
  /**
   * Instances are told the time left, the attempt and the criticality in headers (`x-request-…`; your own ones stay):
   * `'inherited'`: by calls made inside `withDeadline` and the like; `'always'`; `false`: never. @default 'inherited'
   */
  readonly propagate?: 'inherited' | 'always' | false | undefined;
  /** How many logical calls may be made: a limiter, or one with a `mode`. @default false */
  readonly rateLimit?: Limiter | KeyedLimiter<Call> | RateLimitOptions | false | undefined;
  readonly bulkhead?: BulkheadOptions | false | undefined;
  /** Refuses by itself what an overloaded service would refuse; `true`: with the defaults. @default false */
  readonly throttle?: ThrottleOptions | boolean | undefined;
  /** Attempts in flight, by what they take; `true`: with the defaults; a limit may be shared by clients. @default false */
  readonly adaptiveConcurrency?: AdaptiveConcurrencyOptions | AdaptiveConcurrency | boolean | undefined;
  /** Refuses attempts while the whole service fails; see also `client.breaker`. On by default. */
  readonly circuitBreaker?: CircuitBreakerOptions | false | undefined;
  /** What answers when a fetch failed: a Response, or a function that returns one. @default false */
  readonly fallback?: FetchFallback | false | undefined;
  /** Keeps answers to GET as their `Cache-Control` allows, and serves stale ones when the service fails. @default false */
  readonly cache?: CacheOptions | false | undefined;
  /** Identical GETs in flight at the same time are sent once; each caller gets its own Response. @default false */
  readonly coalesce?: CoalesceOptions | boolean | undefined;
  readonly ejection?: EjectionOptions | false | undefined;
  /** Asks each instance in the background whether it is well. @default false */
  readonly health?: HealthOptions | false | undefined;
  /** @default p2c() */
  readonly balancer?: BalancerFactory | undefined;
  /** A new or returned instance takes its full share after this, in ms; 0 = at once. @default 30_000 */
  readonly slowStartMs?: number | undefined;
  /** Which part of the fleet a call goes to: by version, zone, tags or metadata, with shares. @default false: anywhere */
  readonly route?: RouteOptions | false | undefined;
  /** Of a fleet of more than 100 instances this client uses so many. @default false: all */
  readonly subset?: SubsetOptions | false | undefined;
  /** `'any'` follows redirects that leave the instance. @default 'same-origin' */
  readonly redirects?: 'same-origin' | 'any' | undefined;
  /** `'all'`: the record of each call tells who each attempt could go to, not only of calls with a failed one. @default 'failures' */
  readonly explain?: 'failures' | 'all' | undefined;
  /** Is told everything; may throw without harm. See also `client.on`. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
  readonly layers?: LayerOptions | undefined;
  /** What watches calls and attempts, such as `tracing()` and `metrics()`; the first is outermost. @default none */
  readonly instruments?: readonly Instrument[] | undefined;
  /** How bytes travel. @default runtime.fetch */
  readonly transport?: Transport | undefined;
  /** Time, chance and the network. @default the system's */
  readonly runtime?: Runtime | undefined;
}

/** What one call may decide for itself, in `init.fairlead` and in the options of `call()`. */
export interface CallOptions {
  /** For hashing balancers: calls with the same key go to the same instance. */
  readonly hashKey?: string | undefined;
  /** As the client's; the tighter of this and an inherited one counts. */
  readonly deadlineMs?: number | false | undefined;
  /** As the client's, but an explicit number always applies. */
  readonly attemptTimeoutMs?: number | false | undefined;
  /** What differs from the client's; `false`: one attempt. */
  readonly retry?: CallRetryOptions | false | undefined;
  /** Instead of the client's; `false`: none. */
  readonly hedge?: HedgeOptions | false | undefined;
  /** May it be sent twice? @default by method and `Idempotency-Key`; `false` for `call()` */
  readonly idempotent?: boolean | undefined;
  /** Which instances, before what the client's rules say. */
  readonly route?: CallRoute | undefined;
  /** As the client's. */
  readonly explain?: 'failures' | 'all' | undefined;
  /** Answers if this call fails, instead of the client's; `false`: nothing does. */
  readonly fallback?: FetchFallback | false | undefined;
}

/** What fetch and `call()` have in common. */
export type LogicalCallOptions = Omit<CallOptions, 'fallback'>;
