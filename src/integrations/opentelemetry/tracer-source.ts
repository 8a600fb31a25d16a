import type { Tracer, TracerProvider } from '@opentelemetry/api';
import type { OtelApi } from '../shared/otel-api.js';

/** The name of the instrumentation scope of all spans. */
const SCOPE = 'fairlead';

/** A provider that stands for one which may come later: that of the API itself, of whichever copy of it. */
interface ProxyProvider {
  getDelegateTracer?(name: string): Tracer | undefined;
}

/**
 * The tracer of an SDK, as soon as there is one; `undefined` until then, at the price of a few nanoseconds each time it is
 * asked for. An SDK that is registered after the client was made is found, and so is one that takes another's place.
 */
export const tracerSource = ({ trace }: OtelApi, given: TracerProvider | undefined): (() => Tracer | undefined) => {
  let known: TracerProvider | undefined;
  let tracer: Tracer | undefined;
  return () => {
    const provider = given ?? trace.getTracerProvider();
    if (provider === known) return tracer;
    const found = tracerOf(provider);
    if (found !== undefined) {
      known = provider;
      tracer = found;
    }
    return found;
  };
};

const tracerOf = (provider: TracerProvider & ProxyProvider): Tracer | undefined =>
  typeof provider.getDelegateTracer === 'function' ? provider.getDelegateTracer(SCOPE) : provider.getTracer(SCOPE);
