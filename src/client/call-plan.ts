import type { CallPolicy } from '../core/call.js';
import type { DeadlineSource } from '../core/explanation.js';
import type { RetryRules } from '../core/policy.js';
import * as check from '../core/check.js';
import { wishOf } from '../routing/decision.js';
import type { CallOptions, LogicalCallOptions } from './options.js';
import { resolveHedge } from './options/hedge.js';
import { RETRY_DEFAULTS, type CallRetryOptions } from './options/retry.js';
import type { ResolvedOptions } from './resolve-options.js';

/** What the options of a call come to, over those of its client. */
export interface CallPlan {
  readonly service: string;
  /** `undefined`: as the request says. */
  readonly idempotent: boolean | undefined;
  readonly hashKey: string | undefined;
  readonly policy: CallPolicy;
  /** Where the caller wishes it to go. */
  readonly route: unknown;
  readonly explained: boolean;
  readonly maxAttempts: number;
  /** Infinity: none. */
  readonly deadlineMs: number;
  readonly deadlineFrom: DeadlineSource;
}

/** Most calls have no options: they share one plan, made with the client. The options are already checked. */
export const callPlan = (options: ResolvedOptions, given?: LogicalCallOptions): CallPlan => {
  const deadlineMs = deadlineMsOf(options, given);
  return {
    service: options.service,
    idempotent: given?.idempotent,
    hashKey: given?.hashKey,
    policy: policyOf(options, given),
    route: given?.route && wishOf(given.route),
    explained: (given?.explain ?? options.explain) === 'all',
    maxAttempts: maxAttemptsOf(options, given?.retry),
    deadlineMs,
    deadlineFrom: deadlineMs === Infinity ? 'none' : given?.deadlineMs === undefined ? 'client' : 'call',
  };
};

const deadlineMsOf = (options: ResolvedOptions, given: LogicalCallOptions | undefined): number =>
  given?.deadlineMs === undefined ? options.deadlineMs : given.deadlineMs === false ? Infinity : given.deadlineMs;

const NO_POLICY: CallPolicy = Object.freeze({ attemptTimeoutMs: undefined, retry: undefined, hedge: undefined });

const policyOf = (options: ResolvedOptions, given: LogicalCallOptions | undefined): CallPolicy => {
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
const maxAttemptsOf = (options: ResolvedOptions, retry: CallOptions['retry']): number => {
  if (retry === false) return 1;
  if (retry === undefined) return options.retry ? options.retry.maxAttempts : 1;
  return retry.maxAttempts ?? (options.retry || RETRY_DEFAULTS).maxAttempts;
};
