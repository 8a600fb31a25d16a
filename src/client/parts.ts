import type { Call } from '../core/call.js';
import { isFairleadError } from '../core/errors.js';
import { asStage } from '../core/flow.js';
import { guard } from '../core/guard.js';
import { IGNORED, SUCCESS, type Verdict } from '../core/outcome.js';
import type { Transport } from '../core/transport.js';
import { cache } from '../layers/cache.js';
import { coalesce } from '../layers/coalesce.js';
import type { FallbackFunction } from '../layers/fallback.js';
import { classifyError, classifyFetchError, classifyResponse, type Classify } from './classify.js';
import type { ClientParts } from './client-parts.js';
import { instrumentedSend, instrumentStages } from './instrument.js';
import { Attempting } from './invocation.js';
import type { LogicalCall } from './logical-call.js';
import type { PipelineParts } from './pipeline.js';
import { stamped } from './propagation.js';
import { RETRY_DEFAULTS } from './options/retry.js';
import type { Work } from './work.js';

/** The pipeline's parts for fetch. */
export const responseParts = (client: ClientParts, transport: Transport): PipelineParts<Response> => {
  const { events, cache: store, options } = client;
  const { runtime, classify } = options;
  const wallNow = (): number => runtime.wallNow();
  const common = commonParts<Response>(client, {
    send: (call, endpoint, cancellation) => {
      const request = call.propagated === undefined ? call.request! : stamped(call.request!, call);
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
  return {
    ...common,
    fallback: { events, discard: common.attempt.discard, of: call => ownFallback<Response>(call, options.fallback) },
    fallsBack: options.fallback !== undefined,
    cache: options.cache && store ? cache({ policy: options.cache, store, events, wallNow }) : undefined,
    coalesce: options.coalesce ? coalesce(options.coalesce) : undefined,
  };
};

/** The pipeline's parts for `call()`. */
export const functionParts = (client: ClientParts): PipelineParts<unknown> => ({
  ...commonParts<unknown>(client, {
    send: (call, endpoint, cancellation) =>
      Promise.resolve((call.work as Work).fn(new Attempting(endpoint, call.attempt, cancellation))),
    classifyResult: (result, call) =>
      ownRule((call.work as Work).classify, call, { result, error: undefined }) ?? SUCCESS,
    classifyError: (error, call) =>
      ownRule((call.work as Work).classify, call, { result: undefined, error }) ?? classifyError(error),
    discard: () => undefined,
  }),
  fallback: { events: client.events, discard: () => undefined, of: call => ownFallback(call, undefined) },
  fallsBack: false,
});

const ownFallback = <R>(call: Call, clients: FallbackFunction<R> | undefined): FallbackFunction<R> | undefined => {
  const { fallback } = call as LogicalCall;
  return fallback === undefined ? clients : ((fallback || undefined) as FallbackFunction<R> | undefined);
};

type OwnParts<R> = Pick<PipelineParts<R>['attempt'], 'send' | 'classifyResult' | 'classifyError' | 'discard'>;

const commonParts = <R>(
  { options, pool, events, permits, guards, budget, timers, known }: ClientParts,
  own: OwnParts<R>,
): Omit<PipelineParts<R>, 'fallback' | 'fallsBack'> => {
  const {
    runtime,
    retry,
    hedge,
    attemptTimeoutMs,
    attemptTimeoutIsExplicit: timeoutIsExplicit,
    layers,
    instruments,
    rateLimit,
  } = options;
  const offersMore = (call: Call): boolean => pool.offersMore(call);
  const repeating = { budget, runtime, events, offersMore, discard: own.discard };
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
      send: instrumentedSend(instruments, own.send),
    },
    deadlines: timers.deadlines,
    callStages: [...instrumentStages(instruments), ...(layers.call ?? []).map(layer => asStage(layer))],
    attemptLayers: layers.attempt ?? [],
    rateLimit: rateLimit ? { ...rateLimit, runtime, layersMayWait: (layers.call ?? []).length > 0 } : undefined,
    permits,
    guards,
    repeats: Boolean(retry) || Boolean(hedge),
    retry: { rules: retry || RETRY_DEFAULTS, ...repeating },
    hedge: { rules: hedge, ...repeating },
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
