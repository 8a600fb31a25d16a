import type { Runtime } from '../core/runtime.js';
import type { EjectionPolicy } from './ejection-policy.js';
import type { PooledEndpoint } from './endpoint.js';
import { Outliers } from './outliers.js';
import { stallWatch, type StallWatch } from './stall-watch.js';

/** The median is worked out at most this often. */
const EVERY_MS = 100;

/** What the endpoints of a pool know of each other, and share. */
export class Peers {
  /**
   * What an unmeasured endpoint is taken for: the median of its measured peers. Taken for fast, a hanging newcomer would
   * attract all traffic; taken for slow, a healthy one would get none.
   */
  latencyMs = 0;
  /** Whether our own event loop stood still. */
  readonly stalls: StallWatch;
  readonly now: () => number;
  readonly #outliers: Outliers | undefined;
  #dueAt = -Infinity;
  #unmeasured = true;

  constructor({ runtime, ejection }: { readonly runtime: Runtime; readonly ejection: EjectionPolicy | false }) {
    this.stalls = stallWatch(runtime);
    this.now = () => runtime.now();
    this.#outliers = ejection && ejection.outliers ? new Outliers(ejection.outliers, runtime.now()) : undefined;
  }

  /** The set changed: somebody may be unmeasured. */
  changed(): void {
    this.#unmeasured = true;
  }

  /** An attempt settled: looks for outliers, and brings the median up to date while somebody needs it. */
  settled(endpoints: { values(): Iterable<PooledEndpoint> }, now: number): void {
    this.#outliers?.settled(endpoints, now);
    if (!this.#unmeasured || now < this.#dueAt) return;
    this.#dueAt = now + EVERY_MS;
    const measured: number[] = [];
    this.#unmeasured = false;
    for (const endpoint of endpoints.values()) {
      if (endpoint.measuredMs > 0) measured.push(endpoint.measuredMs);
      else this.#unmeasured = true;
    }
    this.latencyMs = measured.sort((a, b) => a - b)[measured.length >> 1] ?? 0;
  }
}
