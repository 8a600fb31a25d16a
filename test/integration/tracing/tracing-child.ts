/** Starts tracing in a process of its own, does one thing, and says what it saw: for what is global, and for the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation, trace } from '@opentelemetry/api';
import { isFairleadError } from 'fairlead';
import { startTracing, type StartedTracing, type StartTracingOptions } from 'fairlead/jaeger';

const [story = '', given = '{}', timeout = '100'] = process.argv.slice(2);
const timeoutMs = Number(timeout);
const options = JSON.parse(given) as StartTracingOptions;
const problems: string[] = [];
const onError = ({ message }: Error): void => void problems.push(message);
const start = (more: StartTracingOptions = {}): StartedTracing =>
  startTracing({ serviceName: 'orders', onError, ...options, ...more });
const began = performance.now();
const sinceMs = (): number => Math.round(performance.now() - began);

const stories: Readonly<Record<string, () => Promise<object>>> = {
  /** One span, then the end. */
  async shutdown() {
    const { tracer, shutdown } = start();
    tracer.startSpan('GET').end();
    const first = shutdown({ timeoutMs });
    const same = first === shutdown();
    await first;
    return { same, tookMs: sinceMs() };
  },
  /** The same, when a batch has been on its way for a while. */
  async 'shutdown while exporting'() {
    const { tracer, shutdown } = start({ batch: { delayMs: 1 } });
    tracer.startSpan('GET').end();
    await sleep(300);
    tracer.startSpan('GET').end();
    await shutdown({ timeoutMs });
    return { tookMs: sinceMs() };
  },
  async flush() {
    const { tracer, flush, shutdown } = start();
    tracer.startSpan('GET').end();
    await flush({ timeoutMs: 300 });
    const flushedMs = sinceMs();
    await shutdown({ timeoutMs: 100 });
    return { flushedMs, tookMs: sinceMs() };
  },
  /** Nothing is shut down: only a batch that hangs may hold the process, and only so long. */
  async 'no shutdown'() {
    start({ batch: { delayMs: 10, exportTimeoutMs: 400 } })
      .tracer.startSpan('GET')
      .end();
    await sleep(50);
    return { tookMs: sinceMs() };
  },
  /** No onError. */
  async warned() {
    const warnings: string[] = [];
    process.on('warning', ({ message }) => void warnings.push(message));
    const { tracer, shutdown } = startTracing({ serviceName: 'orders', batch: { maxBatchSize: 1 }, ...options });
    for (const _ of [1, 2]) tracer.startSpan('GET').end();
    await shutdown({ timeoutMs });
    await sleep(1);
    return { warnings };
  },
  async globals() {
    const headers = (): object => {
      const carrier = {};
      propagation.inject(context.active(), carrier);
      return carrier;
    };
    const seen = (): object =>
      trace
        .getTracer('a')
        .startActiveSpan('a', span => ({ recording: span.isRecording(), headers: Object.keys(headers()) }));
    const before = seen();
    const first = start();
    const during = seen();
    await start().shutdown();
    const afterSecond = seen();
    await first.shutdown();
    const after = seen();
    const again = start();
    const restarted = seen();
    await again.shutdown();
    return { before, during, afterSecond, after, restarted };
  },
  async disabled() {
    const { tracer, shutdown } = start();
    const carrier = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    const passed = {};
    context.with(propagation.extract(context.active(), carrier), () =>
      tracer.startActiveSpan('a', () => propagation.inject(context.active(), passed)),
    );
    await shutdown();
    return { passed };
  },
  async missing() {
    const seen: Record<string, unknown> = {};
    for (const more of [
      { exporter: 'jaeger' },
      { exporter: 'otlp' },
      { exporter: 'none', propagators: ['jaeger'] },
      { exporter: 'none' },
    ] as const)
      try {
        await start({ ...more, register: false }).shutdown();
      } catch (error) {
        seen[JSON.stringify(more)] = isFairleadError(error, 'MISSING_PEER') ? error.message : String(error);
      }
    return seen;
  },
};

const told = await stories[story]!();
/** What would keep the process alive. */
const resources = (): string[] => process.getActiveResourcesInfo().filter(name => !/Pipe|TTY/.test(name));
// What was told to go is gone some turns later: sockets, and a last timer of a millisecond. No retry is as near.
for (let turn = 0; turn < 25 && resources().length > 0; turn += 1) await sleep(20);
process.stdout.write(JSON.stringify({ ...told, problems, held: resources() }));
