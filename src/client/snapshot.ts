import type { Permits } from '../machines/permits.js';
import type { RetryBudget } from '../machines/retry-budget.js';
import type { PooledEndpoint } from '../pool/endpoint.js';
import type { Pool } from '../pool/pool.js';

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
  /** Retries that could be paid now; null when retries are off. */
  readonly budget: { readonly balance: number } | null;
  readonly bulkhead: { readonly inFlight: number; readonly queued: number } | null;
  readonly breaker: null;
  readonly limiter: null;
}

export interface SnapshotParts {
  readonly service: string;
  readonly state: ClientSnapshot['state'];
  readonly inFlight: number;
  readonly discovery: ClientSnapshot['discovery'];
  readonly pool: Pool;
  readonly budget: RetryBudget | undefined;
  readonly permits: Permits | undefined;
  readonly now: number;
}

export const takeSnapshot = ({ pool, budget, permits, now, ...rest }: SnapshotParts): ClientSnapshot => {
  pool.refresh(now);
  return {
    ...rest,
    panic: pool.panic,
    instances: [...pool.endpoints].map(endpoint => instanceSnapshot(endpoint, now)),
    budget: budget ? { balance: Math.floor(budget.balance(now)) } : null,
    bulkhead: permits ? { inFlight: permits.inFlight, queued: permits.queued } : null,
    breaker: null,
    limiter: null,
  };
};

const instanceSnapshot = (endpoint: PooledEndpoint, now: number): InstanceSnapshot => {
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
    inFlight: endpoint.inFlight,
    latencyMs: Math.round(endpoint.latencyMs * 1_000) / 1_000,
    successRatio: Math.round(endpoint.successRatio * 1_000) / 1_000,
    bodiesFailed: endpoint.bodiesFailed,
  };
};
