import type { Attributes } from '@opentelemetry/api';
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { Runtime } from '../../core/runtime.js';

/**
 * Which headers carry a trace: `w3c` is traceparent and tracestate, `jaeger` is uber-trace-id and uberctx-*, `baggage` is
 * the W3C's.
 */
export type PropagatorName = 'w3c' | 'jaeger' | 'baggage';

/** How ended spans wait, and how they are sent. */
export interface BatchOptions {
  /** The longest that a span waits for others, in ms, >= 0. @default OTEL_BSP_SCHEDULE_DELAY, then 5_000 */
  readonly delayMs?: number | undefined;
  /** Spans that are sent together, >= 1. @default OTEL_BSP_MAX_EXPORT_BATCH_SIZE, then 512 */
  readonly maxBatchSize?: number | undefined;
  /** Spans that wait; more are dropped. At least maxBatchSize. @default OTEL_BSP_MAX_QUEUE_SIZE, then 2_048 */
  readonly maxQueueSize?: number | undefined;
  /**
   * How long one batch may take, in ms, > 0; its connection is closed then, and its spans are lost.
   * @default OTEL_BSP_EXPORT_TIMEOUT, the exporter's own OTEL_EXPORTER_*_TIMEOUT, then 10_000
   */
  readonly exportTimeoutMs?: number | undefined;
}

/** What is not given is taken from the variables OTEL_* of the environment; what is given wins. */
export interface StartTracingOptions {
  /** The resource's service.name. @default OTEL_SERVICE_NAME, then service.name of OTEL_RESOURCE_ATTRIBUTES; else a TypeError */
  readonly serviceName?: string | undefined;
  /**
   * Where spans go: to Jaeger in its own format, by OTLP (JSON over HTTP, which Jaeger takes since 1.35), nowhere, or to an
   * exporter of yours, which `shutdown()` shuts down.
   * @default OTEL_TRACES_EXPORTER, then 'jaeger'
   */
  readonly exporter?: 'jaeger' | 'otlp' | 'none' | SpanExporter | undefined;
  /**
   * An http or https URL. One without a path gets the usual one. User and password in it count as `username` and `password`.
   * @default OTEL_EXPORTER_JAEGER_ENDPOINT, then http://localhost:14268/api/traces; for OTLP OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
   * or OTEL_EXPORTER_OTLP_ENDPOINT, then http://localhost:4318/v1/traces
   */
  readonly endpoint?: string | undefined;
  /**
   * Sends to a Jaeger agent by UDP (Thrift, binary) instead of HTTP; a span larger than about 64 kB does not fit.
   * @default OTEL_EXPORTER_JAEGER_AGENT_HOST and _PORT, if there is no endpoint; localhost and 6832 for what is missing
   */
  readonly agent?: { readonly host?: string | undefined; readonly port?: number | undefined } | undefined;
  /** For HTTP basic authentication, with `password`. @default OTEL_EXPORTER_JAEGER_USER, for Jaeger */
  readonly username?: string | undefined;
  /** @default OTEL_EXPORTER_JAEGER_PASSWORD, for Jaeger */
  readonly password?: string | undefined;
  /** Sent along by OTLP, such as a token. @default OTEL_EXPORTER_OTLP_TRACES_HEADERS, OTEL_EXPORTER_OTLP_HEADERS */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** More about this process: service.version, deployment.environment.name … Beside OTEL_RESOURCE_ATTRIBUTES. */
  readonly attributes?: Attributes | undefined;
  /** Read from requests that come in, written to those that go out. @default OTEL_PROPAGATORS, then ['w3c', 'baggage'] */
  readonly propagators?: readonly PropagatorName[] | undefined;
  /**
   * A share of new traces, 0–1, or a sampler. With a share, a trace that a caller began is recorded if the caller records
   * it. @default OTEL_TRACES_SAMPLER and _ARG, then 1
   */
  readonly sampler?: number | Sampler | undefined;
  readonly batch?: BatchOptions | undefined;
  /**
   * `false` leaves OpenTelemetry's globals alone: hand `provider` and `propagator` to who needs them. A context manager has
   * to be registered by somebody. @default true
   */
  readonly register?: boolean | undefined;
  /** Told each problem: a collector that is away, spans that were lost. @default the first becomes a warning of the process */
  readonly onError?: ((error: Error) => void) | undefined;
  /** Time; virtual in tests. @default the system's */
  readonly runtime?: Runtime | undefined;
}
