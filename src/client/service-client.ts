import type { EventOf, EventType } from '../core/events.js';
import type { CallExplanation } from '../core/explain-call.js';
import type { ServiceInstance } from '../core/instance.js';
import type { CallFunction, ServiceCallOptions } from './invocation.js';
import type { CallOptions } from './options.js';
import type { OpossumBreaker } from './opossum-breaker.js';
import type { ClientSnapshot } from './snapshot.js';
import type { ClientUpdate } from './update.js';

/** `RequestInit`, and what this call decides for itself. */
export type ServiceRequestInit = RequestInit & { readonly fairlead?: CallOptions | undefined };

/** One service, as its callers see it. */
export interface ServiceClient {
  readonly service: string;
  /**
   * A drop-in for `fetch`, bound, so that it can be handed to whatever takes a fetch. `input` is a path, or a URL or
   * Request whose host is the service's name. A failed response is returned, as with fetch; it rejects with a
   * `FairleadError`, with what the transport threw, with `signal.reason`, or with a TypeError for a bad argument.
   */
  readonly fetch: (input: string | URL | Request, init?: ServiceRequestInit) => Promise<Response>;
  /** The same around anything that is not HTTP: resolve = success, reject = failure. Not repeated unless `idempotent`. */
  call<T>(fn: CallFunction<T>, options?: ServiceCallOptions<T>): Promise<T>;
  /** Those that are known now, healthy or not. */
  instances(): readonly ServiceInstance[];
  /** Resolves when at least one instance is known. Rejects with `signal.reason`, or CLIENT_CLOSED. */
  ready(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  snapshot(): ClientSnapshot;
  /**
   * What happened to the call that gave this response or error, and why, as plain JSON; `undefined` if it is none of
   * fairlead's, or was copied since (`response.clone()`). For people: `formatExplanation(client.explain(error))`.
   */
  explain(responseOrError: unknown): CallExplanation | undefined;
  /**
   * Changes policies while calls are in flight; no state is lost, and calls that were routed already keep their route. Throws
   * a TypeError or RangeError that names the option, and then nothing changed.
   */
  update(changes: ClientUpdate): void;
  /** The service's circuit breaker, an instance of npm `opossum`; `undefined` with `circuitBreaker: false`. */
  readonly breaker: OpossumBreaker | undefined;
  /** Returns how to unsubscribe. A listener that throws becomes one process warning, never a failed call. */
  on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void;
  once<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void;
  off<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): void;
  /**
   * Refuses new calls with CLIENT_CLOSED, lets those in flight finish for `timeoutMs` (10 000), cancels the rest and lets
   * go of everything. May be called again.
   */
  close(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
