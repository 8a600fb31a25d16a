import type { Call, Dispatch } from '../core/call.js';
import { isFairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import { attachRecord } from '../core/record.js';
import type { Runtime } from '../core/runtime.js';
import type { PooledEndpoint } from '../pool/endpoint.js';
import { follow } from './caller-signal.js';
import type { InFlight } from './in-flight.js';
import type { LogicalCall } from './logical-call.js';
import { observeBody, type BodyObserver } from './observed-response.js';
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

  run<R>(dispatch: Dispatch<R>, call: LogicalCall): Promise<R> {
    const signal = call.callerSignal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (signal !== undefined) call.link = follow(signal, call.cancellation);
    this.#parts.inFlight.add(call);
    return this.#go(dispatch, call);
  }

  #go<R>(dispatch: Dispatch<R>, call: LogicalCall): Promise<R> {
    return dispatch(call).then(
      result => this.#succeeded(dispatch, call, result),
      (error: unknown) => {
        call.link?.release();
        call.now = this.#parts.runtime.now();
        this.#ended(call, error);
        // The caller's own reason is not ours to write on.
        const isOurs = call.callerSignal === undefined || error !== call.callerSignal.reason;
        if (isOurs && error instanceof Error && Object.isExtensible(error)) attachRecord(error, call.record);
        throw error;
      },
    );
  }

  #succeeded<R>(dispatch: Dispatch<R>, call: LogicalCall, result: R): R | Promise<R> {
    if (call.request === undefined) {
      call.link?.release();
      this.#ended(call, undefined);
      return result;
    }
    const response = result as Response;
    const next = mayRedirect(call) ? reentry(call.request, response, this.#parts.service) : undefined;
    if (next === undefined) return this.#handOut(call, response) as R;
    void response.body?.cancel();
    call.end();
    call.restart(next);
    return this.#go(dispatch, call);
  }

  #handOut(call: LogicalCall, response: Response): Response {
    this.#ended(call, undefined);
    attachRecord(response, call.record);
    if (call.rounds > 0) Object.defineProperty(response, 'redirected', { value: true, configurable: true });
    if (response.body === null) call.link?.release();
    else observeBody(response, this.#bodyObserver(call), call.link && call.cancellation);
    return response;
  }

  #bodyObserver(call: LogicalCall): BodyObserver {
    const endpoint = call.tried.at(-1) as PooledEndpoint;
    const release = call.link?.hold();
    const { events } = this.#parts;
    return {
      ended: () => release?.(),
      failed: (error: unknown) => {
        release?.();
        endpoint.bodiesFailed += 1;
        events.emit?.({ type: 'body.failed', instance: endpoint.instance.id, error });
      },
    };
  }

  #ended(call: LogicalCall, error: unknown): void {
    call.end();
    const { events, inFlight } = this.#parts;
    inFlight.delete(call);
    const { record } = call;
    record.durationMs = call.now - call.startedAt;
    if (record.endedBy === 'running') record.endedBy = endingOf(call, error);
    if (record.endedBy === 'refused' && isFairleadError(error))
      events.emit?.({ type: 'call.refused', code: error.code, message: error.message });
    events.emit?.({
      type: 'call.ended',
      method: record.method,
      durationMs: record.durationMs,
      attempts: record.attempts,
      outcome: call.verdict.outcome,
      status: record.status,
      error,
    });
  }
}

/** A status that may send the call through the pool anew; unknown where a layer answered by itself. */
const mayRedirect = ({ record: { status }, rounds }: LogicalCall): boolean =>
  rounds < MAX_HOPS && (status === undefined || (status >= 300 && status < 400));

const endingOf = ({ cancellation, verdict }: Call, error: unknown): 'success' | 'aborted' | 'not-retryable' => {
  if (cancellation.cancelled) return 'aborted';
  return error === undefined && verdict.outcome === 'success' ? 'success' : 'not-retryable';
};
