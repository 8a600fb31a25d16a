// Who is measured by limiters.js. Each makes the one operation that is repeated; `per`: how many of what is counted one call of
// it makes.

/** Enough that the price of the call itself does not show. */
const TIMES = 1_000;
const WINDOW = 1_000;
const answered = async () => undefined;
const swallow = () => undefined;

const fairlead = () => import('../dist/index.js');

/** The clock reading that a call in the pipeline shares with all stages: it moves on by as much as a call may take. */
const sharedClock = stepMs => {
  // A plain variable would be a new number object each time.
  const now = new Float64Array(1);
  return () => (now[0] += stepMs);
};

/** `beside`: what costs the same without the limiter, to be taken off: the loop and the clock. */
const repeated = (operation, beside = () => true) => Object.assign(loop(operation), { beside: loop(beside) });

const loop = operation => () => {
  let last;
  for (let nth = 0; nth < TIMES; nth += 1) last = operation();
  return last;
};

const bucket = async options => (await fairlead()).tokenBucket(options);
const window = async options => (await fairlead()).slidingWindow({ limit: WINDOW, windowMs: WINDOW, ...options });

const MANY = { perSecond: 1e9, burst: 1e9 };
const FEW = { perSecond: 0.001, burst: 1 };

const npmBucket = async ({ perSecond, burst }) => {
  const { TokenBucket } = await import('limiter');
  const one = new TokenBucket({ bucketSize: burst, tokensPerInterval: perSecond, interval: 1_000 });
  one.content = burst;
  return repeated(() => one.tryRemoveTokens(1));
};

const flexible = async points => {
  const { RateLimiterMemory } = await import('rate-limiter-flexible');
  const one = new RateLimiterMemory({ points, duration: 3_600 });
  return () => one.consume('key').catch(swallow);
};

/** As in articles: all times of the window in an array. */
const arrayFilter = () => {
  const now = sharedClock(1);
  let times = [];
  return repeated(() => {
    const at = now();
    times = times.filter(time => time > at - WINDOW);
    if (times.length >= WINDOW) return false;
    times.push(at);
    return true;
  });
};

const client = async options => {
  const { createServiceClient, staticRegistry } = await fairlead();
  const registry = staticRegistry([{ address: '127.0.0.1', port: 1 }]);
  const one = createServiceClient({ service: 'users', registry, retry: false, ...options });
  await one.ready();
  return one;
};

const calling = async options => {
  const one = await client(options);
  return () => one.call(answered);
};

const refused = async options => {
  const one = await client(options);
  return () => one.call(answered).catch(swallow);
};

const adaptivelyRefused = async () => {
  // The one in flight stays: it has no deadline.
  const adaptiveConcurrency = { initialLimit: 1, maxLimit: 1 };
  const one = await client({ adaptiveConcurrency, deadlineMs: false, attemptTimeoutMs: false });
  void one.call(() => new Promise(() => undefined)).catch(swallow);
  await new Promise(resolve => setImmediate(resolve));
  return () => one.call(answered).catch(swallow);
};

/** 999 of 1 000 are refused, by chance; the one that is made finds nobody. */
const throttled = async () => {
  const nobody = Object.assign(new Error('nobody there'), { code: 'ECONNREFUSED' });
  const asking = () => Promise.reject(nobody);
  const throttle = { minCalls: 1, maxRejectRatio: 0.999 };
  const one = await client({ throttle, circuitBreaker: false, ejection: false });
  for (let nth = 0; nth < 10_000; nth += 1) await one.call(asking).catch(swallow);
  return () => one.call(asking).catch(swallow);
};

const opossumRefused = async () => {
  const { default: CircuitBreaker } = await import('opossum');
  const one = new CircuitBreaker(answered, { resetTimeout: 3_600_000 });
  one.open();
  return () => one.fire().catch(swallow);
};

const bottleneck = async () => {
  const { default: Bottleneck } = await import('bottleneck');
  const one = new Bottleneck({ maxConcurrent: 100 });
  return () => Promise.all(Array.from({ length: 100 }, () => one.schedule(answered)));
};

export const contestants = {
  'allows: tokenBucket(), the call’s clock': {
    per: TIMES,
    make: async () => {
      const [one, now] = [await bucket(MANY), sharedClock(0.001)];
      return repeated(() => one.tryAcquire(1, now()), now);
    },
  },
  'allows: tokenBucket(), its own clock': {
    per: TIMES,
    make: async () => {
      const one = await bucket(MANY);
      return repeated(() => one.tryAcquire());
    },
  },
  'allows: npm limiter, TokenBucket': { per: TIMES, make: () => npmBucket(MANY) },
  'allows: rate-limiter-flexible, memory': { make: () => flexible(1e9) },
  'allows: bottleneck, 100 at once': { per: 100, make: bottleneck },
  'refuses: tokenBucket(), the call’s clock': {
    per: TIMES,
    make: async () => {
      const [one, now] = [await bucket(FEW), sharedClock(0.001)];
      return repeated(() => one.tryAcquire(1, now()), now);
    },
  },
  'refuses: tokenBucket(), its own clock': {
    per: TIMES,
    make: async () => {
      const one = await bucket(FEW);
      return repeated(() => one.tryAcquire());
    },
  },
  'refuses: npm limiter, TokenBucket': { per: TIMES, make: () => npmBucket(FEW) },
  'refuses: rate-limiter-flexible, memory': { make: () => flexible(1) },
  'window of 1 000: slidingWindow(), exact': {
    per: TIMES,
    make: async () => {
      const [one, now] = [await window(), sharedClock(1)];
      return repeated(() => one.tryAcquire(1, now()), now);
    },
  },
  'window of 1 000: slidingWindow(), counted': {
    per: TIMES,
    make: async () => {
      const [one, now] = [await window({ exact: false }), sharedClock(1)];
      return repeated(() => one.tryAcquire(1, now()), now);
    },
  },
  'window of 1 000: an array, filtered': { per: TIMES, make: arrayFilter },
  'keyed(), 1 000 keys': {
    per: TIMES,
    make: async () => {
      const { keyed, tokenBucket } = await fairlead();
      const one = keyed(
        () => tokenBucket(MANY),
        key => key,
      );
      const keys = Array.from({ length: 1_000 }, (_, index) => `tenant-${index}`);
      const now = sharedClock(0.001);
      let turn = 0;
      return repeated(() => one.of(keys[(turn = (turn + 1) % 1_000)], now()).tryAcquire(1, now()));
    },
  },
  'call(): no limits': { make: () => calling({}) },
  'call(): rateLimit': { make: async () => calling({ rateLimit: await bucket(MANY) }) },
  'call(): throttle': { make: () => calling({ throttle: true }) },
  'call(): adaptiveConcurrency': { make: () => calling({ adaptiveConcurrency: true }) },
  'refused call(): rateLimit': { make: async () => refused({ rateLimit: await bucket(FEW) }) },
  'refused call(): throttle': { make: throttled },
  'refused call(): adaptiveConcurrency': { make: adaptivelyRefused },
  'refused: adaptiveConcurrency().execute()': {
    make: async () => {
      const one = (await fairlead()).adaptiveConcurrency({ initialLimit: 1, maxLimit: 1 });
      one.enter();
      return () => one.execute(answered).catch(swallow);
    },
  },
  'refused: opossum': { make: opossumRefused },
};
