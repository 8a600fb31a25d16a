import { SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { startTracing, type StartTracingOptions } from 'fairlead/jaeger';

/** Tests that share a process: what is global is tried in processes of their own, see tracing-shutdown.test.ts. */
export const start = (options: StartTracingOptions) => {
  const { shutdown, ...rest } = startTracing({ register: false, serviceName: 'orders', ...options });
  // The machine may be busy with something else.
  return { ...rest, shutdown: (wait: object = { timeoutMs: 60_000 }) => shutdown(wait) };
};

export const oneSpan = (tracer: Tracer, name = 'GET'): void => {
  const span = tracer.startSpan(name, {
    kind: SpanKind.CLIENT,
    attributes: { 'server.port': 8080, 'url.full': 'http://users/42', cached: false },
  });
  span.addEvent('retry');
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
};
