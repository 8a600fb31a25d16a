import type { MeterProvider } from '@opentelemetry/api';
import * as check from '../../core/check.js';

export interface MetricsOptions {
  /** Where the numbers go. @default the global one, `metrics.getMeterProvider()`, also one that is set later */
  readonly meterProvider?: MeterProvider | undefined;
  /**
   * Splits by instance, too: `server.address` and `server.port` are the instance's then, `fairlead.instance` is its id, and
   * each has gauges of its own. A fleet of 100 makes 100 times the time series. @default false
   */
  readonly instanceLabels?: boolean | undefined;
  /**
   * Upper bounds of the histograms' buckets, in seconds, ascending.
   * @default 0.005 … 10, as OpenTelemetry's conventions for HTTP advise
   */
  readonly buckets?: readonly number[] | undefined;
  /** What the names of fairlead's own metrics begin with. @default 'fairlead' */
  readonly prefix?: string | undefined;
}

export interface MetricsSettings {
  readonly meterProvider: MeterProvider | undefined;
  readonly instanceLabels: boolean;
  readonly buckets: readonly number[];
  readonly prefix: string;
}

/** Source: semantic-conventions, docs/http/http-metrics.md. */
const BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export const METRICS_DEFAULTS = Object.freeze({ instanceLabels: false, buckets: BUCKETS, prefix: 'fairlead' });

/** Of instrument names: letters first, 255 at most with what follows. */
const PREFIX = /^[A-Za-z][\w.-]{0,99}$/;

export const resolveMetrics = (given: MetricsOptions | undefined): MetricsSettings => {
  check.object('metrics', given, {
    known: ['meterProvider', 'instanceLabels', 'buckets', 'prefix'],
    hint: '; write metrics({ meterProvider })',
  });
  check.hasMethods('metrics.meterProvider', given?.meterProvider, ['getMeter']);
  check.ofType('metrics.instanceLabels', given?.instanceLabels, 'boolean');
  checkBuckets(given?.buckets);
  return {
    meterProvider: given?.meterProvider,
    instanceLabels: given?.instanceLabels ?? METRICS_DEFAULTS.instanceLabels,
    buckets: given?.buckets ?? METRICS_DEFAULTS.buckets,
    prefix: checkedPrefix(given?.prefix),
  };
};

/** As instruments are named; `undefined` is the default. */
export const checkedPrefix = (prefix: string | undefined): string => {
  check.ofType('metrics.prefix', prefix, 'string');
  if (prefix === undefined || PREFIX.test(prefix)) return prefix ?? METRICS_DEFAULTS.prefix;
  throw new TypeError(
    `metrics.prefix: expected a letter, then at most 99 of letters, digits, "_", "." and "-", got ${check.shown(prefix)}`,
  );
};

const checkBuckets = (given: unknown): void => {
  if (given === undefined) return;
  const bounds = Array.isArray(given) ? (given as unknown[]) : [];
  const ascends = bounds.every(
    (bound, index) => Number.isFinite(bound) && (index === 0 || (bound as number) > (bounds[index - 1] as number)),
  );
  if (bounds.length === 0 || !ascends)
    throw new TypeError('metrics.buckets: expected ascending numbers, in seconds, such as [0.1, 0.5, 1]');
};
