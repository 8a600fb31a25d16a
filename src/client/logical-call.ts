import type { Call, CallPolicy } from '../core/call.js';
import { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import { IGNORED, type Verdict } from '../core/outcome.js';
import type { Pause } from '../core/explanation.js';
import { newRecord, type CallRecord } from '../core/record.js';
import { shared, type InboundContext, type Propagated } from '../core/shared.js';
import type { FallbackFunction } from '../layers/fallback.js';
import type { OutboundRequest } from '../core/transport.js';
import type { CallPlan } from './call-plan.js';
import type { CallerLink } from './caller-signal.js';
import type { ResolvedOptions } from './resolve-options.js';

/** What is to be done, and what that means for doing it twice. */
export interface CallSeed {
  readonly request: OutboundRequest | undefined;
  readonly protocol: string | undefined;
  readonly idempotent: boolean;
  readonly replayable: boolean;
  readonly signal: AbortSignal | undefined;
  readonly work: unknown;
  /** Of this call alone; `false`: not even the client's. */
  readonly fallback?: FallbackFunction<unknown> | false | undefined;
}

const NONE: readonly Endpoint[] = Object.freeze([]);
const NOTHING: Propagated = Object.freeze({});
const REDIRECTED: Pause = Object.freeze({ cause: 'redirect', ms: 0, reason: null });

/** A call, made by the client, which also ends it. */
export class LogicalCall implements Call {
  request: OutboundRequest | undefined;
  readonly service: string;
  readonly protocol: string | undefined;
  readonly idempotent: boolean;
  readonly replayable: boolean;
  readonly hashKey: string | undefined;
  readonly policy: CallPolicy;
  route: unknown;
  readonly work: unknown;
  trace: unknown = undefined;
  readonly fallback: CallSeed['fallback'];
  readonly cancellation = new Cancellation();
  readonly startedAt: number;
  maxAttempts: number;
  readonly deadlineAt: number;
  readonly propagated: Propagated | undefined;
  now: number;
  attempt = 1;
  tried: readonly Endpoint[] = NONE;
  verdict: Verdict = IGNORED;
  readonly record: CallRecord;
  readonly explained: boolean;
  /** The tie to the caller's signal, if it gave one. */
  link: CallerLink | undefined = undefined;
  readonly callerSignal: AbortSignal | undefined;
  /** How often a redirect sent it through the pool anew. */
  rounds = 0;
  /** Neighbours among the calls in flight. */
  older: LogicalCall | undefined = undefined;
  newer: LogicalCall | undefined = undefined;
  /** Attempts that a round begins with. */
  readonly #mayAttempt: number;
  /** The first two that are held have places of their own: mostly there is one more at most. */
  #release: Release | undefined = undefined;
  #held: unknown = undefined;
  #nextRelease: Release | undefined = undefined;
  #nextHeld: unknown = undefined;
  #later: Held | undefined = undefined;

  /** With the tighter of its own and an inherited deadline. */
  constructor({ runtime, propagate }: ResolvedOptions, seed: CallSeed, plan: CallPlan) {
    const inbound = shared.context.getStore();
    const { service, maxAttempts, deadlineMs } = plan;
    const startedAt = runtime.now();
    const inheritedMs = inbound === undefined ? Infinity : leftOf(inbound);
    const isInherited = inheritedMs < deadlineMs;
    const deadlineAt = startedAt + (isInherited ? inheritedMs : deadlineMs);
    const deadlineFrom = isInherited ? 'inherited' : plan.deadlineFrom;
    const { request } = seed;
    this.service = service;
    this.request = request;
    this.protocol = seed.protocol;
    this.idempotent = plan.idempotent ?? seed.idempotent;
    this.replayable = seed.replayable;
    this.hashKey = plan.hashKey;
    this.policy = plan.policy;
    this.route = plan.route;
    this.work = seed.work;
    this.fallback = seed.fallback;
    this.explained = plan.explained;
    this.callerSignal = seed.signal;
    this.startedAt = startedAt;
    this.now = startedAt;
    this.maxAttempts = maxAttempts;
    this.#mayAttempt = maxAttempts;
    this.deadlineAt = deadlineAt;
    this.propagated = propagate === false ? undefined : propagatedOf(propagate, inbound);
    const method = request === undefined ? 'CALL' : request.method;
    this.record = newRecord({ service, method, startedAt, deadlineAt, deadlineFrom });
  }

  atEnd<T>(release: (held: T) => void, held: T): void {
    if (this.#release === undefined) {
      this.#release = release as Release;
      this.#held = held;
    } else if (this.#nextRelease === undefined) {
      this.#nextRelease = release as Release;
      this.#nextHeld = held;
    } else this.#later = { release: release as Release, held, before: this.#later };
  }

  end(): void {
    for (let later = this.#later; later !== undefined; later = later.before) later.release(later.held);
    const release = this.#release;
    const nextRelease = this.#nextRelease;
    this.#release = this.#nextRelease = this.#later = undefined;
    nextRelease?.(this.#nextHeld);
    release?.(this.#held);
  }

  /** A redirect that names the service is a new round of the same call: any instance, the same deadline. */
  restart(request: OutboundRequest): void {
    this.request = request;
    this.rounds += 1;
    this.attempt = 1;
    this.maxAttempts = this.#mayAttempt;
    this.tried = NONE;
    this.record.endedBy = 'running';
    this.record.pause = REDIRECTED;
  }
}

type Release = (held: unknown) => void;

interface Held {
  readonly release: Release;
  readonly held: unknown;
  readonly before: Held | undefined;
}

/** What is left of the deadline of the request that is being served, if one was set with `withDeadline`. */
const leftOf = ({ deadlineAt, runtime }: InboundContext): number =>
  deadlineAt === Infinity ? Infinity : deadlineAt - runtime.now();

/** Instances are told by default only where somebody set a deadline to travel: else it would be a header for nobody. */
const propagatedOf = (
  propagate: ResolvedOptions['propagate'],
  inbound: InboundContext | undefined,
): Propagated | undefined => {
  if (inbound?.propagates) return inbound;
  return propagate === 'always' ? NOTHING : undefined;
};
