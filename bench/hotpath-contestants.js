// Who is measured by hotpath.js: each gives the one operation that is repeated. All answer at once, so that what remains is
// what they cost themselves.

const VALUE = { ok: true };
const value = async () => VALUE;
/** The cheapest response there is; a fresh one for each call, since a response is read once. */
const response = async () => new Response(null);

const LEAN = { timeout: false, rollingPercentilesEnabled: false, enableSnapshots: false };
/** Whatever is limited, the limit is never reached. */
const PLENTY = 1e9;

/**
 * What createServiceClient gives by default: p2c over three instances, retry and its budget, ejection, the service's breaker
 * on opossum, bulkhead, deadline. `allOn`: and a token bucket.
 */
const fairlead = async ({ allOn = false, ...options }) => {
  const { createServiceClient, staticRegistry, tokenBucket } = await import('../dist/index.js');
  const registry = staticRegistry([1, 2, 3].map(port => ({ address: '127.0.0.1', port })));
  const client = createServiceClient({
    service: 'users',
    registry,
    transport: { send: response, sendCancellable: response },
    ...(allOn ? { rateLimit: tokenBucket({ perSecond: PLENTY, burst: PLENTY }) } : {}),
    ...options,
  });
  await client.ready();
  return client;
};
const calling = options => async () => {
  const client = await fairlead(options);
  return () => client.call(value);
};
const fetching = options => async () => {
  const client = await fairlead(options);
  return () => client.fetch('/users/42');
};

/**
 * What no pipeline can do without: a promise that it can end before the transport does, two readings of the clock, and one object
 * that holds what belongs to the call.
 */
const leastPipeline = async () => {
  const { performance: clock } = await import('node:perf_hooks');
  const total = { ms: 0 };
  return () => {
    const call = { startedAt: clock.now(), endedAt: 0, instance: 'a', attempts: 1, outcome: 'running' };
    return new Promise((resolve, reject) => {
      value().then(
        result => {
          call.endedAt = clock.now();
          call.outcome = 'success';
          total.ms += call.endedAt - call.startedAt;
          resolve(result);
        },
        error => reject(error),
      );
    });
  };
};

const opossum =
  (options, action = value) =>
  async () => {
    const { default: CircuitBreaker } = await import('opossum');
    const breaker = new CircuitBreaker(action, options);
    return () => breaker.fire();
  };

export const cockatielFour = async () => {
  const cockatiel = await import('cockatiel');
  const { ConsecutiveBreaker, TimeoutStrategy, bulkhead, circuitBreaker, handleAll, retry, timeout, wrap } = cockatiel;
  return wrap(
    retry(handleAll, { maxAttempts: 3 }),
    circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) }),
    timeout(5_000, TimeoutStrategy.Aggressive),
    bulkhead(1_000, 10_000),
  );
};

/** Retry and bulkhead of cockatiel, opossum as the breaker and the timeout, and npm `limiter`: as one would put them together. */
export const byHand = async action => {
  const { bulkhead, handleAll, retry, wrap } = await import('cockatiel');
  const { default: CircuitBreaker } = await import('opossum');
  const { TokenBucket } = await import('limiter');
  const bucket = new TokenBucket({ bucketSize: PLENTY, tokensPerInterval: PLENTY, interval: 1_000 });
  bucket.content = PLENTY;
  const policy = wrap(retry(handleAll, { maxAttempts: 3 }), bulkhead(1_000, 10_000));
  const breaker = new CircuitBreaker(action, {});
  return argument => {
    if (!bucket.tryRemoveTokens(1)) throw new Error('limited');
    return policy.execute(() => breaker.fire(argument));
  };
};

const mollitia = async () => {
  const { Bulkhead, Circuit, Retry, SlidingCountBreaker, Timeout } = await import('mollitia');
  const modules = [
    new Retry({ attempts: 2 }),
    new SlidingCountBreaker({}),
    new Timeout({ delay: 5_000 }),
    new Bulkhead({ concurrentSize: 1_000, queueSize: 10_000 }),
  ];
  const circuit = new Circuit({ func: value, options: { modules } });
  return () => circuit.execute();
};

const moleculer = options => async () => {
  const { default: Moleculer } = await import('moleculer');
  const broker = new Moleculer.ServiceBroker({ logger: false, ...options });
  broker.createService({ name: 'users', actions: { get: () => VALUE } });
  await broker.start();
  return () => broker.call('users.get');
};
const MOLECULER_ALL = {
  requestTimeout: 5_000,
  retryPolicy: { enabled: true, retries: 2 },
  circuitBreaker: { enabled: true },
  bulkhead: { enabled: true, concurrency: 1_000, maxQueueSize: 10_000 },
};

const retrying = async () => {
  const { default: pRetry } = await import('p-retry');
  return () => pRetry(value, { retries: 2 });
};

const called = make => ({ over: 'bare call', bytes: true, make });
const fetched = make => ({ over: 'bare Response', bytes: true, make });

/** `over`: what does the same work with nothing around it. A Response in flight costs its carrier more than a plain value does. */
export const contestants = {
  'bare call': { bytes: true, make: async () => value },
  'fairlead call(), all on': called(calling({ allOn: true })),
  'fairlead call(), all on, no breaker': called(calling({ allOn: true, circuitBreaker: false })),
  'a promise, two readings of the clock': called(leastPipeline),
  'opossum, lean': called(opossum(LEAN)),
  'opossum, defaults': called(opossum({})),
  'fairlead call(), defaults': called(calling({})),
  'fairlead call(), defaults, no breaker': called(calling({ circuitBreaker: false })),
  'bare Response': { bytes: true, make: async () => response },
  'fairlead fetch(), all on': fetched(fetching({ allOn: true })),
  'fairlead fetch(), all on, no breaker': fetched(fetching({ allOn: true, circuitBreaker: false })),
  'opossum, lean, Response': fetched(opossum(LEAN, response)),
  'opossum, defaults, Response': fetched(opossum({}, response)),
  'fairlead fetch(), defaults': fetched(fetching({})),
  'fairlead fetch(), defaults, no breaker': fetched(fetching({ circuitBreaker: false })),
  'cockatiel: retry, breaker, timeout, bulkhead': called(async () => {
    const policy = await cockatielFour();
    return () => policy.execute(value);
  }),
  'by hand: cockatiel, opossum, limiter': called(() => byHand(value)),
  'Moleculer local call, plain': called(moleculer({})),
  'Moleculer local call, all on': called(moleculer(MOLECULER_ALL)),
  'mollitia: retry, breaker, timeout, bulkhead': called(mollitia),
  'p-retry': called(retrying),
};
