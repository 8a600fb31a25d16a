import type { Call, CallPolicy } from '../core/call.js';
import { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import { IGNORED, type Verdict } from '../core/outcome.js';
import type { DeadlineSource, Pause } from '../core/explanation.js';
import { newRecord, type CallRecord } from '../core/record.js';
import { shared, type InboundContext, type Propagated } from '../core/shared.js';
import type { FallbackFunction } from '../layers/fallback.js';
import type { OutboundRequest } from '../core/transport.js';
import { wishOf } from '../routing/decision.js';
import { callPolicy, maxAttemptsOf } from './call-policy.js';
import type { CallerLink } from './caller-signal.js';
import type { LogicalCallOptions } from './options.js';
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
  /** The first that is held has a place of its own: mostly there is one more. */
  #release: Release | undefined = undefined;
  #held: unknown = undefined;
  #later: Held | undefined = undefined;

  /** With the tighter of its own and an inherited deadline. */
  constructor(options: ResolvedOptions, seed: CallSeed, policy: LogicalCallOptions | undefined) {
    const { service, runtime } = options;
    const inbound = shared.context.getStore();
    this.service = service;
    this.request = seed.request;
    this.protocol = seed.protocol;
    this.idempotent = policy?.idempotent ?? seed.idempotent;
    this.replayable = seed.replayable;
    this.hashKey = policy?.hashKey;
    this.policy = callPolicy(options, policy);
    this.route = policy?.route && wishOf(policy.route);
    this.work = seed.work;
    this.fallback = seed.fallback;
    this.explained = (policy?.explain ?? options.explain) === 'all';
    this.callerSignal = seed.signal;
    this.startedAt = runtime.now();
    this.now = this.startedAt;
    this.maxAttempts = maxAttemptsOf(options, policy?.retry);
    this.#mayAttempt = this.maxAttempts;
    const ownMs = ownDeadlineMs(options, policy);
    const inherited = inheritedMs(inbound);
    this.deadlineAt = this.startedAt + Math.min(ownMs, inherited);
    this.propagated = propagatedOf(options, inbound);
    const { startedAt, deadlineAt } = this;
    const deadlineFrom = inherited < ownMs ? 'inherited' : sourceOf(ownMs, policy);
    this.record = newRecord({ service, method: seed.request?.method ?? 'CALL', startedAt, deadlineAt, deadlineFrom });
  }

  atEnd<T>(release: (held: T) => void, held: T): void {
    if (this.#release === undefined) {
      this.#release = release as Release;
      this.#held = held;
    } else this.#later = { release: release as Release, held, before: this.#later };
  }

  end(): void {
    for (let later = this.#later; later !== undefined; later = later.before) later.release(later.held);
    this.#later = undefined;
    const release = this.#release;
    this.#release = undefined;
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

const ownDeadlineMs = ({ deadlineMs }: ResolvedOptions, policy: LogicalCallOptions | undefined): number =>
  policy?.deadlineMs === undefined ? deadlineMs : policy.deadlineMs === false ? Infinity : policy.deadlineMs;

const sourceOf = (ownMs: number, policy: LogicalCallOptions | undefined): DeadlineSource => {
  if (ownMs === Infinity) return 'none';
  return policy?.deadlineMs === undefined ? 'client' : 'call';
};

/** What is left of the deadline of the request that is being served, if one was set with `withDeadline`. */
const inheritedMs = (inbound: InboundContext | undefined): number =>
  inbound === undefined || inbound.deadlineAt === Infinity ? Infinity : inbound.deadlineAt - inbound.runtime.now();

/** Instances are told by default only where somebody set a deadline to travel: else it would be a header for nobody. */
const propagatedOf = ({ propagate }: ResolvedOptions, inbound: InboundContext | undefined): Propagated | undefined => {
  if (propagate === false) return undefined;
  if (inbound?.propagates) return inbound;
  return propagate === 'always' ? NOTHING : undefined;
};
