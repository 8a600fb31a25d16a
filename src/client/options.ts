import type { BalancerFactory } from '../core/balancer.js';
import type { Layer } from '../core/call.js';
import type { ClientEvent } from '../core/events.js';
import type { Registry } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';
import type { Transport } from '../core/transport.js';
import type { DiscoveryClient } from '../discovery/discovery-client.js';
import type { Classify } from './classify.js';
import type { BulkheadOptions } from './options/bulkhead.js';
import type { EjectionOptions } from './options/ejection.js';
import type { RetryOptions } from './options/retry.js';

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
