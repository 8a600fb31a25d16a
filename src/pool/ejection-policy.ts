/** Per-instance ejection. Numbers from Envoy's outlier detection and Finagle's failure accrual, fitted to small fleets. */
export interface EjectionPolicy {
  readonly consecutiveFailures: number | false;
  readonly failureRatio: number;
  readonly minCalls: number;
  readonly windowMs: number;
  readonly slowCallMs: number | false;
  readonly slowCallRatio: number;
  readonly outliers: OutlierPolicy | false;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly maxEjectedRatio: number;
  readonly panicRatio: number;
  readonly probes: number;
  readonly successesToClose: number;
}

/** Instances beside each other. Numbers from Envoy's outlier detection and gRPC's A50. */
export interface OutlierPolicy {
  readonly stdevFactor: number;
  readonly minInstances: number;
  readonly minCalls: number;
  readonly intervalMs: number;
}
