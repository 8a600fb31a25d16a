// Who is measured: each gives the one operation that is repeated. All answer at once, so that what remains is what they
// cost themselves.

const VALUE = { ok: true };
const value = async () => VALUE;
/** The cheapest response there is; a fresh one for each call, since a response is read once. */
const response = async () => new Response(null);

/**
 * What createServiceClient gives by default: p2c over three instances, retry, budget, ejection, the service's breaker on
 * opossum, bulkhead, deadline.
 */
const fairlead = async options => {
  const { createServiceClient, staticRegistry } = await import('../dist/index.js');
  const registry = staticRegistry([1, 2, 3].map(port => ({ address: '127.0.0.1', port })));
  const client = createServiceClient({
    service: 'users',
    registry,
    transport: { send: response, sendCancellable: response },
    ...options,
  });
  await client.ready();
  return client;
};

const opossum = async (options, action = value) => {
  const { default: CircuitBreaker } = await import('opossum');
  const breaker = new CircuitBreaker(action, options);
  return () => breaker.fire();
};

const cockatiel = async () => {
  const { ConsecutiveBreaker, TimeoutStrategy, bulkhead, circuitBreaker, handleAll, retry, timeout, wrap } =
    await import('cockatiel');
  const policy = wrap(
    retry(handleAll, { maxAttempts: 3 }),
    circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) }),
    timeout(5_000, TimeoutStrategy.Aggressive),
    bulkhead(1_000, 10_000),
  );
  return () => policy.execute(value);
};

/**
 * `over`: the contestant that does the same work without anything around it. `beside`: whose overhead its own is compared
 * with; a Response in flight costs its carrier more than a plain value does, so each is compared with its like.
 */
export const contestants = {
  'bare call': { make: async () => value },
  'bare Response': { make: async () => response },
  'fairlead call()': {
    over: 'bare call',
    beside: 'opossum, defaults',
    make: async () => {
      const client = await fairlead();
      return () => client.call(value);
    },
  },
  'fairlead fetch()': {
    over: 'bare Response',
    beside: 'opossum, defaults, Response',
    make: async () => {
      const client = await fairlead();
      return () => client.fetch('/users/42');
    },
  },
  'fairlead call(), no breaker': {
    over: 'bare call',
    beside: 'opossum, defaults',
    make: async () => {
      const client = await fairlead({ circuitBreaker: false });
      return () => client.call(value);
    },
  },
  'fairlead fetch(), no breaker': {
    over: 'bare Response',
    beside: 'opossum, defaults, Response',
    make: async () => {
      const client = await fairlead({ circuitBreaker: false });
      return () => client.fetch('/users/42');
    },
  },
  'opossum, defaults': { over: 'bare call', beside: 'opossum, defaults', make: () => opossum({}) },
  'opossum, defaults, Response': {
    over: 'bare Response',
    beside: 'opossum, defaults, Response',
    make: () => opossum({}, response),
  },
  'opossum, lean': {
    over: 'bare call',
    beside: 'opossum, defaults',
    make: () => opossum({ timeout: false, rollingPercentilesEnabled: false, enableSnapshots: false }),
  },
  'cockatiel, four policies': { over: 'bare call', beside: 'opossum, defaults', make: cockatiel },
};
