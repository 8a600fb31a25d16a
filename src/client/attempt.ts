import type { Call } from '../core/call.js';
import { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import { FairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import type { Flow, Landing } from '../core/flow.js';
import { IGNORED, TIMED_OUT, type Verdict } from '../core/outcome.js';
import type { Runtime } from '../core/runtime.js';
import type { Timeout } from '../core/timer-queue.js';
import { verdictOfBreak, verdictOfTimeout } from '../pool/held-up.js';
import type { Lease } from '../pool/lease.js';
import type { Pool } from '../pool/pool.js';
import { timeoutOf, type AttemptTimeouts, type AttemptTimers } from './attempt-timeout.js';
import { isWorthTelling, picked, tellAttempt } from './tell-attempt.js';
import { tellAttemptEnd } from './tell-end.js';

export interface AttemptParts<R> extends AttemptTimeouts {
  readonly runtime: Runtime;
  readonly pool: Pool;
  readonly events: Emitter;
  /** Timeouts of the usual length. */
  readonly timeouts: AttemptTimers | undefined;
  /** There are user's layers, which may take time of their own: the clock is read after them. */
  readonly layersMayWait: boolean;
  /** Resolves once the first set of instances is there; rejects when it takes too long or the call is cancelled. */
  readonly known: (call: Call) => Promise<void>;
  readonly send: (call: Call, endpoint: Endpoint, cancellation: Cancellation) => Promise<R>;
  readonly classifyResult: (result: R, call: Call) => Verdict;
  readonly classifyError: (error: unknown, call: Call) => Verdict;
  /** Lets go of a result that came too late. */
  readonly discard: (result: R) => void;
}

/** The innermost Flow: one try at one instance. Pick, send, classify, settle. */
export const attempt =
  <R>(parts: AttemptParts<R>): Flow<R> =>
  (call, landing) => {
    if (parts.layersMayWait) call.now = parts.runtime.now();
    if (parts.pool.known) fly(parts, call, landing);
    else wait(parts, call, landing);
  };

const wait = <R>(parts: AttemptParts<R>, call: Call, landing: Landing<R>): void =>
  void parts.known(call).then(
    () => {
      call.now = parts.runtime.now();
      fly(parts, call, landing);
    },
    (error: unknown) => landing.failed(error),
  );

const fly = <R>(parts: AttemptParts<R>, call: Call, landing: Landing<R>): void => {
  if (call.cancellation.cancelled) return landing.failed(call.cancellation.reason);
  let lease: Lease;
  try {
    lease = parts.pool.acquire(call);
  } catch (error) {
    call.record.endedBy = 'refused';
    return landing.failed(error);
  }
  call.record.attempts += 1;
  call.record.instance = lease.endpoint.instance.id;
  new Flight(parts, call, picked(parts.pool, call, lease)).start(landing);
};

/** An endpoint answers within this multiple of its usual latency, or the deadline was not the reason why it did not. */
const USUAL_LATENCIES = 5;

/**
 * One attempt in flight. It ends once: by an answer, an error, its timer or the call's cancellation, whichever is first;
 * and it ends at once, even where the transport does not listen. After the headers it only passes on the caller's abort,
 * and holds nothing that would keep the response alive.
 */
class Flight<R> implements Landing<R> {
  readonly #parts: AttemptParts<R>;
  readonly #call: Call;
  readonly #lease: Lease;
  readonly #cancellation = new Cancellation();
  /** `undefined` once it has ended. */
  #landing: Landing<R> | undefined;
  /** Of the usual length, or one of its own. */
  #timer: Timeout | (() => void) | undefined;

  constructor(parts: AttemptParts<R>, call: Call, lease: Lease) {
    this.#parts = parts;
    this.#call = call;
    this.#lease = lease;
  }

  start(landing: Landing<R>): void {
    this.#landing = landing;
    const timeoutMs = timeoutOf(this.#parts, this.#call);
    if (timeoutMs !== false) this.#arm(timeoutMs);
    this.#call.cancellation.tellOnCancel(this);
    try {
      this.#parts.send(this.#call, this.#lease.endpoint, this.#cancellation).then(
        result => this.answered(result),
        (error: unknown) => this.failed(error),
      );
    } catch (error) {
      this.failed(error);
    }
  }

  #arm(timeoutMs: number): void {
    const { timeouts, runtime } = this.#parts;
    if (timeouts?.durationMs === timeoutMs) this.#timer = timeouts.arm(this.#lease.startedAt, this);
    else this.#timer = ownTimer(this, timeoutMs, runtime);
  }

  answered(result: R): void {
    const landing = this.#landing;
    if (landing === undefined) return this.#parts.discard(result);
    let verdict: Verdict;
    try {
      verdict = this.#parts.classifyResult(result, this.#call);
    } catch (error) {
      // A transport that resolved with something else than a Response.
      return this.failed(error);
    }
    this.#end(verdict, undefined, result);
    landing.answered(result);
  }

  failed(error: unknown): void {
    const landing = this.#landing;
    if (landing === undefined) return;
    const verdict = this.#parts.classifyError(error, this.#call);
    this.#fail(verdictOfBreak(verdict, this.#lease, this.#parts.runtime.now()), error);
    landing.failed(error);
  }

  /** The caller aborted, the deadline passed or the client closed: reason enough to end at once, and mid-body too. */
  cancelled(reason: unknown): void {
    const landing = this.#landing;
    if (landing !== undefined) this.#fail(this.#verdictOfCancellation(), reason);
    this.#cancellation.cancel(reason);
    landing?.failed(reason);
  }

  timedOut(ms: number): void {
    const landing = this.#landing;
    if (landing === undefined) return;
    const { service } = this.#call;
    const { id } = this.#lease.endpoint.instance;
    const error = new FairleadError('ATTEMPT_TIMEOUT', `${service}: ${id} did not answer within ${ms} ms`, { service });
    const now = this.#parts.runtime.now();
    this.#fail(verdictOfTimeout(this.#lease, now, now - this.#lease.startedAt - ms), error);
    // Before the next attempt begins.
    this.#cancellation.cancel(error);
    landing.failed(error);
  }

  /** A deadline that left the endpoint less time than it usually takes says nothing about the endpoint. */
  #verdictOfCancellation(): Verdict {
    const now = this.#parts.runtime.now();
    if (now < this.#call.deadlineAt || this.#lease.heldUp(now)) return IGNORED;
    const usual = this.#lease.endpoint.latencyMs * USUAL_LATENCIES || Infinity;
    const fair = Math.min(this.#call.policy.attemptTimeoutMs || this.#parts.attemptTimeoutMs || Infinity, usual);
    return now - this.#lease.startedAt < fair ? IGNORED : TIMED_OUT;
  }

  #fail(verdict: Verdict, error: unknown): void {
    this.#call.cancellation.offCancel(this);
    this.#call.record.status = undefined;
    this.#end(verdict, error);
  }

  #end(verdict: Verdict, error: unknown, result?: R): void {
    const { runtime, events, pool } = this.#parts;
    const now = runtime.now();
    if (typeof this.#timer === 'function') this.#timer();
    else if (this.#timer !== undefined) this.#parts.timeouts!.disarm(this.#timer);
    this.#landing = this.#timer = undefined;
    this.#call.now = now;
    this.#call.verdict = verdict;
    if (isWorthTelling(this.#call, verdict)) tellAttempt(pool, this.#call, { lease: this.#lease, error });
    this.#lease.settle(verdict, now, result);
    const { emit } = events;
    if (emit !== undefined) tellAttemptEnd(emit, this.#call, { lease: this.#lease, error });
  }
}

const ownTimer = <R>(flight: Flight<R>, timeoutMs: number, runtime: Runtime): (() => void) =>
  runtime.after(timeoutMs, () => flight.timedOut(timeoutMs));
