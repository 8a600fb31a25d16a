import type { Span } from '@opentelemetry/api';
import { guard } from '../../core/guard.js';
import type { Redact } from './redact.js';
import { markFailed, markOutcome } from './span-error.js';

/** What of a response of `node:http` is needed to see it end. */
export interface InboundResponse {
  readonly statusCode: number;
  readonly writableFinished: boolean;
  readonly closed?: boolean;
  once(event: 'close', listener: () => void): unknown;
}

const guarded = guard('a span processor of inbound()');

/** The span of a request that is served: ends once, with its response where one is given, else with its handler. */
export class ServerSpan {
  readonly #span: Span;
  readonly #redact: Redact;
  readonly #response: InboundResponse | undefined;
  #error: unknown;
  #failed = false;
  #open = true;

  constructor(span: Span, redact: Redact, response: InboundResponse | undefined) {
    this.#span = span;
    this.#redact = redact;
    this.#response = response;
    response?.once('close', () => this.#closed(response));
  }

  run<T>(fn: () => T): T {
    let result: T;
    try {
      result = fn();
    } catch (error) {
      this.#threw(error);
      throw error;
    }
    if (!isPromise(result)) {
      this.#returned(result);
      return result;
    }
    return result.then(
      value => {
        this.#returned(value);
        return value;
      },
      (error: unknown) => {
        this.#threw(error);
        throw error;
      },
    ) as T;
  }

  #returned(result: unknown): void {
    if (this.#response !== undefined && this.#response.closed !== true) return;
    this.#end(this.#response?.statusCode ?? (result instanceof Response ? result.status : undefined));
  }

  /** A framework may still answer for it, with a status that tells more. */
  #threw(error: unknown): void {
    this.#failed = true;
    this.#error = error;
    if (this.#response === undefined || this.#response.closed === true) this.#end(undefined);
  }

  #closed({ statusCode, writableFinished }: InboundResponse): void {
    // The client left before it was told: the status is what it would have been.
    if (!writableFinished) guarded(() => this.#span.setAttribute('fairlead.cancelled', true));
    this.#end(writableFinished ? statusCode : undefined);
  }

  #end(status: number | undefined): void {
    if (!this.#open) return;
    this.#open = false;
    guarded(() => {
      if (status !== undefined) this.#span.setAttribute('http.response.status_code', status);
      // What was thrown and became a 404 is the client's fault, and no failure of this server.
      const isOurs = status === undefined || status >= 500;
      if (this.#failed && isOurs) markFailed(this.#span, this.#error, this.#redact);
      else if (status !== undefined && isOurs) markOutcome(this.#span, status);
      this.#span.end();
    });
  }
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
