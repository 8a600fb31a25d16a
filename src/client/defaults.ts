/** Every default of `createServiceClient`, in one place. */
export const DEFAULTS = Object.freeze({
  includeWarning: false,
  deadlineMs: 15_000,
  attemptTimeoutMs: 5_000,
  slowStartMs: 30_000,
  redirects: 'same-origin',
  retry: Object.freeze({
    maxAttempts: 3,
    baseMs: 25,
    maxMs: 250,
    budget: Object.freeze({ ratio: 0.2, minPerSecond: 10, ttlMs: 10_000 }),
  }),
  bulkhead: Object.freeze({ maxInFlight: 1_000, maxQueue: 10_000 }),
  ejection: Object.freeze({
    consecutiveFailures: 5,
    failureRatio: 0.5,
    minCalls: 20,
    windowMs: 10_000,
    baseMs: 5_000,
    maxMs: 10_000,
    maxEjectedRatio: 0.5,
    panicRatio: 0.3,
    probes: 1,
    successesToClose: 2,
  }),
} as const);
