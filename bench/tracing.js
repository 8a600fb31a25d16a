// What tracing() costs, in CPU time, on top of the whole default pipeline over a transport that answers at once: without an
// SDK, below a parent that was sampled out, with a sampler that drops everything, and recorded, with an exporter that
// throws all away. Those with an SDK stand beside a client without tracing() in the same surroundings: an active context
// has its price for every promise of the process, whoever made it. `parents` are new ones for each call: the headers are
// written anew then, by the propagator that is registered, and that is most of what is measured there.
//
//   npm run bench:tracing -- [--rounds 9] [--only fetch] [--json] [--write] [--check]
import { contest } from './contest.js';

const VALUE = { ok: true };
const value = async () => VALUE;
const response = async () => new Response(null);

const clientWith = async instruments => {
  const { createServiceClient, staticRegistry } = await import('../dist/index.js');
  const registry = staticRegistry([1, 2, 3].map(port => ({ address: '127.0.0.1', port })));
  const transport = { send: response, sendCancellable: response };
  const client = createServiceClient({ service: 'users', registry, transport, instruments });
  await client.ready();
  return client;
};

const traced = async () => {
  const { tracing } = await import('../dist/opentelemetry.js');
  return clientWith([tracing()]);
};
const untraced = () => clientWith([]);

/** Takes what it is given and throws it away. */
const exporter = { export: (_, done) => done({ code: 0 }), shutdown: async () => undefined };

const registered = async sampler => {
  const { NodeTracerProvider, SimpleSpanProcessor } = await import('@opentelemetry/sdk-trace-node');
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  const provider = new NodeTracerProvider({ ...(sampler && { sampler }), spanProcessors });
  provider.register();
  return provider;
};

const PARENT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 0 };

/** Within a span of this process that is not recorded, as a service is that got a request whose trace is not. */
const below = client => async make => {
  const { context, trace } = await import('@opentelemetry/api');
  await registered();
  const around = trace.setSpanContext(context.active(), PARENT);
  const operation = make(await client());
  return () => context.with(around, operation);
};

/** The same, each time for another request that is served. */
const belowAnother = client => async make => {
  const { context, trace } = await import('@opentelemetry/api');
  await registered();
  const operation = make(await client());
  return () => context.with(trace.setSpanContext(context.active(), PARENT), operation);
};

const dropping = client => async make => {
  const { AlwaysOffSampler } = await import('@opentelemetry/sdk-trace-node');
  await registered(new AlwaysOffSampler());
  return make(await client());
};

const recording = client => async make => {
  await registered();
  return make(await client());
};

const alone = client => async make => make(await client());

const kinds = {
  fetch: client => () => client.fetch('/users/42'),
  'call()': client => () => client.call(value),
};
const surroundings = {
  'without an SDK': alone,
  'parent sampled out': below,
  'parents sampled out': belowAnother,
  'dropped by the sampler': dropping,
  recorded: recording,
};

const contestants = Object.fromEntries(
  Object.entries(kinds).flatMap(([kind, make]) =>
    Object.entries(surroundings).flatMap(([name, within]) => [
      [`${kind}, ${name}, no tracing()`, { make: () => within(untraced)(make) }],
      [`${kind}, ${name}`, { make: () => within(traced)(make) }],
    ]),
  ),
);

// Its goals are tracing-beside.js's, where noise is smaller.
await contest({ script: import.meta.url, contestants, goals: [] });
