import type { CallPolicy } from '../core/call.js';
import type { RetryRules } from '../core/policy.js';
import * as check from '../core/check.js';
import type { CallOptions, LogicalCallOptions } from './options.js';
import { resolveHedge } from './options/hedge.js';
import { RETRY_DEFAULTS, type CallRetryOptions } from './options/retry.js';
import type { ResolvedOptions } from './resolve-options.js';

const NO_POLICY: CallPolicy = Object.freeze({ attemptTimeoutMs: undefined, retry: undefined, hedge: undefined });

/** What one call decides for itself, over what its client is set to. Already checked. */
export const callPolicy = (options: ResolvedOptions, given: LogicalCallOptions | undefined): CallPolicy => {
  if (given === undefined) return NO_POLICY;
  const { attemptTimeoutMs, retry, hedge } = given;
  if (attemptTimeoutMs === undefined && !retry && hedge === undefined) return NO_POLICY;
  return {
    attemptTimeoutMs,
    retry: retry ? rulesOver(options.retry || RETRY_DEFAULTS, retry) : undefined,
    hedge: hedge === undefined ? undefined : resolveHedge(hedge),
  };
};

const rulesOver = ({ baseMs, maxMs, jitter, shouldRetry }: RetryRules, given: CallRetryOptions): RetryRules =>
  check.filled<RetryRules>({ baseMs, maxMs, jitter, shouldRetry }, given);

/** A call may repeat where its client does not. */
export const maxAttemptsOf = (options: ResolvedOptions, retry: CallOptions['retry']): number => {
  if (retry === false) return 1;
  if (retry === undefined) return options.retry ? options.retry.maxAttempts : 1;
  return retry.maxAttempts ?? (options.retry || RETRY_DEFAULTS).maxAttempts;
};
