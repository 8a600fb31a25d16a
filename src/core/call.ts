import type { Cancellation } from './cancellation.js';
import type { Endpoint } from './endpoint.js';
import type { Verdict } from './outcome.js';
import type { HedgeRules, RetryRules } from './policy.js';
import type { CallRecord } from './record.js';
import type { Propagated } from './shared.js';
import type { OutboundRequest } from './transport.js';

/** Carries a call to its result. Generic in R: a Response for fetch, T for call(). */
export type Dispatch<R> = (call: Call) => Promise<R>;

/** Wraps a Dispatch in one behaviour. Runs once, while the client is built; state of a call lives in the inner function. */
export type Layer<R> = (next: Dispatch<R>) => Dispatch<R>;

/** The first layer listed is the outermost: it sees the call first and the result last. */
export const compose = <R>(layers: readonly Layer<R>[], innermost: Dispatch<R>): Dispatch<R> =>
  layers.reduceRight((next, layer) => layer(next), innermost);

/** One logical call, whatever the number of attempts. Made by the client; layers read it and change what is not readonly. */
export interface Call {
  readonly service: string;
  /** What is sent; absent for `call()`, which does its own sending. A layer may replace it, to add a header. */
  request: OutboundRequest | undefined;
  /** May it be sent twice? By method, by `Idempotency-Key`, or as the caller said. */
  readonly idempotent: boolean;
  /** Can the body be sent twice? Streams cannot. */
  readonly replayable: boolean;
  /** What a URL given to fetch insists on: 'http' or 'https'; `undefined` for a path. */
  readonly protocol: string | undefined;
  readonly hashKey: string | undefined;
  /** Overrides of this call, already validated. */
  readonly policy: CallPolicy;
  /**
   * Where it is to go: what the caller wished, then what was decided for all its attempts. The router's business; `undefined`
   * where calls may go anywhere. A copy of a call takes it along.
   */
  route: unknown;
  /** What `call()` runs; absent for fetch. */
  readonly work: unknown;
  /** What a tracing instrument keeps of it. A copy of a call takes it along. */
  trace?: unknown;
  /** The caller's abort and our deadline. */
  readonly cancellation: Cancellation;
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Attempts it may have, the first included; grows with each hedge, which comes on top. */
  maxAttempts: number;
  /** Monotonic ms after which it is cancelled; Infinity = never. */
  readonly deadlineAt: number;
  /** What the instance is told besides the request: time left, number of the attempt, criticality. `undefined`: nothing. */
  readonly propagated?: Propagated | undefined;
  /**
   * Monotonic ms: the clock reading that all stages share, taken when the call began and after each wait. Reading the clock
   * is the dearest part of a fast call.
   */
  now: number;
  /** The number of the current attempt; 1 is the first. */
  attempt: number;
  /** Endpoints that this call used, oldest first. */
  tried: readonly Endpoint[];
  /** What the newest attempt said about its endpoint. */
  verdict: Verdict;
  readonly record: CallRecord;
  /** Its record tells of each attempt, of one that went well too. */
  readonly explained?: boolean | undefined;
  /**
   * Runs `release(held)` once when the call ends, however it ends: for what a stage holds for the whole of it. Last come,
   * first run. A stage that waits for its `next` instead pays for a promise in every call.
   */
  atEnd<T>(release: (held: T) => void, held: T): void;
}

/** What one call decides for itself; `undefined` = as the client is set. */
export interface CallPolicy {
  /** `false`: none; a number always applies; `undefined`: the client's rule. */
  readonly attemptTimeoutMs: number | false | undefined;
  readonly retry?: RetryRules | undefined;
  readonly hedge?: HedgeRules | false | undefined;
}
