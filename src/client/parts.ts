import type { Call } from '../core/call.js';
import { isFairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import { guard } from '../core/guard.js';
import { IGNORED, SUCCESS, type Verdict } from '../core/outcome.js';
import type { TimerQueue } from '../core/timer-queue.js';
import type { Transport } from '../core/transport.js';
import type { Permits } from '../machines/permits.js';
import type { RetryBudget } from '../machines/retry-budget.js';
import type { Pool } from '../pool/pool.js';
import type { AttemptTimers } from './attempt.js';
import { classifyError, classifyFetchError, classifyResponse, type Classify } from './classify.js';
import { Attempting, type CallFunction } from './invocation.js';
import type { PipelineParts } from './pipeline.js';
import type { ResolvedOptions } from './resolve-options.js';

/** Timers of the lengths that deadlines and attempt timeouts usually have; shared by fetch and call(). */
export interface UsualTimers {
  readonly deadlines: TimerQueue<Call> | undefined;
  readonly attempts: AttemptTimers | undefined;
}

export interface ClientParts {
  readonly options: ResolvedOptions;
  readonly pool: Pool;
  readonly events: Emitter;
  readonly permits: Permits | undefined;
  readonly budget: RetryBudget | undefined;
  readonly timers: UsualTimers;
  readonly known: (call: Call) => Promise<void>;
}

/** What `client.call()` runs: it travels with the call. */
export interface Work {
  readonly fn: CallFunction<unknown>;
  readonly classify: Classify<unknown> | undefined;
}

/** The pipeline's parts for fetch. */
export const responseParts = (client: ClientParts, transport: Transport): PipelineParts<Response> => {
  const { runtime, classify } = client.options;
  return commonParts<Response>(client, {
    send: (call, endpoint, cancellation) => {
      const request = call.request!;
      if (call.protocol !== undefined && call.protocol !== endpoint.instance.protocol)
        throw new TypeError(
          `${call.service}: the URL says ${call.protocol}, instance ${endpoint.instance.id} speaks ${endpoint.instance.protocol}`,
        );
      return transport.sendCancellable
        ? transport.sendCancellable(request, endpoint, cancellation)
        : transport.send(request, endpoint, cancellation.signal);
    },
    classifyResult: (response, call) => {
      call.record.status = response.status;
      return (
        ownRule(classify, call, { result: response, error: undefined }) ??
        classifyResponse(response, call.record.status, runtime)
      );
    },
    classifyError: (error, call) =>
      isFairleadError(error)
        ? IGNORED
        : (ownRule(classify, call, { result: undefined, error }) ?? classifyFetchError(error)),
    // Its connection is busy until the body is read or given up.
    discard: response => void response.body?.cancel().catch(() => undefined),
  });
};

/** The pipeline's parts for `call()`. */
export const functionParts = (client: ClientParts): PipelineParts<unknown> =>
  commonParts<unknown>(client, {
    send: (call, endpoint, cancellation) =>
      Promise.resolve((call.work as Work).fn(new Attempting(endpoint, call.attempt, cancellation))),
    classifyResult: (result, call) =>
      ownRule((call.work as Work).classify, call, { result, error: undefined }) ?? SUCCESS,
    classifyError: (error, call) =>
      ownRule((call.work as Work).classify, call, { result: undefined, error }) ?? classifyError(error),
    discard: () => undefined,
  });

type OwnParts<R> = Pick<PipelineParts<R>['attempt'], 'send' | 'classifyResult' | 'classifyError' | 'discard'>;

const commonParts = <R>(
  { options, pool, events, permits, budget, timers, known }: ClientParts,
  own: OwnParts<R>,
): PipelineParts<R> => {
  const { runtime, retry, attemptTimeoutMs, attemptTimeoutIsExplicit: timeoutIsExplicit, layers } = options;
  const offersMore = (call: Call): boolean => pool.offersMore(call);
  return {
    attempt: {
      runtime,
      pool,
      events,
      attemptTimeoutMs,
      timeoutIsExplicit,
      timeouts: timers.attempts,
      layersMayWait: [...(layers.call ?? []), ...(layers.attempt ?? [])].length > 0,
      known,
      ...own,
    },
    deadlines: timers.deadlines,
    callLayers: layers.call ?? [],
    attemptLayers: layers.attempt ?? [],
    permits,
    retry: retry && budget ? { ...retry, budget, runtime, events, offersMore, discard: own.discard } : undefined,
  };
};

const OUTCOMES: readonly unknown[] = ['success', 'failure', 'overload', 'ignored'];

/** A user's rule with a fault is as good as none: the verdict of the call must not depend on it. */
const ownRule = <R>(
  classify: Classify<R> | undefined,
  { request, attempt }: Call,
  ended: Ended<R>,
): Verdict | undefined =>
  classify &&
  guardClassify(() => {
    const verdict = classify({ ...ended, method: request?.method ?? 'CALL', attempt });
    if (verdict === undefined || OUTCOMES.includes(verdict.outcome)) return verdict;
    throw new TypeError('expected { outcome, retryable } or undefined');
  });

const guardClassify = guard('a classify rule');

interface Ended<R> {
  readonly result: R | undefined;
  readonly error: unknown;
}
