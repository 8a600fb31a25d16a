/** The door "fairlead/opentelemetry". */
export { tracing } from './tracing.js';
export type { TracingHooks, TracingOptions } from './tracing-options.js';
export { inbound, type InboundOptions, type InboundSpan } from './inbound.js';
export type { InboundResponse } from './server-span.js';
export { metrics, type Metrics, type ObservedRegistration } from './metrics.js';
export type { MetricsOptions } from './metrics-options.js';
export { prometheusViews, type RenamedMetric } from './metrics-views.js';
