// Who is measured by http.js: each is given the origins of three servers and returns what makes one request and reads its JSON.
// All take their servers in turn, or as they themselves choose.
import { byHand, cockatielFour } from '../hotpath-contestants.js';

const PATH = '/users/42';
const PLENTY = 1e9;

const inTurn = list => {
  let turn = 0;
  return () => list[(turn = (turn + 1) % list.length)];
};
const urlsInTurn = origins => inTurn(origins.map(origin => origin + PATH));
const read = response => response.json();
const readBody = ({ body }) => body.json();
const withSignal = () => ({ signal: new AbortController().signal });

const platformFetch = origins => {
  const url = urlsInTurn(origins);
  return init => fetch(url(), init);
};

const peers = {
  'global fetch': async origins => {
    const ask = platformFetch(origins);
    return async () => read(await ask());
  },
  'global fetch, a signal each': async origins => {
    const ask = platformFetch(origins);
    return async () => read(await ask(withSignal()));
  },
  'undici.request + Pool': async origins => {
    const { Pool } = await import('undici');
    const pool = inTurn(origins.map(origin => new Pool(origin)));
    return async () => readBody(await pool().request({ method: 'GET', path: PATH }));
  },
  'undici BalancedPool': async origins => {
    const { BalancedPool } = await import('undici');
    const pool = new BalancedPool(origins);
    return async () => readBody(await pool.request({ method: 'GET', path: PATH }));
  },
  'undici RetryAgent': async origins => {
    const { Agent, RetryAgent, request } = await import('undici');
    const dispatcher = new RetryAgent(new Agent());
    const url = urlsInTurn(origins);
    return async () => readBody(await request(url(), { dispatcher }));
  },
  'undici fetch + Agent': async origins => {
    const undici = await import('undici');
    const dispatcher = new undici.Agent();
    const url = urlsInTurn(origins);
    return async () => read(await undici.fetch(url(), { dispatcher }));
  },
  got: async origins => {
    const { default: got } = await import('got');
    const { Agent } = await import('node:http');
    const url = urlsInTurn(origins);
    const client = got.extend({ agent: { http: new Agent({ keepAlive: true }) } });
    return () => client(url()).json();
  },
  axios: async origins => {
    const { default: axios } = await import('axios');
    const { Agent } = await import('node:http');
    const url = urlsInTurn(origins);
    const client = axios.create({ httpAgent: new Agent({ keepAlive: true }) });
    return async () => (await client.get(url())).data;
  },
  'opossum(global fetch)': async origins => {
    const { default: CircuitBreaker } = await import('opossum');
    const breaker = new CircuitBreaker(platformFetch(origins), {});
    return async () => read(await breaker.fire());
  },
  'cockatiel × 4(global fetch)': async origins => {
    const policy = await cockatielFour();
    const ask = platformFetch(origins);
    // Read inside: its timeout aborts the signal once the policy is done.
    return () => policy.execute(async ({ signal }) => read(await ask({ signal })));
  },
  'by hand(global fetch)': async origins => {
    const ask = await byHand(platformFetch(origins));
    return async () => read(await ask());
  },
};

/** Everything on: discovery's snapshot, p2c, ejection, the breaker on opossum, token bucket, bulkhead, deadline, retry. */
const client = async (origins, options) => {
  const { createServiceClient, staticRegistry, tokenBucket } = await import('../../dist/index.js');
  const one = createServiceClient({
    service: 'users',
    registry: staticRegistry(origins),
    rateLimit: tokenBucket({ perSecond: PLENTY, burst: PLENTY }),
    ...options,
  });
  await one.ready();
  return one;
};

const fairlead =
  (optionsOf, init = () => undefined) =>
  async origins => {
    const one = await client(origins, await optionsOf());
    return async () => read(await one.fetch(PATH, init()));
  };

const throughFetch = async () => ({});
const throughUndici = async () => {
  const { undiciTransport } = await import('../../dist/undici.js');
  return { transport: undiciTransport() };
};

/** A tracer that hands its spans to nobody. `ratio` 0: none is kept, and the header goes along all the same. */
const traced = (transport, ratio) => async () => {
  const { tracing } = await import('../../dist/opentelemetry.js');
  const { NodeTracerProvider, TraceIdRatioBasedSampler } = await import('@opentelemetry/sdk-trace-node');
  new NodeTracerProvider({ sampler: new TraceIdRatioBasedSampler(ratio) }).register();
  return { ...(await transport()), instruments: [tracing()] };
};

/** What every promise costs once the process uses AsyncLocalStorage, as tracing does: what it costs is none of fairlead's. */
const withAsyncContext = transport => async () => {
  const { AsyncLocalStorage } = await import('node:async_hooks');
  new AsyncLocalStorage().enterWith({});
  return transport();
};

const shared = new AbortController();
const ours = {
  'fairlead(fetch)': fairlead(throughFetch),
  'fairlead(fetch), a signal each': fairlead(throughFetch, withSignal),
  'fairlead(fetch), propagation': fairlead(traced(throughFetch, 0)),
  'fairlead(undici)': fairlead(throughUndici),
  'fairlead(undici), a signal each': fairlead(throughUndici, withSignal),
  'fairlead(undici), one signal for all': fairlead(throughUndici, () => ({ signal: shared.signal })),
  'fairlead(undici), AsyncLocalStorage in use': fairlead(withAsyncContext(throughUndici)),
  'fairlead(undici), propagation': fairlead(traced(throughUndici, 0)),
  'fairlead(undici), spans': fairlead(traced(throughUndici, 1)),
};

/** Who is measured in every field; the others only with `raw` servers and 100 callers. */
const EVERYWHERE = [
  'global fetch',
  'undici.request + Pool',
  'opossum(global fetch)',
  'fairlead(fetch)',
  'fairlead(undici)',
];

/** Who is compared stands side by side, and is measured so. */
const ORDER = [
  'global fetch',
  'fairlead(fetch)',
  'fairlead(undici)',
  'undici.request + Pool',
  'fairlead(undici), propagation',
  'fairlead(undici), AsyncLocalStorage in use',
  'fairlead(undici), a signal each',
  'global fetch, a signal each',
];
const all = { ...peers, ...ours };
const names = [...new Set([...ORDER, ...Object.keys(all)])];

export const contestants = Object.fromEntries(
  names.map(name => [name, { make: all[name], everywhere: EVERYWHERE.includes(name) }]),
);
