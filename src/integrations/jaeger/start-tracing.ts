import type * as api from '@opentelemetry/api';
import type { TextMapPropagator, Tracer } from '@opentelemetry/api';
import type * as sdk from '@opentelemetry/sdk-trace-node';
import type { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import * as check from '../../core/check.js';
import { describe } from '../../core/errors.js';
import { globalsOf } from './globals.js';
import type { StartTracingOptions } from './options.js';
import { peer } from './peers.js';
import { problemsOf, type Problems } from './problems.js';
import { propagatorOf } from './propagators.js';
import { resourceOf } from './resource.js';
import { wayTo } from './senders.js';
import { settingsOf, type Settings } from './settings.js';
import { SteadyExporter } from './steady-exporter.js';
import { within } from '../../lifecycle/within.js';

/** How long to wait. */
export interface WaitOptions {
  /** In ms, > 0. @default 5_000 */
  readonly timeoutMs?: number | undefined;
}

/** What `startTracing()` gives. */
export interface StartedTracing extends AsyncDisposable {
  /** For spans of your own. Records nothing when OTEL_SDK_DISABLED is true. */
  readonly tracer: Tracer;
  /** For instrumentations and `tracing({ tracerProvider })`; `undefined` when OTEL_SDK_DISABLED is true. */
  readonly provider: NodeTracerProvider | undefined;
  readonly propagator: TextMapPropagator;
  /**
   * Sends what has ended until now. Resolves when it is sent, has failed, or the time is up; what is still on its way then
   * goes on, for `batch.exportTimeoutMs` at most. Never rejects.
   */
  flush(options?: WaitOptions): Promise<void>;
  /**
   * Sends what has ended, closes the connections and lets go of OpenTelemetry's globals; what is not sent when the time is up
   * is lost, and told to `onError`. Nothing keeps the process alive after it. Never rejects; a second call gives the same
   * promise.
   */
  shutdown(options?: WaitOptions): Promise<void>;
}

/**
 * Records the traces of this process and sends them to Jaeger, or wherever: OpenTelemetry's SDK for Node, set up with a
 * bounded queue, batches, and a shutdown that ends. Once in a process, before the first call; `tracing()` and `inbound()` of
 * fairlead/opentelemetry make the spans. Not for who has an SDK already: those two work with any.
 *
 * Throws a TypeError or RangeError for options that cannot be, MISSING_PEER for a package that is not installed.
 */
export const startTracing = (options: StartTracingOptions = {}): StartedTracing => {
  const settings = settingsOf(options, process.env);
  const problems = problemsOf(settings);
  const propagator = propagatorOf(settings.propagators);
  const recording = settings.disabled ? undefined : recorder(settings, problems);
  const provider = recording?.provider;
  const globals = settings.register ? globalsOf(provider, propagator) : undefined;
  for (const problem of [...settings.problems, ...(globals?.problems ?? [])]) problems.tell(problem);
  const tracer = provider?.getTracer('fairlead/jaeger') ?? noTracer();

  let ended: Promise<void> | undefined;
  const end = async (timeoutMs: number): Promise<void> => {
    await recording?.shutdown(timeoutMs);
    globals?.release();
  };
  const shutdown = (wait?: WaitOptions): Promise<void> => (ended ??= end(timeoutOf('shutdown', wait)));
  return {
    ...{ tracer, provider, propagator, shutdown },
    flush: async wait => recording?.flush(timeoutOf('flush', wait)),
    [Symbol.asyncDispose]: () => shutdown(),
  };
};

const DEFAULT_WAIT_MS = 5_000;

const timeoutOf = (method: string, wait: WaitOptions | undefined): number => {
  check.object(method, wait, { known: ['timeoutMs'], hint: ', such as { timeoutMs: 2_000 }' });
  check.number(`${method}.timeoutMs`, wait?.timeoutMs, { min: 0, above: true, max: 2 ** 31 - 1 });
  return wait?.timeoutMs ?? DEFAULT_WAIT_MS;
};

/** Passes the trace on that it is in, and records nothing. */
const noTracer = (): Tracer => {
  const { ProxyTracerProvider } = peer<typeof api>('@opentelemetry/api', 'startTracing');
  return new ProxyTracerProvider().getTracer('fairlead/jaeger');
};

interface Recorder {
  readonly provider: NodeTracerProvider;
  flush(timeoutMs: number): Promise<void>;
  shutdown(timeoutMs: number): Promise<void>;
}

const recorder = (settings: Settings, problems: Problems): Recorder => {
  const packages = peer<typeof sdk>('@opentelemetry/sdk-trace-node', 'startTracing');
  const { sampler, runtime } = settings;
  const line = lineOf(settings, { packages, problems });
  const chosen =
    typeof sampler === 'number'
      ? new packages.ParentBasedSampler({ root: new packages.TraceIdRatioBasedSampler(sampler) })
      : sampler;
  const provider = new packages.NodeTracerProvider({
    resource: resourceOf(settings),
    spanProcessors: line === undefined ? [] : [line.processor],
    ...(chosen !== undefined && { sampler: chosen }),
  });
  const inTime = (timeoutMs: number, work: () => Promise<unknown>): Promise<boolean> =>
    // Failures were told when they came.
    within(runtime, timeoutMs, () => work().catch(() => undefined));
  return {
    provider,
    async flush(timeoutMs) {
      if (line === undefined) return;
      const { processor, exporter, where } = line;
      const sent = await inTime(timeoutMs, () => Promise.allSettled([processor.forceFlush(), exporter.forceFlush()]));
      if (!sent)
        problems.tell(`${where}: not all spans were sent within the ${timeoutMs} ms of flush()${exporter.trouble}`);
    },
    async shutdown(timeoutMs) {
      if (line === undefined) return;
      line.exporter.hurry();
      const closed = await inTime(timeoutMs, async () => {
        await line.processor.shutdown().catch(() => undefined);
        await line.exporter.shutdown().catch((error: unknown) => problems.tell(`${line.where}: ${describe(error)}`));
      });
      if (!closed) line.exporter.cut(`not sent within the ${timeoutMs} ms of shutdown()`);
    },
  };
};

interface Line {
  readonly processor: BatchSpanProcessor;
  readonly exporter: SteadyExporter;
  readonly where: string;
}

/** From the end of a span to the wire. */
const lineOf = (
  { destination, batch, runtime }: Settings,
  { packages, problems }: { packages: typeof sdk; problems: Problems },
): Line | undefined => {
  if (destination.kind === 'none') return undefined;
  const { where, open } = wayTo(destination, batch.exportTimeoutMs);
  const { exportTimeoutMs, maxQueueSize } = batch;
  const failed = (why: string, spans: number): void =>
    problems.tell(`${why} (${spans} ${spans === 1 ? 'span' : 'spans'} lost)`);
  const exporter = new SteadyExporter({ open, where, exportTimeoutMs, maxWaiting: maxQueueSize, runtime, failed });
  const processor = new packages.BatchSpanProcessor(exporter, {
    maxQueueSize,
    maxExportBatchSize: batch.maxBatchSize,
    scheduledDelayMillis: batch.delayMs,
    // The exporter's own bound comes first and says more.
    exportTimeoutMillis: exportTimeoutMs + 1_000,
  });
  return { processor, exporter, where };
};
