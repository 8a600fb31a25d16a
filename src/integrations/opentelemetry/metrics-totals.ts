import type { COUNTERS } from './metrics-instruments.js';
import type { Labels } from './metrics-gauges.js';

export type CounterName = keyof typeof COUNTERS;

/** One series of a counter: who counts often keeps it at hand. */
export interface Total {
  readonly labels: Labels;
  value: number;
}

/** As many series as the SDK keeps of one metric by default; the rest is counted together, under the label it uses for that. */
const MAX_SERIES = 2_000;
const OVERFLOW = { 'otel.metric.overflow': 'true' };

/**
 * Counts here, and is asked by the collector: adding to an instrument of the SDK takes microseconds each time, most of
 * them for its labels, and there are several counts for each call.
 */
export class Totals {
  readonly #series = new Map<CounterName, Map<string, Total>>();

  /** The series with these labels, from 0 on. */
  of(counter: CounterName, labels: Labels): Total {
    const series = this.#series.get(counter) ?? new Map<string, Total>();
    this.#series.set(counter, series);
    const key = JSON.stringify(Object.entries(labels));
    const known = series.get(key);
    if (known !== undefined) return known;
    if (series.size >= MAX_SERIES && labels !== OVERFLOW) return this.of(counter, OVERFLOW);
    const total = { labels, value: 0 };
    series.set(key, total);
    return total;
  }

  *[Symbol.iterator](): Generator<readonly [CounterName, Total]> {
    for (const [counter, series] of this.#series) for (const total of series.values()) yield [counter, total];
  }
}
