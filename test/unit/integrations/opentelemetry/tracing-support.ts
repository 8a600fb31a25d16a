import { SpanKind } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace-base';
import { createServiceClient, staticRegistry, type ServiceClient, type ServiceClientOptions } from 'fairlead';
import { tracing, type TracingOptions } from 'fairlead/opentelemetry';
import { fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';

export interface Traced {
  readonly client: ServiceClient;
  readonly runtime: TestRuntime;
  readonly provider: BasicTracerProvider;
  /** Headers of each request that arrived. */
  readonly arrived: Headers[];
  /** Ended spans, in the order of their ends. */
  spans(): ReadableSpan[];
  callSpan(): ReadableSpan;
  attempts(): ReadableSpan[];
}

export interface TracedOptions {
  readonly answer?: (request: Request, nth: number) => Response | Promise<Response>;
  readonly client?: Partial<ServiceClientOptions>;
  readonly tracing?: Partial<TracingOptions>;
  readonly sampler?: Sampler;
  readonly instances?: number;
}

export const tracedProvider = (
  sampler?: Sampler,
): { provider: BasicTracerProvider; exporter: InMemorySpanExporter } => {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  return { exporter, provider: new BasicTracerProvider(sampler ? { sampler, spanProcessors } : { spanProcessors }) };
};

/** A client of `users` on virtual time, whose spans stay in memory; nothing is registered globally. */
export const traced = async (options: TracedOptions = {}): Promise<Traced> => {
  const { answer = () => new Response('ok'), instances = 2, sampler } = options;
  const arrived: Headers[] = [];
  const runtime = testRuntime({
    fetch: fakeFetch(request => {
      arrived.push(request.headers);
      return answer(request, arrived.length);
    }),
  });
  const { provider, exporter } = tracedProvider(sampler);
  const instrument = tracing({
    tracerProvider: provider,
    propagator: new W3CTraceContextPropagator(),
    ...options.tracing,
  });
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry(
      Array.from({ length: instances }, (_, index) => ({
        id: 'abcdef'[index]!,
        address: '10.0.0.1',
        port: 8_001 + index,
        zone: 'eu-1',
        version: '2.1',
      })),
    ),
    runtime,
    instruments: [instrument],
    ...options.client,
  });
  await runtime.settle();
  const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
  return {
    client,
    runtime,
    provider,
    arrived,
    spans,
    callSpan: () => spans().find(({ kind }) => kind === SpanKind.INTERNAL)!,
    attempts: () => spans().filter(({ kind }) => kind === SpanKind.CLIENT),
  };
};

/** `00-trace-span-flags` of a request that arrived. */
export const traceparentOf = (headers: Headers): { traceId: string; spanId: string; flags: string } => {
  const [, traceId = '', spanId = '', flags = ''] = (headers.get('traceparent') ?? '').split('-');
  return { traceId, spanId, flags };
};

export const eventNames = ({ events }: ReadableSpan): string[] => events.map(({ name }) => name);

export const eventOf = ({ events }: ReadableSpan, name: string): unknown =>
  events.find(event => event.name === name)?.attributes;
