/** A collector in memory: what an SDK would export, as text keys and numbers. */
import type { Attributes } from '@opentelemetry/api';
import { MeterProvider, MetricReader, type Histogram, type ViewOptions } from '@opentelemetry/sdk-metrics';

class Pulled extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

export interface Collected {
  /** `name{label=value,…}` → value; of a histogram its count. Labels sorted, without `fairlead.service`. */
  readonly values: Readonly<Record<string, number>>;
  readonly histograms: Readonly<Record<string, Histogram>>;
  /** Names, units and descriptions. */
  readonly descriptors: readonly { readonly name: string; readonly unit: string; readonly description: string }[];
}

export interface Collector {
  readonly provider: MeterProvider;
  collect(): Promise<Collected>;
}

const keyOf = (name: string, attributes: Attributes): string => {
  const labels = Object.entries(attributes)
    .filter(([key]) => key !== 'fairlead.service')
    .map(([key, value]) => `${key}=${String(value)}`)
    .sort();
  return labels.length === 0 ? name : `${name}{${labels.join(',')}}`;
};

/** `service`: whose numbers are wanted; all by default. */
export const makeCollector = (views: ViewOptions[] = []): Collector => {
  const reader = new Pulled();
  const provider = new MeterProvider({ readers: [reader], views });
  const collect = async (): Promise<Collected> => {
    const { resourceMetrics, errors } = await reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    const metrics = resourceMetrics.scopeMetrics.flatMap(scope => scope.metrics);
    const points = metrics.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => [keyOf(descriptor.name, attributes), value] as const),
    );
    return {
      values: Object.fromEntries(
        points.map(([key, value]) => [key, typeof value === 'number' ? value : countOf(value)]),
      ),
      histograms: Object.fromEntries(
        points.filter((point): point is [string, Histogram] => typeof point[1] === 'object'),
      ),
      descriptors: metrics.map(({ descriptor: { name, unit, description } }) => ({ name, unit, description })),
    };
  };
  return { provider, collect };
};

const countOf = (histogram: object): number => (histogram as Histogram).count;

/** Those whose key begins so. */
export const startingWith = (values: Readonly<Record<string, number>>, prefix: string): Record<string, number> =>
  Object.fromEntries(Object.entries(values).filter(([key]) => key.startsWith(prefix)));
