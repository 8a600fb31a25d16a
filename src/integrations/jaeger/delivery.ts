import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { describe } from '../../core/errors.js';
import type { Runtime } from '../../core/runtime.js';
import { fullJitter } from '../../machines/backoff.js';

export type Result = Parameters<Parameters<SpanExporter['export']>[1]>[0];
/** As `ExportResultCode` of @opentelemetry/core has them. */
const [SUCCESS, FAILED] = [0, 1];

export const succeeded = (result: Result): boolean => Number(result.code) === SUCCESS;
export const failure = (why: string): Result => ({ code: FAILED, error: new Error(why) });

/** An exporter, what its failures mean, and how to end what it is at. */
export interface Sender {
  readonly exporter: SpanExporter;
  /** How long to wait at least before this may work, in ms; `undefined`: it will not. */
  retryAfterMs(error: Error | undefined): number | undefined;
  /** Closes its connections at once; what waits for an answer fails. */
  cut(): void;
}

export interface DeliveryOptions {
  readonly spans: ReadableSpan[];
  readonly sender: Sender;
  readonly exportTimeoutMs: number;
  readonly runtime: Runtime;
  /** Once. `hung`: the sender has not answered, and what it is at should be cut. */
  readonly ended: (result: Result, hung: boolean) => void;
}

/** The OTLP exporter waits as long. */
const BACKOFF = { baseMs: 1_000, maxMs: 5_000 };

/** One batch on its way: tries within a bound, and one end. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #until: number;
  readonly #stopBound: () => void;
  #tries = 0;
  #over = false;
  #last = false;
  /** Stops the wait between two tries. */
  #stopWait: (() => void) | undefined;
  #trouble = '';

  constructor(options: DeliveryOptions) {
    const { runtime, exportTimeoutMs } = options;
    this.#options = options;
    // Nobody waits beyond it: when it is reached, a try is on its way.
    this.#until = runtime.now() + exportTimeoutMs;
    this.#stopBound = runtime.after(exportTimeoutMs, () =>
      this.#end(failure(`no answer within ${exportTimeoutMs} ms`), true),
    );
  }

  /** Why the last try failed, ` (connect ECONNREFUSED …)`; empty when none has. */
  get trouble(): string {
    return this.#trouble;
  }

  start(): void {
    this.#tries += 1;
    const { sender, spans } = this.#options;
    const nth = this.#tries;
    const answered = (result: Result): void => {
      if (nth === this.#tries && this.#stopWait === undefined) this.#answered(result);
    };
    try {
      sender.exporter.export(spans, answered);
    } catch (error) {
      answered(failure(describe(error)));
    }
  }

  /** No more waiting: the next failure is the last, and who waits tries at once. */
  hurry(): void {
    this.#last = true;
    if (this.#stopWait === undefined) return;
    this.#stopWait();
    this.#stopWait = undefined;
    this.start();
  }

  giveUp(why: string): void {
    this.#end(failure(why + this.#trouble), false);
  }

  #answered(result: Result): void {
    const waitMs = succeeded(result) || this.#last ? undefined : this.#waitMs(result.error);
    if (waitMs === undefined) return this.#end(result, false);
    this.#trouble = result.error === undefined ? '' : ` (${describe(result.error)})`;
    this.#stopWait = this.#options.runtime.after(waitMs, () => {
      this.#stopWait = undefined;
      this.start();
    });
  }

  #waitMs(error: Error | undefined): number | undefined {
    const { sender, runtime } = this.#options;
    const atLeast = sender.retryAfterMs(error);
    if (atLeast === undefined) return undefined;
    const waitMs = Math.max(atLeast, fullJitter(BACKOFF, this.#tries, runtime.random()));
    return runtime.now() + waitMs < this.#until ? waitMs : undefined;
  }

  #end(result: Result, hung: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopBound();
    this.#stopWait?.();
    // Whatever comes from now on is of a try that is over.
    this.#tries += 1;
    this.#options.ended(result, hung);
  }
}
