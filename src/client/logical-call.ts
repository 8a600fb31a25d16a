import type { Call, CallPolicy } from '../core/call.js';
import { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import { IGNORED, type Verdict } from '../core/outcome.js';
import type { CallRecord } from '../core/record.js';
import { shared } from '../core/shared.js';
import type { OutboundRequest } from '../core/transport.js';
import type { CallerLink } from './caller-signal.js';
import type { CallOptions } from './options.js';
import type { ResolvedOptions } from './resolve-options.js';

/** What is to be done, and what that means for doing it twice. */
export interface CallSeed {
  readonly request: OutboundRequest | undefined;
  readonly protocol: string | undefined;
  readonly idempotent: boolean;
  readonly replayable: boolean;
  readonly signal: AbortSignal | undefined;
  readonly work: unknown;
}

const NONE: readonly Endpoint[] = Object.freeze([]);
const NO_POLICY: CallPolicy = Object.freeze({ attemptTimeoutMs: undefined });

/** A call, made by the client, which also ends it. */
export class LogicalCall implements Call {
  request: OutboundRequest | undefined;
  readonly service: string;
  readonly protocol: string | undefined;
  readonly idempotent: boolean;
  readonly replayable: boolean;
  readonly hashKey: string | undefined;
  readonly policy: CallPolicy;
  readonly work: unknown;
  readonly cancellation = new Cancellation();
  readonly startedAt: number;
  readonly maxAttempts: number;
  readonly deadlineAt: number;
  now: number;
  attempt = 1;
  tried: readonly Endpoint[] = NONE;
  verdict: Verdict = IGNORED;
  readonly record: CallRecord;
  /** The tie to the caller's signal, if it gave one. */
  link: CallerLink | undefined = undefined;
  readonly callerSignal: AbortSignal | undefined;
  /** How often a redirect sent it through the pool anew. */
  rounds = 0;
  /** Neighbours among the calls in flight. */
  older: LogicalCall | undefined = undefined;
  newer: LogicalCall | undefined = undefined;
  /** The first that is held has a place of its own: mostly there is one more. */
  #release: Release | undefined = undefined;
  #held: unknown = undefined;
  #later: Held | undefined = undefined;

  /** With the tighter of its own and an inherited deadline. */
  constructor(options: ResolvedOptions, seed: CallSeed, policy: CallOptions | undefined) {
    const { service, runtime, retry } = options;
    this.service = service;
    this.request = seed.request;
    this.protocol = seed.protocol;
    this.idempotent = policy?.idempotent ?? seed.idempotent;
    this.replayable = seed.replayable;
    this.hashKey = policy?.hashKey;
    this.policy = policy?.attemptTimeoutMs === undefined ? NO_POLICY : { attemptTimeoutMs: policy.attemptTimeoutMs };
    this.work = seed.work;
    this.callerSignal = seed.signal;
    this.startedAt = runtime.now();
    this.now = this.startedAt;
    this.maxAttempts = !retry || policy?.retry === false ? 1 : (policy?.retry?.maxAttempts ?? retry.maxAttempts);
    this.deadlineAt = this.startedAt + Math.min(ownDeadlineMs(options, policy), inheritedMs());
    this.record = newRecord(this);
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
    this.tried = NONE;
    this.record.endedBy = 'running';
  }
}

type Release = (held: unknown) => void;

interface Held {
  readonly release: Release;
  readonly held: unknown;
  readonly before: Held | undefined;
}

const newRecord = ({ service, request, startedAt, deadlineAt }: Call): CallRecord => ({
  service,
  method: request?.method ?? 'CALL',
  startedAt,
  deadlineAt,
  durationMs: NaN,
  status: undefined,
  attempts: 0,
  instance: undefined,
  queuedMs: 0,
  backoffMs: 0,
  endedBy: 'running',
});

const ownDeadlineMs = ({ deadlineMs }: ResolvedOptions, policy: CallOptions | undefined): number =>
  policy?.deadlineMs === undefined ? deadlineMs : policy.deadlineMs === false ? Infinity : policy.deadlineMs;

/** What is left of the deadline of the request that is being served, if one was set with `withDeadline`. */
const inheritedMs = (): number => {
  const inherited = shared.context.getStore();
  return inherited === undefined ? Infinity : inherited.deadlineAt - inherited.runtime.now();
};
