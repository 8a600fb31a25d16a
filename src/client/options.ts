import type { BalancerFactory } from '../core/balancer.js';
import type { Layer } from '../core/call.js';
import type { ClientEvent } from '../core/events.js';
import type { Registry } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';
import type { Transport } from '../core/transport.js';
import type { DiscoveryClient } from '../discovery/discovery-client.js';
import type { RetryBudgetOptions } from '../machines/retry-budget.js';
import type { Classify } from './classify.js';

export interface RetryOptions {
  /** Attempts of one call, the first included, 1–10. @default 3 */
  readonly maxAttempts?: number | undefined;
  /** The first wait is drawn from 0 up to this, in ms, 0–60 000; it doubles each time. @default 25 (Envoy) */
  readonly baseMs?: number | undefined;
  /** No wait is longer, in ms, 0–60 000. @default 250 (Envoy) */
  readonly maxMs?: number | undefined;
  /** How many retries the traffic carries. @default { ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 } (Finagle) */
  readonly budget?: RetryBudgetOptions | undefined;
}

export interface BulkheadOptions {
  /** Logical calls at once, >= 1. @default 1_000 (Polly) */
  readonly maxInFlight?: number | undefined;
  /** Calls that may wait for a place, >= 0. @default 10_000 */
  readonly maxQueue?: number | undefined;
}

export interface EjectionOptions {
  /** An instance is out after so many failures in a row, 1–1 000; `false`: by ratio only. @default 5 (Envoy) */
  readonly consecutiveFailures?: number | false | undefined;
  /** … or when this share of its attempts failed, 0–1. @default 0.5 (Hystrix) */
  readonly failureRatio?: number | undefined;
  /** … of at least so many, 1–100 000. @default 20 (Hystrix) */
  readonly minCalls?: number | undefined;
  /** … within this time, in ms, 1 000–600 000. @default 10_000 */
  readonly windowMs?: number | undefined;
  /** How long it is out the first time, in ms, 10–600 000; doubles each time. @default 5_000 */
  readonly baseMs?: number | undefined;
  /** … and at most, in ms, 10–600 000. @default 10_000 */
  readonly maxMs?: number | undefined;
  /** No more than this share of the instances is out at once, 0–1; never the last one. @default 0.5 */
  readonly maxEjectedRatio?: number | undefined;
  /** When fewer than this share may serve, all do, 0–1; 0 = never. @default 0.3 */
  readonly panicRatio?: number | undefined;
  /** Attempts at once that try a returning instance, 1–100. @default 1 */
  readonly probes?: number | undefined;
  /** How many of them have to succeed, 1–100. @default 2 */
  readonly successesToClose?: number | undefined;
}

export interface LayerOptions {
  /** Around the whole call, outside everything else; the first is outermost. */
  readonly call?: readonly Layer<unknown>[] | undefined;
  /** Around each attempt, before an instance is chosen. */
  readonly attempt?: readonly Layer<unknown>[] | undefined;
}

export interface DiscoveryPolicy {
  /** How long a service that nobody uses stays watched, in ms. @default 30_000 */
  readonly ttlMs?: number | undefined;
  /** How long the first call waits for the first set, in ms. @default 5_000 */
  readonly firstTimeoutMs?: number | undefined;
  /** A set is given up after so long without contact, in ms. @default Infinity */
  readonly maxStaleMs?: number | undefined;
  /** An update that drops more than this share of a set is doubted, 0–1. @default 0.5 */
  readonly holdDropRatio?: number | undefined;
  /** … for so long, in ms. @default 30_000 */
  readonly holdMs?: number | undefined;
}

/** What `createServiceClient` takes. `false` switches a stage off; `undefined` means the default. */
export interface ServiceClientOptions extends DiscoveryPolicy {
  /** The name under which instances are registered, and the host in URLs given to `fetch`. */
  readonly service: string;
  /** Where instances are found. Either this or `discovery`. */
  readonly registry?: Registry | undefined;
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
  readonly bulkhead?: BulkheadOptions | false | undefined;
  readonly ejection?: EjectionOptions | false | undefined;
  /** @default p2c() */
  readonly balancer?: BalancerFactory | undefined;
  /** A new or returned instance takes its full share after this, in ms; 0 = at once. @default 30_000 */
  readonly slowStartMs?: number | undefined;
  /** `'any'` follows redirects that leave the instance. @default 'same-origin' */
  readonly redirects?: 'same-origin' | 'any' | undefined;
  /** Is told everything; may throw without harm. See also `client.on`. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
  readonly layers?: LayerOptions | undefined;
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
  /** `false`: one attempt. */
  readonly retry?: { readonly maxAttempts?: number | undefined } | false | undefined;
  /** May it be sent twice? @default by method and `Idempotency-Key`; `false` for `call()` */
  readonly idempotent?: boolean | undefined;
}
