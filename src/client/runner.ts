import type { Call, Dispatch } from '../core/call.js';
import { isFairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import { attachRecord } from '../core/record.js';
import type { Runtime } from '../core/runtime.js';
import type { PooledEndpoint } from '../pool/endpoint.js';
import { follow, type CallerLink } from './caller-signal.js';
import type { InFlight } from './in-flight.js';
import { observeBody } from './observed-response.js';
import { MAX_HOPS, reentry } from './redirects.js';

export interface RunnerParts {
  readonly service: string;
  readonly runtime: Runtime;
  readonly events: Emitter;
  readonly inFlight: InFlight;
}

/** Sends a call down the pipeline and sees to its end: record, events, the caller's signal, the body that was handed out. */
export class Runner {
  readonly #parts: RunnerParts;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  run<R>(dispatch: Dispatch<R>, call: Call, signal: AbortSignal | undefined): Promise<R> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const link = signal && follow(signal, call.cancellation);
    this.#parts.inFlight.add(call);
    return this.#go(dispatch, call, { link, signal, hops: 0 });
  }

  #go<R>(dispatch: Dispatch<R>, call: Call, origin: Origin): Promise<R> {
    return dispatch(call).then(
      result => {
        if (!(result instanceof Response) || call.request === undefined) {
          origin.link?.release();
          this.#ended(call, undefined, undefined);
          return result;
        }
        const next = reentry(call.request, result, this.#parts.service);
        if (next === undefined || origin.hops >= MAX_HOPS) return this.#handOut(call, result, origin) as R;
        call.request = next;
        void result.body?.cancel();
        return this.#go(dispatch, againFromTheStart(call), { ...origin, hops: origin.hops + 1 });
      },
      (error: unknown) => {
        origin.link?.release();
        this.#ended(call, undefined, error);
        // The caller's own reason is not ours to write on.
        if (error !== origin.signal?.reason || origin.signal === undefined) attachRecord(error, call.record);
        throw error;
      },
    );
  }

  #handOut(call: Call, response: Response, { link, hops }: Origin): Response {
    this.#ended(call, response.status, undefined);
    attachRecord(response, call.record);
    if (hops > 0) Object.defineProperty(response, 'redirected', { value: true, configurable: true });
    const endpoint = call.tried.at(-1) as PooledEndpoint;
    const release = link?.hold();
    const { events } = this.#parts;
    const observer = {
      ended: () => release?.(),
      failed: (error: unknown) => {
        release?.();
        endpoint.bodiesFailed += 1;
        events.emit?.({ type: 'body.failed', instance: endpoint.instance.id, error });
      },
    };
    observeBody(response, observer, link && call.cancellation);
    return response;
  }

  #ended(call: Call, status: number | undefined, error: unknown): void {
    const { runtime, events, inFlight } = this.#parts;
    inFlight.delete(call);
    const { record } = call;
    record.durationMs = runtime.now() - call.startedAt;
    if (record.endedBy === 'running') record.endedBy = endingOf(call, error);
    if (record.endedBy === 'refused' && isFairleadError(error))
      events.emit?.({ type: 'call.refused', code: error.code, message: error.message });
    events.emit?.({
      type: 'call.ended',
      method: record.method,
      durationMs: record.durationMs,
      attempts: record.attempts,
      outcome: call.verdict.outcome,
      status,
      error,
    });
  }
}

interface Origin {
  readonly link: CallerLink | undefined;
  readonly signal: AbortSignal | undefined;
  readonly hops: number;
}

const endingOf = ({ cancellation, verdict }: Call, error: unknown): 'success' | 'aborted' | 'not-retryable' => {
  if (cancellation.cancelled) return 'aborted';
  return error === undefined && verdict.outcome === 'success' ? 'success' : 'not-retryable';
};

/** A redirect that names the service is a new round of the same call: any instance, the same deadline. */
const againFromTheStart = (call: Call): Call => {
  call.attempt = 1;
  call.tried.length = 0;
  call.record.endedBy = 'running';
  return call;
};
