import type { Call } from '../core/call.js';
import type { Emitter } from '../core/events.js';
import type { Flow, Landing } from '../core/flow.js';
import { attachRecord, attachToError } from '../core/record.js';
import type { Runtime } from '../core/runtime.js';
import type { OutboundRequest } from '../core/transport.js';
import { isWatched, WATCH_BODY, type BodyObserver, type WatchedResponse } from '../core/watched-body.js';
import type { PooledEndpoint } from '../pool/endpoint.js';
import { BodyEnd } from './body-end.js';
import { follow, isAborted } from './caller-signal.js';
import type { InFlight } from './in-flight.js';
import type { LogicalCall } from './logical-call.js';
import { observeBody } from './observed-response.js';
import { MAX_HOPS, reentry } from './redirects.js';
import { tellCallEnd } from './tell-end.js';

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

  run<R>(flow: Flow<R>, call: LogicalCall): Promise<R> {
    const signal = call.callerSignal;
    if (signal !== undefined) {
      if (isAborted(signal)) return Promise.reject(signal.reason);
      call.link = follow(signal, call.cancellation);
    }
    this.#parts.inFlight.add(call);
    const ending = new Ending(this, flow, call);
    return new Promise((resolve, reject) => ending.begin(resolve, reject));
  }

  failed(call: LogicalCall, error: unknown): void {
    call.link?.release();
    call.now = this.#parts.runtime.now();
    this.#ended(call, error);
    this.#parts.inFlight.delete(call);
    // The caller's own reason is not ours to write on.
    const isOurs = call.callerSignal === undefined || error !== call.callerSignal.reason;
    if (isOurs && error instanceof Error && Object.isExtensible(error)) attachToError(error, call.record);
  }

  /** True once the call has ended; false where a redirect sends it through the pool anew. */
  succeeded(call: LogicalCall, result: unknown): boolean {
    if (call.request !== undefined) return this.#responded(call, call.request, result as Response);
    call.link?.release();
    this.#ended(call, undefined);
    this.#parts.inFlight.delete(call);
    return true;
  }

  #responded(call: LogicalCall, request: OutboundRequest, response: Response): boolean {
    let open = false;
    try {
      const next = mayRedirect(call) ? this.#nextOf(request, response) : undefined;
      if (next !== undefined) {
        call.end();
        call.restart(next);
        return false;
      }
      open = this.#handOut(call, response);
    } catch (error) {
      // A redirect that cannot be followed, or a user's layer that gave something else than a Response.
      this.failed(call, error);
      throw error;
    }
    this.#ended(call, undefined);
    if (!open) this.#parts.inFlight.delete(call);
    return true;
  }

  /** What to send next instead of handing this response out. */
  #nextOf(request: OutboundRequest, response: Response): OutboundRequest | undefined {
    let follows = true;
    try {
      const next = reentry(request, response, this.#parts.service);
      follows = next !== undefined;
      return next;
    } finally {
      if (follows) void response?.body?.cancel().catch(() => undefined);
    }
  }

  /** True when it is in flight until its body ends, since its transport says when that is. */
  #handOut(call: LogicalCall, response: Response): boolean {
    attachRecord(response, call.record);
    if (call.rounds > 0) Object.defineProperty(response, 'redirected', { value: true, configurable: true });
    if (isWatched(response)) return this.#watch(call, response);
    if (call.link === undefined) observeBody(response, this.#bodyEnd(call), undefined);
    else observeBody(response, this.#bodyObserver(call), call.cancellation);
    return false;
  }

  /** Apart: a function that captures the call costs all calls that pass the place where it may be made. */
  #watch(call: LogicalCall, response: WatchedResponse): boolean {
    const open = response[WATCH_BODY](() => this.#bodyObserver(call, () => this.#parts.inFlight.delete(call)));
    if (!open) call.link?.release();
    return open;
  }

  #bodyObserver(call: LogicalCall, over?: () => void): BodyObserver {
    const end = this.#bodyEnd(call);
    const release = call.link?.hold();
    const ended = (): void => {
      release?.();
      over?.();
    };
    return {
      ended,
      failed: error => {
        ended();
        end.failed(error);
      },
    };
  }

  #bodyEnd({ tried }: LogicalCall): BodyEnd {
    // None where a cache or a fallback answered.
    return new BodyEnd(tried[tried.length - 1] as PooledEndpoint | undefined, this.#parts.events);
  }

  #ended(call: LogicalCall, error: unknown): void {
    call.end();
    const { record } = call;
    record.durationMs = call.now - call.startedAt;
    if (record.endedBy === 'running') record.endedBy = endingOf(call, error);
    const { emit } = this.#parts.events;
    if (emit !== undefined) tellCallEnd(emit, call, error);
  }
}

/** What the caller's promise waits for. */
class Ending<R> implements Landing<R> {
  readonly #runner: Runner;
  readonly #flow: Flow<R>;
  readonly #call: LogicalCall;
  #resolve!: (result: R) => void;
  #reject!: (error: unknown) => void;
  #begins = true;

  constructor(runner: Runner, flow: Flow<R>, call: LogicalCall) {
    this.#runner = runner;
    this.#flow = flow;
    this.#call = call;
  }

  begin(resolve: (result: R) => void, reject: (error: unknown) => void): void {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#flow(this.#call, this);
    this.#begins = false;
  }

  answered(result: R): void {
    try {
      if (this.#runner.succeeded(this.#call, result)) this.#resolve(result);
      else this.#flow(this.#call, this);
    } catch (error) {
      this.#reject(error);
    }
  }

  failed(error: unknown): void {
    this.#runner.failed(this.#call, error);
    if (this.#begins) rejectSoon(this.#reject, error);
    else this.#reject(error);
  }
}

const SETTLED = Promise.resolve();

/** A promise that is rejected before anybody has it costs 1 µs, for the bookkeeping of unhandled rejections. */
const rejectSoon = (reject: (error: unknown) => void, error: unknown): void => void SETTLED.then(() => reject(error));

/** A status that may send the call through the pool anew; unknown where a layer answered by itself. */
const mayRedirect = ({ record: { status }, rounds }: LogicalCall): boolean =>
  rounds < MAX_HOPS && (status === undefined || (status >= 300 && status < 400));

const endingOf = ({ cancellation, verdict }: Call, error: unknown): 'success' | 'aborted' | 'not-retryable' => {
  if (cancellation.cancelled) return 'aborted';
  return error === undefined && verdict.outcome === 'success' ? 'success' : 'not-retryable';
};
