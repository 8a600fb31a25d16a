import { BULKHEAD_DEFAULTS } from './options/bulkhead.js';
import { CIRCUIT_BREAKER_DEFAULTS } from './options/circuit-breaker.js';
import { EJECTION_DEFAULTS } from './options/ejection.js';
import { RETRY_DEFAULTS } from './options/retry.js';

/** Every default of `createServiceClient`, in one place. */
export const DEFAULTS = Object.freeze({
  includeWarning: false,
  deadlineMs: 15_000,
  attemptTimeoutMs: 5_000,
  slowStartMs: 30_000,
  redirects: 'same-origin',
  explain: 'failures',
  propagate: 'inherited',
  retry: RETRY_DEFAULTS,
  bulkhead: BULKHEAD_DEFAULTS,
  circuitBreaker: CIRCUIT_BREAKER_DEFAULTS,
  ejection: EJECTION_DEFAULTS,
} as const);
