import type { Call } from '../core/call.js';
import { Cancellation } from '../core/cancellation.js';
import { IGNORED } from '../core/outcome.js';
import { shared } from '../core/shared.js';
import type { OutboundRequest } from '../core/transport.js';
import type { CallOptions } from './options.js';
import type { ResolvedOptions } from './resolve-options.js';

export interface CallSeed {
  readonly request: OutboundRequest | undefined;
  readonly protocol: string | undefined;
  readonly idempotent: boolean;
  readonly replayable: boolean;
  readonly policy: CallOptions | undefined;
}

/** A call as it sets out: with the tighter of its own and an inherited deadline. */
export const newCall = (
  options: ResolvedOptions,
  { request, protocol, idempotent, replayable, policy }: CallSeed,
): Call => {
  const { service, runtime, retry } = options;
  const startedAt = runtime.now();
  const deadlineAt = startedAt + Math.min(ownDeadlineMs(options, policy), inheritedMs());
  return {
    service,
    request,
    protocol,
    idempotent: policy?.idempotent ?? idempotent,
    replayable,
    hashKey: policy?.hashKey,
    policy: { attemptTimeoutMs: policy?.attemptTimeoutMs },
    cancellation: new Cancellation(),
    startedAt,
    maxAttempts: !retry || policy?.retry === false ? 1 : (policy?.retry?.maxAttempts ?? retry.maxAttempts),
    deadlineAt,
    now: startedAt,
    attempt: 1,
    tried: [],
    verdict: IGNORED,
    record: {
      service,
      method: request?.method ?? 'CALL',
      startedAt,
      deadlineAt,
      durationMs: NaN,
      attempts: 0,
      instance: undefined,
      queuedMs: 0,
      backoffMs: 0,
      endedBy: 'running',
    },
  };
};

const ownDeadlineMs = ({ deadlineMs }: ResolvedOptions, policy: CallOptions | undefined): number =>
  policy?.deadlineMs === undefined ? deadlineMs : policy.deadlineMs === false ? Infinity : policy.deadlineMs;

/** What is left of the deadline of the request that is being served, if one was set with `withDeadline`. */
const inheritedMs = (): number => {
  const inherited = shared.context.getStore();
  return inherited === undefined ? Infinity : inherited.deadlineAt - inherited.runtime.now();
};
