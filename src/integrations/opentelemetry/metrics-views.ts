import { CACHE_SIZE, DISCOVERY_AGE, INSTANCE_LATENCY } from './metrics-gauges.js';
import { CALL_DURATION, REQUEST_DURATION } from './metrics-instruments.js';
import { checkedPrefix } from './metrics-options.js';

/** A view of the metrics SDK: what an instrument is called where it is exported. */
export interface RenamedMetric {
  readonly instrumentName: string;
  readonly name: string;
}

/**
 * For `new MeterProvider({ views: prometheusViews(), readers: [new PrometheusExporter()] })`: names that end in their unit,
 * as Prometheus' own translation of OpenTelemetry has them (`http_client_request_duration_seconds`), and as the dashboard
 * and the alerts in docs/operations want them. The JavaScript exporter leaves units out; a collector adds them itself.
 *
 * @param options `prefix`: as given to `metrics()`.
 */
export const prometheusViews = (options: { readonly prefix?: string | undefined } = {}): RenamedMetric[] => {
  const prefix = checkedPrefix(options.prefix);
  const seconds = [CALL_DURATION, DISCOVERY_AGE, INSTANCE_LATENCY].map(name => `${prefix}.${name}`);
  return [
    ...[REQUEST_DURATION, ...seconds].map(instrumentName => ({ instrumentName, name: `${instrumentName}.seconds` })),
    { instrumentName: `${prefix}.${CACHE_SIZE}`, name: `${prefix}.${CACHE_SIZE}.bytes` },
  ];
};
