import type { Call, CallPolicy, Dispatch } from '../core/call.js';
import { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import { IGNORED, type Verdict } from '../core/outcome.js';
import type { CallRecord } from '../core/record.js';
import type { OutboundRequest } from '../core/transport.js';

/** Which of how many gets its result now, counted down: the last one has `left` 0. */
export interface Place {
  readonly left: number;
  readonly of: number;
}

interface Passenger<R> {
  readonly call: Call;
  readonly landed: (result: R, place: Place) => void;
  readonly crashed: (error: unknown) => void;
}

/** One call made for several: it has a life of its own, as long as somebody waits for it. */
export class SharedFlight<R> implements Call {
  readonly service: string;
  request: OutboundRequest | undefined;
  readonly idempotent: boolean;
  readonly replayable: boolean;
  readonly protocol: string | undefined;
  readonly hashKey: string | undefined;
  readonly policy: CallPolicy;
  route: unknown;
  readonly work: unknown;
  readonly trace: unknown;
  readonly cancellation = new Cancellation();
  readonly startedAt: number;
  maxAttempts: number;
  readonly propagated: Call['propagated'];
  readonly explained: boolean | undefined;
  now: number;
  attempt = 1;
  tried: readonly Endpoint[];
  verdict: Verdict = IGNORED;
  readonly record: CallRecord;
  readonly #passengers = new Set<Passenger<R>>();
  readonly #closed: () => void;
  readonly #atEnd: (() => void)[] = [];
  #deadlineAt = -Infinity;

  /** `closed` runs when nobody can join any more. */
  constructor(first: Call, closed: () => void) {
    ({
      service: this.service,
      request: this.request,
      idempotent: this.idempotent,
      replayable: this.replayable,
      protocol: this.protocol,
      hashKey: this.hashKey,
      policy: this.policy,
      route: this.route,
      work: this.work,
      trace: this.trace,
      startedAt: this.startedAt,
      maxAttempts: this.maxAttempts,
      propagated: this.propagated,
      explained: this.explained,
      now: this.now,
      tried: this.tried,
    } = first);
    this.record = { ...first.record };
    this.#closed = closed;
  }

  /** The latest of those who wait: each of them leaves at its own. */
  get deadlineAt(): number {
    return this.#deadlineAt;
  }

  atEnd<T>(release: (held: T) => void, held: T): void {
    this.#atEnd.unshift(() => release(held));
  }

  /** `share` makes this passenger's own result of the common one. */
  join(call: Call, share: (result: R, place: Place) => R): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const leave = (reason: unknown): void => {
        this.#passengers.delete(passenger);
        reject(reason);
        if (this.#passengers.size > 0) return;
        this.#closed();
        this.cancellation.cancel(reason);
      };
      const passenger: Passenger<R> = {
        call,
        landed: (result, place) => {
          call.cancellation.offCancel(leave);
          resolve(share(result, place));
        },
        crashed: error => {
          call.cancellation.offCancel(leave);
          reject(error);
        },
      };
      this.#passengers.add(passenger);
      this.#deadlineAt = Math.max(this.#deadlineAt, call.deadlineAt);
      call.cancellation.onCancel(leave);
    });
  }

  start(dispatch: Dispatch<R>): void {
    dispatch(this).then(
      result => this.#end((passenger, place) => passenger.landed(result, place)),
      (error: unknown) => this.#end(passenger => passenger.crashed(error)),
    );
  }

  #end(tell: (passenger: Passenger<R>, place: Place) => void): void {
    this.#closed();
    for (const release of this.#atEnd.splice(0)) release();
    const of = this.#passengers.size;
    for (const passenger of this.#passengers) {
      this.#passengers.delete(passenger);
      this.#report(passenger.call);
      tell(passenger, { left: this.#passengers.size, of });
    }
  }

  /** Each call tells in its own record what the flight went through. */
  #report(call: Call): void {
    const { status, attempts, hedges, errors, tries, instance, queuedMs, backoffMs, endedBy, ...more } = this.record;
    const { pause, notes } = more;
    Object.assign(call.record, { status, attempts, hedges, errors, tries, instance, queuedMs, backoffMs, endedBy });
    Object.assign(call.record, { pause, notes });
    call.verdict = this.verdict;
    call.tried = this.tried;
    call.now = this.now;
  }
}
