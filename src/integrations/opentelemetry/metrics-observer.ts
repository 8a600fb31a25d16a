/** Answers the collector's question: how do the clients stand now? */
import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import { guard } from '../../core/guard.js';
import type { ServiceClient } from '../../client/service-client.js';
import { COUNTERS } from './metrics-instruments.js';
import { GAUGES, INSTANCE_GAUGES, REGISTRATION_MISSING, type Gauge, type Labels } from './metrics-gauges.js';
import { SERVICE } from './metrics-labels.js';
import type { MetricsSettings } from './metrics-options.js';
import { Totals, type CounterName } from './metrics-totals.js';

/** A registration of this process, as far as numbers go. */
export interface Enlisted {
  readonly service: string;
  /** `undefined`: it is over. */
  missing(): boolean | undefined;
}

interface Series {
  readonly observable: Observable;
  readonly labels: Labels;
  readonly value: number;
}

/**
 * One callback for all counters and gauges of all clients. The SDK goes on telling the last value of a series that is observed no more,
 * for ever: what vanishes, a client that closed or an instance that left, is therefore told once more, as 0.
 */
export class MetricsObserver {
  readonly totals = new Totals();
  readonly #meter: Meter;
  readonly #counters: ReadonlyMap<CounterName, Observable>;
  readonly #gauges: readonly { readonly gauge: Gauge; readonly observable: Observable }[];
  readonly #missing: Observable;
  readonly #clients = new Set<ServiceClient>();
  readonly #enlisted = new Set<Enlisted>();
  #told: ReadonlyMap<string, Series> = new Map();
  #listening = false;
  readonly #guarded = guard('a snapshot for metrics()');

  constructor(meter: Meter, { prefix, instanceLabels }: MetricsSettings) {
    const observableOf = ({ name, unit, description, adds }: Omit<Gauge, 'read'>): Observable => {
      const options = { unit, description };
      return adds
        ? meter.createObservableUpDownCounter(`${prefix}.${name}`, options)
        : meter.createObservableGauge(`${prefix}.${name}`, options);
    };
    this.#meter = meter;
    this.#counters = new Map(
      Object.entries(COUNTERS).map(([key, [name, unit, description]]) => [
        key as CounterName,
        meter.createObservableCounter(`${prefix}.${name}`, { unit, description }),
      ]),
    );
    const gauges = instanceLabels ? [...GAUGES, ...INSTANCE_GAUGES] : GAUGES;
    this.#gauges = gauges.map(gauge => ({ gauge, observable: observableOf(gauge) }));
    this.#missing = observableOf(REGISTRATION_MISSING);
  }

  watch(client: ServiceClient): void {
    this.#clients.add(client);
    this.#listen();
  }

  unwatch(client: ServiceClient): void {
    this.#clients.delete(client);
  }

  enlist(enlisted: Enlisted): void {
    this.#enlisted.add(enlisted);
    this.#listen();
  }

  dismiss(enlisted: Enlisted): void {
    this.#enlisted.delete(enlisted);
  }

  get #observables(): Observable[] {
    return [...this.#counters.values(), ...this.#gauges.map(({ observable }) => observable), this.#missing];
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#meter.addBatchObservableCallback(this.#observe, this.#observables);
  }

  readonly #observe = (result: BatchObservableResult): void => {
    for (const [counter, { labels, value }] of this.totals) result.observe(this.#counters.get(counter)!, value, labels);
    const series = this.#read();
    for (const [key, { observable, labels }] of this.#told) if (!series.has(key)) result.observe(observable, 0, labels);
    for (const { observable, labels, value } of series.values()) result.observe(observable, value, labels);
    this.#told = series;
    if (this.#clients.size + this.#enlisted.size > 0 || series.size > 0) return;
    this.#listening = false;
    // Later: the SDK is going through its list of callbacks now.
    queueMicrotask(() => {
      if (!this.#listening) this.#meter.removeBatchObservableCallback(this.#observe, this.#observables);
    });
  };

  #read(): Map<string, Series> {
    const series = new Map<string, Series>();
    for (const client of this.#clients) {
      // One client whose limiter, the user's own, throws must not take the others along.
      const snapshot = this.#guarded(() => client.snapshot());
      if (snapshot === undefined) continue;
      for (const { gauge, observable } of this.#gauges) {
        const read = gauge.read(snapshot) ?? [];
        for (const [value, labels] of typeof read === 'number' ? [[read] as const] : read)
          add(series, gauge, { observable, value, labels: { [SERVICE]: client.service, ...labels } });
      }
    }
    for (const enlisted of this.#enlisted) {
      const missing = enlisted.missing();
      const labels = { [SERVICE]: enlisted.service };
      if (missing === undefined) this.#enlisted.delete(enlisted);
      else add(series, REGISTRATION_MISSING, { observable: this.#missing, value: missing ? 1 : 0, labels });
    }
    return series;
  }
}

const add = (to: Map<string, Series>, { name, adds }: Omit<Gauge, 'read'>, series: Series): void => {
  const key = JSON.stringify([name, ...Object.values(series.labels)]);
  const before = to.get(key)?.value;
  if (before === undefined) to.set(key, series);
  else to.set(key, { ...series, value: adds ? before + series.value : Math.max(before, series.value) });
};
