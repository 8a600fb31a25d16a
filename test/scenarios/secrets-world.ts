/** Everything that fairlead tells anybody, in one place, with a secret in everything that it is given. */
import { channel } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import {
  createServiceClient,
  formatExplanation,
  isFairleadError,
  logEvents,
  type LoggedEvent,
  type Registry,
  type ServiceClient,
  type ServiceClientOptions,
  type ServiceInstance,
} from 'fairlead';
import { metrics, tracing } from 'fairlead/opentelemetry';
import { fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';
import { vi } from 'vitest';

/** A value that must not come out anywhere; which one it was shows where it leaked from. */
export const secret = (place: string): string => `hunter2-${place}`;

class Pulled extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

/** All that a person or a program could read of an error. */
const allOf = (error: unknown): string =>
  [
    inspect(error, { depth: 12, showHidden: true }),
    error instanceof Error ? [error.message, error.stack, JSON.stringify(error)].join('\n') : JSON.stringify(error),
  ].join('\n');

export interface Sinks {
  readonly log: (event: LoggedEvent) => void;
  readonly instruments: NonNullable<ServiceClientOptions['instruments']>;
  readonly told: Record<string, string[]>;
  note(sink: string, value: unknown): void;
  collect(): Promise<void>;
  stop(): void;
}

const CHANNELS = ['call', 'attempt', 'instance', 'breaker', 'registry', 'client', 'lifecycle'];

/** Spans, metrics, events by listener and by channel, lines of three loggers, warnings of the process. */
export const makeSinks = (runtime: TestRuntime): Sinks => {
  const told: Record<string, string[]> = {};
  const note = (sink: string, value: unknown): void => void (told[sink] ??= []).push(allOf(value));
  const logger = (sink: string, more: object = {}) => {
    const write = (...args: unknown[]): void => note(sink, args);
    return { debug: write, info: write, warn: write, error: write, ...more };
  };
  const all = { level: 'debug', repeatMs: 0, runtime } as const;
  const logs = [logEvents(logger('console'), all), logEvents(logger('pino', { bindings: () => ({}) }), all)];
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const reader = new Pulled();
  const meterProvider = new MeterProvider({ readers: [reader] });
  const heard = (event: unknown): void => note('channel', event);
  for (const name of CHANNELS) channel(`fairlead:${name}`).subscribe(heard);
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(warning => note('warning', warning));
  return {
    told,
    note,
    instruments: [tracing({ tracerProvider }), metrics({ meterProvider, instanceLabels: true })],
    log: event => {
      note('event', event);
      for (const log of logs) log(event);
    },
    collect: async () => {
      for (const { name, attributes, events, status } of exporter.getFinishedSpans())
        note('span', { name, attributes, events, status });
      note('metrics', (await reader.collect()).resourceMetrics.scopeMetrics);
    },
    stop: () => {
      for (const name of CHANNELS) channel(`fairlead:${name}`).unsubscribe(heard);
      warned.mockRestore();
    },
  };
};

/** A registry that quotes its URL and its token whenever something goes wrong, as clients of registries do. */
export const tellTaleRegistry = (instances: readonly ServiceInstance[]): Registry & { fail(): void } => {
  let fail = (): void => undefined;
  const failed = new Promise<void>(resolve => (fail = resolve));
  const broken = (): Error =>
    Object.assign(
      new Error(`GET http://svc:${secret('registry-password')}@registry/v1?token=${secret('registry-token')} failed`),
      {
        request: { headers: { 'x-consul-token': secret('registry-header') } },
        cause: new Error(`x-consul-token: ${secret('registry-cause')}`),
      },
    );
  return {
    name: 'tell-tale',
    fail: () => fail(),
    async *watch(_service, { report }) {
      const message = `an entry was skipped: http://svc:${secret('problem')}@registry`;
      report({ kind: 'bad-entry', message, cause: broken() });
      yield instances;
      await failed;
      throw broken();
    },
    discover: () => Promise.reject(broken()),
    close: () => Promise.resolve(),
  };
};

export interface SecretWorld {
  readonly client: ServiceClient;
  readonly runtime: TestRuntime;
  readonly sinks: Sinks;
  /** Waits for the call, and reads all there is to read of how it ended. */
  ends(call: Promise<unknown>): Promise<void>;
}

export type Answer = (request: Request) => Response | Promise<Response>;

export const makeSecretWorld = async (
  answer: Answer,
  options: Partial<ServiceClientOptions> & { readonly sinks?: Sinks } = {},
): Promise<SecretWorld> => {
  const { sinks: given, ...own } = options;
  const runtime = testRuntime({ fetch: fakeFetch(answer) });
  const sinks = given ?? makeSinks(runtime);
  const { log: onEvent, instruments } = sinks;
  const registry = tellTaleRegistry(
    ['a', 'b'].map((id, index) => ({
      id,
      service: 'users',
      address: '127.0.0.1',
      port: 1_001 + index,
      protocol: 'http',
      weight: 1,
      tags: [`password=${secret('tag')}`],
      metadata: { password: secret('metadata') },
      status: 'passing',
    })),
  );
  const client = createServiceClient({
    service: 'users',
    registry,
    runtime,
    onEvent,
    instruments,
    explain: 'all',
    ...own,
  });
  await runtime.settle();
  const ends = async (call: Promise<unknown>): Promise<void> => {
    const ended = call.catch((error: unknown) => error);
    await runtime.advance(20_000);
    const result = await ended;
    if (!(result instanceof Response)) sinks.note('error', result);
    sinks.note('explanation', client.explain(result));
    sinks.note('formatted', formatExplanation(client.explain(result)));
    if (isFairleadError(result)) sinks.note('explanation', result.explain());
    sinks.note('snapshot', client.snapshot());
  };
  return { client, runtime, sinks, ends };
};

/** Which secrets came out, and where. */
export const leaksOf = ({ told }: Sinks): string[] => [
  ...new Set(
    Object.entries(told).flatMap(([sink, texts]) =>
      texts.flatMap(text => [...text.matchAll(/hunter2-[\w-]+/g)].map(([found]) => `${sink}: ${found}`)),
    ),
  ),
];
