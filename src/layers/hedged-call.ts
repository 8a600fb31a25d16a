import type { Call, CallPolicy } from '../core/call.js';
import { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import { IGNORED, type Verdict } from '../core/outcome.js';
import type { DeadlineSource, Pause } from '../core/explanation.js';
import { NO_ERRORS, type CallNotes, type CallRecord, type Ending, type Source } from '../core/record.js';
import type { Propagated } from '../core/shared.js';
import type { OutboundRequest } from '../core/transport.js';

/**
 * One of several attempts that run beside each other for one call. What an attempt says of itself (verdict, status, the
 * instance) is its own, until the call takes over that of the one whose answer counts; what the call knows as a whole
 * (its route, instances tried, attempts made, what is to be released) is common, so that none goes where another went.
 */
export class HedgedCall implements Call {
  readonly service: string;
  request: OutboundRequest | undefined;
  readonly idempotent: boolean;
  readonly replayable: boolean;
  readonly protocol: string | undefined;
  readonly hashKey: string | undefined;
  readonly policy: CallPolicy;
  readonly work: unknown;
  readonly trace: unknown;
  readonly cancellation = new Cancellation();
  readonly startedAt: number;
  readonly maxAttempts: number;
  readonly propagated: Propagated | undefined;
  readonly explained: boolean | undefined;
  now: number;
  attempt: number;
  verdict: Verdict = IGNORED;
  readonly record: HedgedRecord;
  /** Where it went; `undefined` until an instance was picked for it. */
  endpoint: Endpoint | undefined;
  readonly #whole: Call;
  #lost = false;

  constructor(whole: Call) {
    this.#whole = whole;
    this.service = whole.service;
    this.request = whole.request;
    this.idempotent = whole.idempotent;
    this.replayable = whole.replayable;
    this.protocol = whole.protocol;
    this.hashKey = whole.hashKey;
    this.policy = whole.policy;
    this.work = whole.work;
    this.trace = whole.trace;
    this.startedAt = whole.startedAt;
    this.maxAttempts = whole.maxAttempts;
    this.propagated = whole.propagated;
    this.explained = whole.explained;
    this.now = whole.now;
    this.attempt = whole.attempt;
    this.record = new HedgedRecord(whole.record);
    whole.cancellation.onCancel(this.#cancelled);
  }

  /** One that lost ends by our will: that the deadline is near, too, must not make it a failure of the instance. */
  get deadlineAt(): number {
    return this.#lost ? Infinity : this.#whole.deadlineAt;
  }

  /** All attempts of a call keep its route, whichever of them was routed first. */
  get route(): unknown {
    return this.#whole.route;
  }

  set route(route: unknown) {
    this.#whole.route = route;
  }

  get tried(): readonly Endpoint[] {
    return this.#whole.tried;
  }

  set tried(endpoints: readonly Endpoint[]) {
    // Who comes later went beside it.
    this.endpoint ??= endpoints.at(-1);
    this.#whole.tried = endpoints;
  }

  atEnd<T>(release: (held: T) => void, held: T): void {
    this.#whole.atEnd(release, held);
  }

  /** Its result is not wanted: aborts it if it still runs, and asks for nothing from the call any more. */
  lose(): void {
    this.#lost = true;
    this.#whole.cancellation.offCancel(this.#cancelled);
    this.cancellation.cancel(new DOMException('another attempt of the call answered first', 'AbortError'));
  }

  /** Its result counts: the call says so too. The tie to the call's cancellation stays, for the body that is read now. */
  win(): void {
    const { endpoint, record, verdict } = this;
    const whole = this.#whole;
    whole.verdict = verdict;
    whole.now = Math.max(whole.now, this.now);
    record.report(whole.record);
    if (endpoint !== undefined) whole.tried = [...whole.tried.filter(tried => tried !== endpoint), endpoint];
  }

  readonly #cancelled = (reason: unknown): void => this.cancellation.cancel(reason);
}

/** The call's record, but for what belongs to one attempt. */
class HedgedRecord implements CallRecord {
  status: number | undefined = undefined;
  instance: string | undefined = undefined;
  servedFrom: Source;
  endedBy: Ending = 'running';
  notes: CallNotes;
  errors = NO_ERRORS;
  pause: Pause;
  readonly #whole: CallRecord;

  constructor(whole: CallRecord) {
    this.#whole = whole;
    this.servedFrom = whole.servedFrom;
    this.pause = whole.pause;
    this.notes = whole.notes;
  }

  get service(): string {
    return this.#whole.service;
  }

  get method(): string {
    return this.#whole.method;
  }

  get startedAt(): number {
    return this.#whole.startedAt;
  }

  get deadlineAt(): number {
    return this.#whole.deadlineAt;
  }

  get deadlineFrom(): DeadlineSource {
    return this.#whole.deadlineFrom;
  }

  get durationMs(): number {
    return this.#whole.durationMs;
  }

  get tries(): CallRecord['tries'] {
    return this.#whole.tries;
  }

  set tries(tries: CallRecord['tries']) {
    this.#whole.tries = tries;
  }

  get hedges(): number {
    return this.#whole.hedges;
  }

  get attempts(): number {
    return this.#whole.attempts;
  }

  set attempts(attempts: number) {
    this.#whole.attempts = attempts;
  }

  get queuedMs(): number {
    return this.#whole.queuedMs;
  }

  set queuedMs(queuedMs: number) {
    this.#whole.queuedMs = queuedMs;
  }

  get backoffMs(): number {
    return this.#whole.backoffMs;
  }

  report(to: CallRecord): void {
    to.status = this.status;
    to.instance = this.instance ?? to.instance;
    to.servedFrom = this.servedFrom;
    if (to.endedBy === 'running') to.endedBy = this.endedBy;
  }
}
