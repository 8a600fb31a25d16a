import type { BreakerPolicy } from '../machines/breaker-rules.js';
import type { Pool } from '../pool/pool.js';
import type { ResolvedOptions } from './resolve-options.js';

/**
 * Is there an instance that serves, was used lately, and fails clearly less than the service as a whole? Then the service is
 * not down: the instances that fail are being ejected, and calls that would succeed must not be refused for their sake.
 * Without ejection nobody keeps calls from them, so the ratio alone decides.
 */
export const somebodyWorks = (
  pool: Pool,
  { ejection, runtime }: ResolvedOptions,
  { failureRatio, windowMs }: BreakerPolicy,
): boolean => {
  if (!ejection || failureRatio === false) return false;
  const since = runtime.now() - windowMs;
  for (const { availableAt, weight, lastStartedAt, successRatio } of pool.endpoints)
    if (availableAt === 0 && weight > 0 && lastStartedAt > since && successRatio >= 1 - failureRatio / 2) return true;
  return false;
};
