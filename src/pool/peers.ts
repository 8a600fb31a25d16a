/** The median is worked out at most this often. */
const EVERY_MS = 100;

/**
 * What an unmeasured endpoint is taken for: the median of its measured peers. Taken for fast, a hanging newcomer would
 * attract all traffic; taken for slow, a healthy one would get none.
 */
export class Peers {
  latencyMs = 0;
  #dueAt = -Infinity;
  #unmeasured = true;

  /** The set changed: somebody may be unmeasured. */
  changed(): void {
    this.#unmeasured = true;
  }

  /** An attempt settled: brings the median up to date while somebody needs it. */
  settled(endpoints: Iterable<{ readonly measuredMs: number }>, now: number): void {
    if (!this.#unmeasured || now < this.#dueAt) return;
    this.#dueAt = now + EVERY_MS;
    const measured: number[] = [];
    this.#unmeasured = false;
    for (const endpoint of endpoints) {
      if (endpoint.measuredMs > 0) measured.push(endpoint.measuredMs);
      else this.#unmeasured = true;
    }
    this.latencyMs = measured.sort((a, b) => a - b)[measured.length >> 1] ?? 0;
  }
}
