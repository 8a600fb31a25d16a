import type { ServiceInstance } from './instance.js';

/**
 * One instance and what we know of it. Its identity is id + protocol + address + port; a changed incarnation keeps
 * the identity but clears the statistics. Numbers are live: read them, do not keep them.
 */
export interface Endpoint {
  readonly instance: ServiceInstance;
  /** The instance's weight, slow start included; 0 takes no traffic. */
  readonly weight: number;
  /** Attempts that were started and have not settled, and those whose body is still coming where the transport tells its end. */
  readonly inFlight: number;
  /** Peak-sensitive moving average of the response time in ms; its peers' median until first measured, 0 if none is. */
  readonly latencyMs: number;
  /** Share of settled attempts of the last window that did not fail, 0–1; 1 until one settled. */
  readonly successRatio: number;
  /** Monotonic ms of the newest attempt's start; -Infinity before the first. */
  readonly lastStartedAt: number;
  /** Monotonic ms from which it may be picked: 0 = now. The whole of health, as one number. */
  readonly availableAt: number;
}
