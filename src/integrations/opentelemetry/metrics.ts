/**
 * Numbers of what a client does, for dashboards and alarms, on OpenTelemetry's metrics API: whatever SDK and exporter the
 * application has set up gets them. For one call's story see `tracing()` and `client.explain()`.
 */
import type { MeterProvider } from '@opentelemetry/api';
import type { Instrument } from '../../client/instrument.js';
import type { ServiceClient } from '../../client/service-client.js';
import type { Call, Dispatch, Layer } from '../../core/call.js';
import { otelApi, type OtelApi } from '../shared/otel-api.js';
import { createHistograms, type Histograms } from './metrics-instruments.js';
import { SERVICE } from './metrics-labels.js';
import { MetricsObserver, type Enlisted } from './metrics-observer.js';
import { resolveMetrics, type MetricsOptions, type MetricsSettings } from './metrics-options.js';
import { MetricsRecorder } from './metrics-recorder.js';
import { enlistedOf, listenTo, type ObservedRegistration } from './metrics-registration.js';

export type { ObservedRegistration } from './metrics-registration.js';

/** What `metrics()` gives: goes into `instruments` of as many clients as there are. */
export interface Metrics extends Instrument {
  /**
   * Tells whether this process is in the registry, for a service of `registerService`, or for a registration with the name
   * of its service. Ends by itself when the service stops; the returned function ends it earlier.
   */
  observe(registered: ObservedRegistration, options?: { readonly service?: string | undefined }): () => void;
}

/**
 * Counts and measures calls and attempts, and tells how clients stand: make one and give it to all clients.
 * Without a metrics SDK it costs a look at the global provider for each call. Throws MISSING_PEER where
 * `@opentelemetry/api` is needed and not installed, and a TypeError that names the option when one is wrong.
 *
 * ```ts
 * const users = createServiceClient({ service: 'user-service', registry, instruments: [metrics()] });
 * ```
 */
export const metrics = (options?: MetricsOptions): Metrics => new ClientMetrics(resolveMetrics(options));

interface Live {
  readonly histograms: Histograms;
  readonly observer: MetricsObserver;
}

/** Waits for a provider that records something, and then for events. */
class ClientMetrics implements Metrics {
  readonly call: Layer<unknown> | undefined;
  readonly #settings: MetricsSettings;
  readonly #api: OtelApi | undefined;
  readonly #clients = new Map<ServiceClient, MetricsRecorder | undefined>();
  /** Those that wait for a provider. */
  readonly #enlisted = new Set<Enlisted>();
  #live: Live | undefined;
  /** The global provider that was looked at last, and found to record nothing. */
  #seen: MeterProvider | undefined;

  constructor(settings: MetricsSettings) {
    this.#settings = settings;
    if (settings.meterProvider === undefined) {
      this.#api = otelApi('metrics()');
      this.call = next => this.#lookingFirst(next);
    } else this.#begin(settings.meterProvider);
  }

  attach(client: ServiceClient): () => void {
    this.#clients.set(client, undefined);
    this.#look();
    this.#follow(client);
    return () => this.#leave(client);
  }

  observe(observed: ObservedRegistration, { service }: { readonly service?: string | undefined } = {}): () => void {
    const enlisted = enlistedOf(observed, service);
    const labels = { [SERVICE]: enlisted.service };
    const count = (what: 'registrationLosses' | 'registrationErrors') => () => {
      this.#look();
      if (this.#live !== undefined) this.#live.observer.totals.of(what, labels).value += 1;
    };
    this.#look();
    if (this.#live === undefined) this.#enlisted.add(enlisted);
    else this.#live.observer.enlist(enlisted);
    this.#live?.observer.totals.of('registrationLosses', labels);
    const lost = count('registrationLosses');
    const stop = listenTo(observed, { lost, failed: count('registrationErrors'), moved: () => this.#look() });
    return () => {
      stop();
      this.#enlisted.delete(enlisted);
      this.#live?.observer.dismiss(enlisted);
    };
  }

  /** An SDK may be set up after the clients: then from the next call on. */
  #lookingFirst(next: Dispatch<unknown>): Dispatch<unknown> {
    return (call: Call) => {
      if (this.#live === undefined) this.#look();
      return next(call);
    };
  }

  #look(): void {
    if (this.#live !== undefined || this.#api === undefined) return;
    const provider = this.#api.metrics.getMeterProvider();
    if (provider === this.#seen) return;
    this.#seen = provider;
    if (provider.getMeter('fairlead') !== this.#api.createNoopMeter()) this.#begin(provider);
  }

  #begin(provider: MeterProvider): void {
    const meter = provider.getMeter('fairlead');
    const observer = new MetricsObserver(meter, this.#settings);
    this.#live = { histograms: createHistograms(meter, this.#settings), observer };
    for (const client of this.#clients.keys()) this.#follow(client);
    for (const enlisted of this.#enlisted) observer.enlist(enlisted);
    this.#enlisted.clear();
  }

  #follow(client: ServiceClient): void {
    if (this.#live === undefined || this.#clients.get(client) !== undefined) return;
    const { histograms, observer } = this.#live;
    const told = { histograms, totals: observer.totals };
    this.#clients.set(client, new MetricsRecorder(client, told, this.#settings));
    observer.watch(client);
  }

  #leave(client: ServiceClient): void {
    this.#clients.get(client)?.stop();
    this.#clients.delete(client);
    this.#live?.observer.unwatch(client);
  }
}
