import type { Call, Dispatch } from '../core/call.js';
import { isFairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import { attachRecord } from '../core/record.js';
import type { Runtime } from '../core/runtime.js';
import type { OutboundRequest } from '../core/transport.js';
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
    // Written out: a handler that throws costs half a microsecond more, and refusals have to be cheap.
    return new Promise((resolve, reject) => {
      begun(dispatch, call).then(
        result => {
          try {
            resolve(this.#succeeded(dispatch, call, result));
          } catch (error) {
            reject(error);
          }
        },
        (error: unknown) => {
          this.#failed(call, error);
          reject(error);
        },
      );
    });
  }

  #failed(call: LogicalCall, error: unknown): void {
    call.link?.release();
    call.now = this.#parts.runtime.now();
    this.#ended(call, error);
    // The caller's own reason is not ours to write on.
    const isOurs = call.callerSignal === undefined || error !== call.callerSignal.reason;
    if (isOurs && error instanceof Error && Object.isExtensible(error)) attachRecord(error, call.record);
  }

  #succeeded<R>(dispatch: Dispatch<R>, call: LogicalCall, result: R): R | Promise<R> {
    try {
      const next = this.#nextOf(call, result as Response);
      if (next !== undefined) {
        call.end();
        call.restart(next);
        return this.#go(dispatch, call);
      }
      if (call.request === undefined) call.link?.release();
      else this.#handOut(call, result as Response);
    } catch (error) {
      // A redirect that cannot be followed, or a user's layer that gave something else than a Response.
      this.#failed(call, error);
      throw error;
    }
    this.#ended(call, undefined);
    return result;
  }

  /** What to send next instead of handing this response out. */
  #nextOf(call: LogicalCall, response: Response): OutboundRequest | undefined {
    if (call.request === undefined || !mayRedirect(call)) return undefined;
    let follows = true;
    try {
      const next = reentry(call.request, response, this.#parts.service);
      follows = next !== undefined;
      return next;
    } finally {
      if (follows) void response?.body?.cancel().catch(() => undefined);
    }
  }

  #handOut(call: LogicalCall, response: Response): void {
    attachRecord(response, call.record);
    if (call.rounds > 0) Object.defineProperty(response, 'redirected', { value: true, configurable: true });
    if (response.body === null) call.link?.release();
    else observeBody(response, this.#bodyObserver(call), call.link && call.cancellation);
  }

  #bodyObserver(call: LogicalCall): BodyObserver {
    // None where a cache or a fallback answered.
    const endpoint = call.tried.at(-1) as PooledEndpoint | undefined;
    const release = call.link?.hold();
    const { events } = this.#parts;
    return {
      ended: () => release?.(),
      failed: (error: unknown) => {
        release?.();
        if (endpoint === undefined) return;
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
      servedFrom: record.servedFrom,
      status: record.status,
      error,
    });
  }
}

/** A layer of the user's may throw before it returns a promise: the call has to end all the same. */
const begun = <R>(dispatch: Dispatch<R>, call: LogicalCall): Promise<R> => {
  try {
    return dispatch(call);
  } catch (error) {
    return Promise.reject(error);
  }
};

/** A status that may send the call through the pool anew; unknown where a layer answered by itself. */
const mayRedirect = ({ record: { status }, rounds }: LogicalCall): boolean =>
  rounds < MAX_HOPS && (status === undefined || (status >= 300 && status < 400));

const endingOf = ({ cancellation, verdict }: Call, error: unknown): 'success' | 'aborted' | 'not-retryable' => {
  if (cancellation.cancelled) return 'aborted';
  return error === undefined && verdict.outcome === 'success' ? 'success' : 'not-retryable';
};
