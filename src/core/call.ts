import type { Cancellation } from './cancellation.js';
import type { Endpoint } from './endpoint.js';
import type { Verdict } from './outcome.js';
import type { CallRecord } from './record.js';
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
  /** What `call()` runs; absent for fetch. */
  readonly work: unknown;
  /** The caller's abort and our deadline. */
  readonly cancellation: Cancellation;
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Attempts it may have, the first included. */
  readonly maxAttempts: number;
  /** Monotonic ms after which it is cancelled; Infinity = never. */
  readonly deadlineAt: number;
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
}
