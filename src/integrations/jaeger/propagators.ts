import type { TextMapPropagator } from '@opentelemetry/api';
import type * as jaegerPackage from '@opentelemetry/propagator-jaeger';
import type { PropagatorName } from './options.js';
import { ofSdk, peer } from './peers.js';

/** What is used of @opentelemetry/core, which the SDK brings along. */
interface Core {
  readonly W3CTraceContextPropagator: new () => TextMapPropagator;
  readonly W3CBaggagePropagator: new () => TextMapPropagator;
  readonly CompositePropagator: new (config: { propagators: TextMapPropagator[] }) => TextMapPropagator;
}

/** The last that finds a trace wins: of a request that has both headers, traceparent counts, which says more. */
const ORDER: readonly PropagatorName[] = ['jaeger', 'w3c', 'baggage'];

export const propagatorOf = (names: readonly PropagatorName[]): TextMapPropagator => {
  const core = ofSdk<Core>('@opentelemetry/core');
  const make: Readonly<Record<PropagatorName, () => TextMapPropagator>> = {
    jaeger: () => new (jaegerPropagator().JaegerPropagator)(),
    w3c: () => new core.W3CTraceContextPropagator(),
    baggage: () => new core.W3CBaggagePropagator(),
  };
  const propagators = ORDER.filter(name => names.includes(name)).map(name => make[name]());
  return new core.CompositePropagator({ propagators });
};

const jaegerPropagator = (): typeof jaegerPackage =>
  peer<typeof jaegerPackage>('@opentelemetry/propagator-jaeger', "startTracing with the propagator 'jaeger'");
