import type { ServiceInstance } from '../core/instance.js';
import type { Runtime } from '../core/runtime.js';
import type { EjectionPolicy } from './ejection-policy.js';
import type { PooledEndpoint } from './endpoint.js';
import { Outliers } from './outliers.js';
import { stallWatch, type StallWatch } from './stall-watch.js';

/** The median is worked out at most this often. */
const EVERY_MS = 100;

export interface PeersParts {
  readonly runtime: Runtime;
  readonly ejection: EjectionPolicy | false;
  readonly endpoints: () => Iterable<PooledEndpoint>;
  /** An instance that the registry lost, and that is held, refused a connection. */
  readonly refused?: ((instance: ServiceInstance) => void) | undefined;
}

/** What the endpoints of a pool know of each other, and share. */
export class Peers {
  /**
   * What an unmeasured endpoint is taken for: the median of its measured peers. Taken for fast, a hanging newcomer would
   * attract all traffic; taken for slow, a healthy one would get none.
   */
  latencyMs = 0;
  /** Monotonic ms from which an attempt that settles should call `review`. */
  reviewAt = -Infinity;
  /** Whether our own event loop stood still. */
  readonly stalls: StallWatch;
  readonly now: () => number;
  readonly refused: (instance: ServiceInstance) => void;
  readonly #endpoints: PeersParts['endpoints'];
  readonly #outliers: Outliers | undefined;
  #medianAt = -Infinity;
  #unmeasured = true;

  constructor({ runtime, ejection, endpoints, refused }: PeersParts) {
    this.stalls = stallWatch(runtime);
    this.now = () => runtime.now();
    this.refused = instance => refused?.(instance);
    this.#endpoints = endpoints;
    this.#outliers = ejection && ejection.outliers ? new Outliers(ejection.outliers, runtime.now()) : undefined;
  }

  /** The set changed: somebody may be unmeasured. */
  changed(): void {
    this.#unmeasured = true;
    this.reviewAt = Math.min(this.reviewAt, this.#medianAt);
  }

  /** Looks for outliers, and brings the median up to date while somebody needs it. */
  review(now: number): void {
    this.#outliers?.review(this.#endpoints(), now);
    if (this.#unmeasured && now >= this.#medianAt) this.#measure(now);
    this.reviewAt = Math.min(this.#outliers?.dueAt ?? Infinity, this.#unmeasured ? this.#medianAt : Infinity);
  }

  #measure(now: number): void {
    this.#medianAt = now + EVERY_MS;
    this.#unmeasured = false;
    const measured: number[] = [];
    for (const endpoint of this.#endpoints()) {
      if (endpoint.measuredMs > 0) measured.push(endpoint.measuredMs);
      else this.#unmeasured = true;
    }
    this.latencyMs = measured.sort((a, b) => a - b)[measured.length >> 1] ?? 0;
  }
}
