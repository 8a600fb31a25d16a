import type { Call, Dispatch } from '../core/call.js';
import { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import { FairleadError } from '../core/errors.js';
import type { Emitter } from '../core/events.js';
import { IGNORED, TIMED_OUT, type Verdict } from '../core/outcome.js';
import type { Runtime } from '../core/runtime.js';
import { TimerQueue, type Timeout } from '../core/timer-queue.js';
import { verdictOfBreak, verdictOfTimeout } from '../pool/held-up.js';
import type { Lease } from '../pool/lease.js';
import type { Pool } from '../pool/pool.js';
import { isWorthTelling, tellAttempt } from './tell-attempt.js';

export interface AttemptParts<R> {
  readonly runtime: Runtime;
  readonly pool: Pool;
  readonly events: Emitter;
  readonly attemptTimeoutMs: number | false;
  /** A timeout that the user set applies to the last attempt too. */
  readonly timeoutIsExplicit: boolean;
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

const wait = async <R>(parts: AttemptParts<R>, call: Call): Promise<R> => {
  if (!parts.pool.known) await parts.known(call);
  call.now = parts.runtime.now();
  return fly(parts, call);
};

/** The innermost Dispatch: one try at one instance. Pick, send, classify, settle. */
export const attempt =
  <R>(parts: AttemptParts<R>): Dispatch<R> =>
  call => {
    if (parts.pool.known && !parts.layersMayWait) return fly(parts, call);
    return wait(parts, call);
  };

const fly = <R>(parts: AttemptParts<R>, call: Call): Promise<R> => {
  if (call.cancellation.cancelled) return Promise.reject(call.cancellation.reason);
  let lease: Lease;
  try {
    lease = parts.pool.acquire(call);
  } catch (error) {
    call.record.endedBy = 'refused';
    return Promise.reject(error);
  }
  call.record.attempts += 1;
  call.record.instance = lease.endpoint.instance.id;
  return new Flight(parts, call, lease).start();
};

/**
 * The default timeout cuts an attempt only where another one is possible: cutting the last one gains nothing. Decided when
 * the attempt starts.
 */
const timeoutOf = <R>({ attemptTimeoutMs, timeoutIsExplicit }: AttemptParts<R>, call: Call): number | false => {
  const own = call.policy.attemptTimeoutMs;
  if (own !== undefined) return own;
  if (attemptTimeoutMs === false || timeoutIsExplicit) return attemptTimeoutMs;
  const another = call.idempotent && call.replayable && call.attempt < call.maxAttempts;
  return another && call.deadlineAt - call.now > attemptTimeoutMs ? attemptTimeoutMs : false;
};

/** Timers for attempts that have the client's usual timeout. */
export type AttemptTimers = TimerQueue<{ timedOut(ms: number): void }>;

export const attemptTimers = (timeoutMs: number, runtime: Runtime): AttemptTimers =>
  new TimerQueue(timeoutMs, runtime, flight => flight.timedOut(timeoutMs));

/** An endpoint answers within this multiple of its usual latency, or the deadline was not the reason why it did not. */
const USUAL_LATENCIES = 5;

/**
 * One attempt in flight. It ends once: by an answer, an error, its timer or the call's cancellation, whichever is first;
 * and it ends at once, even where the transport does not listen. After the headers it only passes on the caller's abort,
 * and holds nothing that would keep the response alive.
 */
class Flight<R> {
  readonly #parts: AttemptParts<R>;
  readonly #call: Call;
  readonly #lease: Lease;
  readonly #startedAt: number;
  readonly #cancellation = new Cancellation();
  #resolve: ((result: R) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #timeout: Timeout | undefined;
  #disarm: (() => void) | undefined;

  constructor(parts: AttemptParts<R>, call: Call, lease: Lease) {
    this.#parts = parts;
    this.#call = call;
    this.#lease = lease;
    this.#startedAt = call.now;
  }

  start(): Promise<R> {
    const ended = new Promise<R>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const timeoutMs = timeoutOf(this.#parts, this.#call);
    if (timeoutMs !== false) this.#arm(timeoutMs);
    this.#call.cancellation.onCancel(this.#cancelled);
    try {
      this.#parts.send(this.#call, this.#lease.endpoint, this.#cancellation).then(this.#answered, this.#failed);
    } catch (error) {
      this.#failed(error);
    }
    return ended;
  }

  #arm(timeoutMs: number): void {
    const { timeouts, runtime } = this.#parts;
    if (timeouts?.durationMs === timeoutMs) this.#timeout = timeouts.arm(this.#startedAt, this);
    else this.#disarm = runtime.after(timeoutMs, () => this.timedOut(timeoutMs));
  }

  readonly #answered = (result: R): void => {
    if (this.#resolve === undefined) return this.#parts.discard(result);
    const resolve = this.#resolve;
    try {
      this.#end(this.#parts.classifyResult(result, this.#call), undefined);
      resolve(result);
    } catch (error) {
      // A transport that resolved with something else than a Response.
      this.#failed(error);
    }
  };

  readonly #failed = (error: unknown): void => {
    if (this.#reject === undefined) return;
    const verdict = this.#parts.classifyError(error, this.#call);
    this.#fail(verdictOfBreak(verdict, this.#lease, this.#parts.runtime.now()), error);
  };

  /** The caller aborted, the deadline passed or the client closed: reason enough to end at once, and mid-body too. */
  readonly #cancelled = (reason: unknown): void => {
    if (this.#reject !== undefined) this.#fail(this.#verdictOfCancellation(), reason);
    this.#cancellation.cancel(reason);
  };

  timedOut(ms: number): void {
    if (this.#reject === undefined) return;
    const { service } = this.#call;
    const { id } = this.#lease.endpoint.instance;
    const error = new FairleadError('ATTEMPT_TIMEOUT', `${service}: ${id} did not answer within ${ms} ms`, { service });
    const now = this.#parts.runtime.now();
    this.#fail(verdictOfTimeout(this.#lease, now, now - this.#startedAt - ms), error);
    this.#cancellation.cancel(error);
  }

  /** A deadline that left the endpoint less time than it usually takes says nothing about the endpoint. */
  #verdictOfCancellation(): Verdict {
    const now = this.#parts.runtime.now();
    if (now < this.#call.deadlineAt || this.#lease.heldUp(now)) return IGNORED;
    const usual = this.#lease.endpoint.latencyMs * USUAL_LATENCIES || Infinity;
    const fair = Math.min(this.#call.policy.attemptTimeoutMs || this.#parts.attemptTimeoutMs || Infinity, usual);
    return now - this.#startedAt < fair ? IGNORED : TIMED_OUT;
  }

  #fail(verdict: Verdict, error: unknown): void {
    const reject = this.#reject;
    this.#call.cancellation.offCancel(this.#cancelled);
    this.#call.record.status = undefined;
    this.#end(verdict, error);
    reject?.(error);
  }

  #end(verdict: Verdict, error: unknown): void {
    const { runtime, events, pool } = this.#parts;
    const now = runtime.now();
    if (this.#timeout !== undefined) this.#parts.timeouts!.disarm(this.#timeout);
    this.#disarm?.();
    this.#resolve = this.#reject = this.#disarm = this.#timeout = undefined;
    this.#call.now = now;
    this.#call.verdict = verdict;
    if (isWorthTelling(this.#call, verdict)) tellAttempt(pool, this.#call, now - this.#startedAt);
    this.#lease.settle(verdict, now);
    events.emit?.({
      type: 'attempt.ended',
      instance: this.#lease.endpoint.instance.id,
      attempt: this.#call.attempt,
      durationMs: now - this.#startedAt,
      outcome: verdict.outcome,
      status: this.#call.record.status,
      error,
    });
  }
}
