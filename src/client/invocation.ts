import type { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import type { ServiceInstance } from '../core/instance.js';
import type { Classify } from './classify.js';
import type { LogicalCallOptions } from './options.js';
import type { CallFallback } from './options/fallback.js';

/** What a function given to `call()` is handed for one attempt. */
export interface Invocation {
  readonly instance: ServiceInstance;
  /** Aborts when the caller aborts, or when the attempt or the call runs out of time. */
  readonly signal: AbortSignal;
  /** 1 is the first. */
  readonly attempt: number;
}

export type CallFunction<T> = (invocation: Invocation) => Promise<T> | T;

export interface ServiceCallOptions<T> extends LogicalCallOptions {
  /** The caller's own abort. */
  readonly signal?: AbortSignal | undefined;
  /** Your verdict on an attempt; `undefined` from it means the default: resolve = success, reject = failure. */
  readonly classify?: Classify<T> | undefined;
  /** Answers if this call fails: a value, or a function that is told of the failure. */
  readonly fallback?: CallFallback<T> | undefined;
}

/** A signal is made only for a function that reads it. */
export class Attempting implements Invocation {
  readonly instance: ServiceInstance;
  readonly attempt: number;
  readonly #cancellation: Cancellation;

  constructor(endpoint: Endpoint, attempt: number, cancellation: Cancellation) {
    this.instance = endpoint.instance;
    this.attempt = attempt;
    this.#cancellation = cancellation;
  }

  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }
}
