import type { LogicalCallOptions } from './options.js';
import type { CallSeed } from './logical-call.js';
import type { ResolvedOptions } from './resolve-options.js';

/**
 * Options that are right one by one and do not work together, each as a sentence with its numbers. They are warned about,
 * not refused: the client works, but not as its owner believes.
 */
export const lintOptions = (options: ResolvedOptions): readonly string[] =>
  [
    attemptsAndDeadline(options),
    backoffs(options),
    retryBase(options),
    window('circuitBreaker', options.circuitBreaker, options),
    window('ejection', options.ejection, options),
    slowCalls('circuitBreaker', options.circuitBreaker, options),
    slowCalls('ejection', options.ejection, options),
    hedges(options),
    ejectionTimes(options),
  ].filter(warning => warning !== undefined);

/** Tells the process, once for each client. */
export const warnOfOptions = (options: ResolvedOptions): void => {
  for (const warning of lintOptions(options))
    process.emitWarning(`${options.service}: ${warning}`, { type: 'FairleadWarning', code: 'FAIRLEAD_CONFIG' });
};

type Warning = string | undefined;

/** The longest that one attempt can take. */
const attemptMs = ({ attemptTimeoutMs, deadlineMs }: ResolvedOptions): number =>
  Math.min(attemptTimeoutMs === false ? Infinity : attemptTimeoutMs, deadlineMs);

const attemptsAndDeadline = (options: ResolvedOptions): Warning => {
  const { attemptTimeoutMs, attemptTimeoutIsExplicit, deadlineMs, retry } = options;
  if (attemptTimeoutMs === false || !attemptTimeoutIsExplicit || attemptTimeoutMs < deadlineMs) return undefined;
  if (attemptTimeoutMs > deadlineMs)
    return `attemptTimeoutMs (${attemptTimeoutMs} ms) is longer than deadlineMs (${deadlineMs} ms): no attempt ever reaches it`;
  if (!retry || retry.maxAttempts === 1) return undefined;
  return `attemptTimeoutMs and deadlineMs are both ${deadlineMs} ms: after an attempt that timed out no time is left for another`;
};

const backoffs = ({ retry, deadlineMs }: ResolvedOptions): Warning => {
  if (!retry) return undefined;
  const { maxAttempts, baseMs, maxMs } = retry;
  let longest = 0;
  for (let wait = 0; wait < maxAttempts - 1; wait += 1) longest += Math.min(maxMs, baseMs * 2 ** wait);
  if (longest < deadlineMs) return undefined;
  return `the waits of retry (up to ${longest} ms for maxAttempts ${maxAttempts}) can outlast deadlineMs (${deadlineMs} ms)`;
};

const retryBase = ({ retry }: ResolvedOptions): Warning =>
  retry && retry.baseMs > retry.maxMs
    ? `retry.baseMs (${retry.baseMs} ms) is longer than retry.maxMs (${retry.maxMs} ms), which then holds for each wait`
    : undefined;

/** A failure that takes as long as the window shows up when the calls beside it have been forgotten. */
const window = (name: string, policy: { readonly windowMs: number } | false, options: ResolvedOptions): Warning => {
  const { attemptTimeoutMs } = options;
  const ms = attemptMs(options);
  if (!policy || attemptTimeoutMs === false || policy.windowMs >= 2 * ms) return undefined;
  return `${name}.windowMs (${policy.windowMs} ms) is less than twice what an attempt may take (${ms} ms): timeouts are forgotten before they add up`;
};

const slowCalls = (
  name: string,
  policy: { readonly slowCallMs: number | false } | false,
  options: ResolvedOptions,
): Warning => {
  const ms = attemptMs(options);
  if (!policy || policy.slowCallMs === false || policy.slowCallMs < ms) return undefined;
  return `${name}.slowCallMs (${policy.slowCallMs} ms) is not shorter than an attempt may take (${ms} ms): no answer is ever slow`;
};

const hedges = (options: ResolvedOptions): Warning => {
  const { hedge } = options;
  const ms = attemptMs(options);
  if (!hedge || hedge.afterMs === undefined || hedge.afterMs < ms) return undefined;
  return `hedge.afterMs (${hedge.afterMs} ms) is not shorter than an attempt may take (${ms} ms): no hedge is ever sent`;
};

const ejectionTimes = ({ ejection }: ResolvedOptions): Warning =>
  ejection && ejection.baseMs > ejection.maxMs
    ? `ejection.baseMs (${ejection.baseMs} ms) is longer than ejection.maxMs (${ejection.maxMs} ms), which then holds from the first time`
    : undefined;

/**
 * A hedge is a second copy of the request: asked for by name, for a request that may not be sent twice, it is a mistake of
 * the caller's. (A client's `hedge` passes over such requests.) Throws a TypeError.
 */
export const refuseUnsafeHedge = (seed: CallSeed, given: LogicalCallOptions | undefined, path: string): void => {
  if (!given?.hedge || (given.idempotent ?? seed.idempotent)) return;
  const what = seed.request === undefined ? 'a call()' : `a ${seed.request.method}`;
  const remedy = seed.request === undefined ? '{ idempotent: true }' : 'an Idempotency-Key, or { idempotent: true }';
  throw new TypeError(`${path}.hedge: ${what} may not be sent twice; if it may, give it ${remedy}`);
};
