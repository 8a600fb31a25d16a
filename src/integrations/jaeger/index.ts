/** The door "fairlead/jaeger". */
export { startTracing, type StartedTracing, type WaitOptions } from './start-tracing.js';
export type { BatchOptions, PropagatorName, StartTracingOptions } from './options.js';
