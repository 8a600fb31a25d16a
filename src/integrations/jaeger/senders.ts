/** The exporters of OpenTelemetry, each with what its failures mean, and a way to close its connections. */
import type * as jaegerPackage from '@opentelemetry/exporter-jaeger';
import type * as otlpPackage from '@opentelemetry/exporter-trace-otlp-http';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { Sender } from './delivery.js';
import type { Destination } from './destination.js';
import { otlpAgent } from './otlp-agent.js';
import { peer } from './peers.js';

type To<Kind extends Destination['kind']> = Extract<Destination, { kind: Kind }>;

/** How to make the sender, and where it sends to, for messages. */
export interface Way {
  readonly where: string;
  readonly open: () => Sender;
}

export const wayTo = (destination: Exclude<Destination, { kind: 'none' }>, exportTimeoutMs: number): Way => {
  if (destination.kind === 'jaeger') return toJaeger(destination);
  if (destination.kind === 'otlp') return toOtlp(destination, exportTimeoutMs);
  const { exporter } = destination;
  // It is somebody else's: trying again is its business, and only its shutdown may end what it is at.
  return { where: 'the exporter', open: () => ({ exporter, retryAfterMs: () => undefined, cut: nothing }) };
};

const nothing = (): void => undefined;

const ENDPOINT = 'OTEL_EXPORTER_JAEGER_ENDPOINT';
/** It gives only a text. */
const PASSING = /ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN|AggregateError|hang up|HTTP (429|50[234])$/;

const toJaeger = ({ to }: To<'jaeger'>): Way => {
  const { JaegerExporter } = peer<typeof jaegerPackage>(
    '@opentelemetry/exporter-jaeger',
    "startTracing with exporter 'jaeger'",
  );
  // On a shutdown nothing waits any more, see SteadyExporter, but its timer runs on: 2 s by default, which hold the process.
  const flushTimeout = 1;
  const make = (): SpanExporter => {
    if ('url' in to) return new JaegerExporter({ endpoint: to.url, ...to.login, flushTimeout });
    return withoutVariable(ENDPOINT, () => new JaegerExporter({ host: to.host, port: to.port, flushTimeout }));
  };
  const open = (): Sender => {
    const exporter = make();
    return {
      exporter,
      retryAfterMs: error => (PASSING.test(error?.message ?? '') ? 0 : undefined),
      // Destroys its connections, as the shutdown of an exporter with nothing to flush does.
      cut: () => void exporter.shutdown().catch(nothing),
    };
  };
  return { where: 'url' in to ? to.url : `udp://${to.host}:${to.port}`, open };
};

/** The exporter prefers it to the agent, however that was asked for. */
const withoutVariable = <T>(name: string, run: () => T): T => {
  const value = process.env[name];
  delete process.env[name];
  try {
    return run();
  } finally {
    if (value !== undefined) process.env[name] = value;
  }
};

const toOtlp = ({ to, headers }: To<'otlp'>, timeoutMillis: number): Way => {
  const { OTLPTraceExporter } = peer<typeof otlpPackage>(
    '@opentelemetry/exporter-trace-otlp-http',
    "startTracing with exporter 'otlp'",
  );
  const login = to.login && Buffer.from(`${to.login.username}:${to.login.password}`).toString('base64');
  const own = {
    url: to.url,
    headers: { ...(login !== undefined && { authorization: `Basic ${login}` }), ...headers },
    timeoutMillis,
  };
  const open = (): Sender => {
    const { agent, retryAfterMs, cut } = otlpAgent(to.url);
    const exporter = new OTLPTraceExporter({ ...own, httpAgentOptions: () => agent });
    return { exporter, retryAfterMs, cut };
  };
  return { where: to.url, open };
};
