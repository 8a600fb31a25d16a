import type { PooledEndpoint } from '../pool/endpoint.js';
import type { RouteSnapshot } from '../pool/explain.js';
import type { ThrottleSnapshot } from '../layers/throttle.js';
import type { AdaptiveConcurrencySnapshot } from '../machines/adaptive-concurrency.js';
import type { LimiterSnapshot } from '../machines/limiter.js';
import type { ClientParts } from './client-parts.js';
import type { BreakerSnapshot } from './service-breaker.js';

export interface InstanceSnapshot {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
  readonly zone: string | null;
  readonly version: string | null;
  /** As registered. */
  readonly weight: number;
  /** Slow start included. */
  readonly effectiveWeight: number;
  /** `serving`; `out` until its time is up; on `trial` with single probes. */
  readonly state: 'serving' | 'out' | 'trial';
  /** Why it is out; null while it serves. */
  readonly reason: string | null;
  /** When it is tried again, in ms from now; 0 while it serves or is on trial. */
  readonly availableInMs: number;
  /** The registry lost it together with many others, and it serves until that is confirmed. */
  readonly held: boolean;
  /** False for one that a `subset` leaves to other clients. */
  readonly used: boolean;
  readonly inFlight: number;
  readonly latencyMs: number;
  readonly successRatio: number;
  /** Responses whose body broke while it was read. */
  readonly bodiesFailed: number;
}

/** A client at one moment, as plain JSON. No header, token or password is in it. */
export interface ClientSnapshot {
  readonly service: string;
  readonly state: 'open' | 'closing' | 'closed';
  /** Logical calls in flight. */
  readonly inFlight: number;
  readonly discovery: {
    /** False until the first set came. */
    readonly known: boolean;
    /** Time since the registry was last heard, in ms; null before. */
    readonly ageMs: number | null;
    /** Contact with the registry is lost; the set is the last good one. */
    readonly stale: boolean;
  };
  /** So few may serve that all do. */
  readonly panic: boolean;
  readonly instances: readonly InstanceSnapshot[];
  /** Parts of the fleet that calls were routed to. */
  readonly routes: readonly RouteSnapshot[];
  /** Retries and hedges that could be paid now; null when both are off, or without a budget. */
  readonly budget: { readonly balance: number } | null;
  readonly bulkhead: { readonly inFlight: number; readonly queued: number } | null;
  /** Answers kept, and their size in bytes; null without a cache. */
  readonly cache: { readonly entries: number; readonly bytes: number } | null;
  /** The service's circuit breaker; null when it is off. */
  readonly breaker: BreakerSnapshot | null;
  /** Of `rateLimit`; null when it is off. */
  readonly limiter: LimiterSnapshot | null;
  readonly throttle: ThrottleSnapshot | null;
  readonly adaptiveConcurrency: AdaptiveConcurrencySnapshot | null;
}

export interface SnapshotParts {
  readonly service: string;
  readonly state: ClientSnapshot['state'];
  readonly inFlight: number;
  readonly discovery: ClientSnapshot['discovery'];
  readonly parts: ClientParts;
  readonly now: number;
}

export const takeSnapshot = ({ parts, now, ...rest }: SnapshotParts): ClientSnapshot => {
  const { pool, permits, cache } = parts;
  const limiter = parts.options.rateLimit && parts.options.rateLimit.limiter;
  pool.refresh(now);
  return {
    ...rest,
    panic: pool.panic,
    instances: [...pool.endpoints].map(endpoint => instanceSnapshot(endpoint, { now, used: pool.uses(endpoint) })),
    routes: pool.describeRoutes(now),
    budget: budgetSnapshot(parts, now),
    bulkhead: permits ? { inFlight: permits.inFlight, queued: permits.queued } : null,
    cache: cache ? { entries: cache.entries, bytes: cache.bytes } : null,
    breaker: parts.breaker?.snapshot(now) ?? null,
    limiter: limiter ? limiter.snapshot() : null,
    throttle: parts.throttle?.snapshot(now) ?? null,
    adaptiveConcurrency: parts.adaptive?.snapshot() ?? null,
  };
};

/** Without retries and hedges nothing is paid, and without a budget for them everything is. */
const budgetSnapshot = ({ budget, options }: ClientParts, now: number): ClientSnapshot['budget'] => {
  const balance = budget.balance(now);
  return (options.retry || options.hedge) && Number.isFinite(balance) ? { balance: Math.floor(balance) } : null;
};

const instanceSnapshot = (
  endpoint: PooledEndpoint,
  { now, used }: { now: number; used: boolean },
): InstanceSnapshot => {
  const { instance, availableAt } = endpoint;
  return {
    id: instance.id,
    address: instance.address,
    port: instance.port,
    protocol: instance.protocol,
    zone: instance.zone ?? null,
    version: instance.version ?? null,
    weight: instance.weight,
    effectiveWeight: endpoint.weight,
    state: endpoint.health.kind,
    reason: endpoint.health.reason ?? null,
    availableInMs: Number.isFinite(availableAt) ? Math.max(0, Math.ceil(availableAt - now)) : 0,
    held: endpoint.held,
    used,
    inFlight: endpoint.inFlight,
    latencyMs: Math.round(endpoint.latencyMs * 1_000) / 1_000,
    successRatio: Math.round(endpoint.successRatio * 1_000) / 1_000,
    bodiesFailed: endpoint.bodiesFailed,
  };
};
