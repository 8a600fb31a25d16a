// What a breaker costs: a call that passes, one that is refused, one that fails with few and with many calls in the window.
// Everything answers at once, so that what remains is what they cost themselves.

const DOWN = new Error('down');
const value = async () => undefined;
const failure = () => Promise.reject(DOWN);
const swallow = () => undefined;
/** Long enough for all that is measured to stay in the window. */
const WINDOW_MS = 600_000;

const client = async options => {
  const { createServiceClient, staticRegistry } = await import('../dist/index.js');
  const registry = staticRegistry([{ address: '127.0.0.1', port: 1 }]);
  // What else may follow a failure is not what is measured here.
  const one = createServiceClient({ service: 'users', registry, retry: false, ejection: false, ...options });
  await one.ready();
  return one;
};

const alone = async options => {
  const { CircuitBreaker } = await import('../dist/index.js');
  return new CircuitBreaker({ failureRatio: 1, minCalls: 1e9, windowMs: WINDOW_MS, ...options });
};

const opossum = async (action, options) => {
  const { default: CircuitBreaker } = await import('opossum');
  return new CircuitBreaker(action, { rollingCountTimeout: WINDOW_MS, errorThresholdPercentage: 100, ...options });
};
const LEAN = { timeout: false, rollingPercentilesEnabled: false, enableSnapshots: false };

const cockatiel = async () => {
  const { ConsecutiveBreaker, circuitBreaker, handleAll } = await import('cockatiel');
  return circuitBreaker(handleAll, { halfOpenAfter: WINDOW_MS, breaker: new ConsecutiveBreaker(1) });
};

/** `fill` calls that succeed, then failing ones are measured: the ratio never opens it. */
const failing = async (call, fill) => {
  for (let nth = 0; nth < fill; nth += 1) await call(value);
  return () => call(failure).catch(swallow);
};
/** With opossum the action is fixed: it does what it is told. */
const opossumCall = async options => {
  const breaker = await opossum(run => run(), options);
  return run => breaker.fire(run);
};
const clientCall = async () => {
  const one = await client({ circuitBreaker: { failureRatio: 1, minCalls: 100_000, windowMs: WINDOW_MS } });
  return run => one.call(run);
};
const aloneCall = async () => {
  const circuit = await alone();
  return run => circuit.execute(run);
};

const PAIRS = 100;

/** `per`: how many operations one call of it makes. */
export const contestants = {
  'passes: client.call(), no breaker': {
    make: async () => {
      const one = await client({ circuitBreaker: false });
      return () => one.call(value);
    },
  },
  'passes: client.call(), breaker on opossum': {
    make: async () => {
      const one = await client();
      return () => one.call(value);
    },
  },
  'passes: CircuitBreaker enter + leave': {
    per: PAIRS,
    make: async () => {
      const circuit = await alone({ windowMs: 1_000 });
      let now = performance.now();
      return () => {
        for (let nth = 0; nth < PAIRS; nth += 1) circuit.leave(circuit.enter((now += 0.01)), 'success', now);
      };
    },
  },
  'passes: CircuitBreaker.execute()': {
    make: async () => {
      const circuit = await alone({ windowMs: 1_000 });
      return () => circuit.execute(value);
    },
  },
  'passes: opossum, defaults': {
    make: async () => {
      const breaker = await opossum(value, { rollingCountTimeout: 10_000 });
      return () => breaker.fire();
    },
  },
  'passes: opossum, lean': {
    make: async () => {
      const breaker = await opossum(value, { ...LEAN, rollingCountTimeout: 10_000 });
      return () => breaker.fire();
    },
  },
  'passes: cockatiel': {
    make: async () => {
      const breaker = await cockatiel();
      return () => breaker.execute(value);
    },
  },
  'refused: client.call()': {
    make: async () => {
      const one = await client({ circuitBreaker: { openMs: WINDOW_MS } });
      one.breaker.open();
      return () => one.call(value).catch(swallow);
    },
  },
  'refused: CircuitBreaker.execute()': {
    make: async () => {
      const circuit = await alone();
      circuit.isolate();
      return () => circuit.execute(value).catch(swallow);
    },
  },
  'refused: CircuitBreaker.enter()': {
    per: PAIRS,
    make: async () => {
      const circuit = await alone();
      circuit.isolate();
      const now = performance.now();
      return () => {
        for (let nth = 0; nth < PAIRS; nth += 1) circuit.enter(now);
      };
    },
  },
  'refused: opossum': {
    make: async () => {
      const breaker = await opossum(value, { resetTimeout: WINDOW_MS });
      breaker.open();
      return () => breaker.fire().catch(swallow);
    },
  },
  'refused: cockatiel': {
    make: async () => {
      const breaker = await cockatiel();
      breaker.isolate();
      return () => breaker.execute(value).catch(swallow);
    },
  },
  ...Object.fromEntries(
    [1_000, 100_000].flatMap(fill => [
      [`fails among ${fill}: client.call()`, { make: async () => failing(await clientCall(), fill) }],
      [`fails among ${fill}: CircuitBreaker.execute()`, { make: async () => failing(await aloneCall(), fill) }],
      [`fails among ${fill}: opossum, lean`, { make: async () => failing(await opossumCall(LEAN), fill) }],
      // As many as it takes to see it, no more: each one sorts the window.
      [`fails among ${fill}: opossum, defaults`, { make: async () => failing(await opossumCall({}), fill) }],
    ]),
  ),
};

export const goals = [
  [
    'refused: client.call()',
    'refused: opossum',
    0.35,
    'ns',
    'a call refused by the open breaker, through the client ÷ opossum',
  ],
  ['refused: CircuitBreaker.execute()', 'refused: opossum', 0.35],
  [
    'fails among 100000: client.call()',
    'fails among 1000: client.call()',
    1.2,
    'ns',
    'a failing call, 100 000 calls in the window ÷ 1 000',
  ],
  ['fails among 100000: CircuitBreaker.execute()', 'fails among 1000: CircuitBreaker.execute()', 1.2],
  ['passes: CircuitBreaker enter + leave', 'passes: opossum, lean', 0.3],
];
