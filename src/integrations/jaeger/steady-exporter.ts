import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { describe } from '../../core/errors.js';
import type { Runtime } from '../../core/runtime.js';
import { Delivery, failure, succeeded, type Result, type Sender } from './delivery.js';

export interface SteadyOptions {
  /** Makes the sender anew after one was cut. */
  readonly open: () => Sender;
  /** Where it sends to, for messages. */
  readonly where: string;
  readonly exportTimeoutMs: number;
  /** Spans that may wait here; more are refused. */
  readonly maxWaiting: number;
  readonly runtime: Runtime;
  readonly failed: (why: string, spans: number) => void;
}

interface Turn {
  readonly spans: ReadableSpan[];
  readonly done: (result: Result) => void;
}

/**
 * Any exporter, made to keep the terms: one batch at a time (the Jaeger exporter mixes two up), each with an end within a
 * bound, and its connections closed then (it leaves one that hangs open for ever), and an answer even after the shutdown
 * (it gives none). Knows when all is sent, which the span processor does not: batches that its timer sent are not waited for.
 */
export class SteadyExporter implements SpanExporter {
  readonly #options: SteadyOptions;
  readonly #waiting: Turn[] = [];
  readonly #idle: (() => void)[] = [];
  #sender: Sender;
  #current: Delivery | undefined;
  #hurried = false;
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(options: SteadyOptions) {
    this.#options = options;
    // Now, so that a package that is missing is told at the start.
    this.#sender = options.open();
  }

  export(spans: ReadableSpan[], done: (result: Result) => void): void {
    const before = this.#waiting.reduce((sum, turn) => sum + turn.spans.length, 0);
    const refusal = this.#closed ? 'tracing is shut down' : before >= this.#options.maxWaiting ? 'too many wait' : '';
    if (refusal !== '') return this.#fail({ spans, done }, refusal);
    this.#waiting.push({ spans, done });
    if (this.#current === undefined) this.#next();
  }

  /** Why what is on its way is not there yet. */
  get trouble(): string {
    return this.#current?.trouble ?? '';
  }

  /** Resolves when nothing waits and nothing is on its way. */
  async forceFlush(): Promise<void> {
    if (this.#current === undefined) return;
    await new Promise<void>(resolve => void this.#idle.push(resolve));
  }

  /** From now on a failure is final. */
  hurry(): void {
    this.#hurried = true;
    this.#current?.hurry();
  }

  shutdown(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Gives up what waits and what is on its way. */
  cut(why: string): void {
    this.#closed = true;
    const late = this.#waiting.splice(0);
    this.#sender.cut();
    // Nobody waits for it: it may hang as its exports did.
    this.#sender.exporter.shutdown().catch(() => undefined);
    this.#current?.giveUp(why);
    for (const turn of late) this.#fail(turn, why);
  }

  async #close(): Promise<void> {
    await this.forceFlush();
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#sender.exporter.shutdown();
    } finally {
      this.#sender.cut();
    }
  }

  #next(): void {
    const turn = this.#waiting.shift();
    if (turn === undefined) return void this.#idle.splice(0).forEach(resolve => resolve());
    const { exportTimeoutMs, runtime, open } = this.#options;
    const ended = (result: Result, hung: boolean): void => {
      this.#current = undefined;
      if (hung) {
        this.#sender.cut();
        this.#sender = open();
      }
      if (succeeded(result)) turn.done(result);
      else this.#fail(turn, result.error === undefined ? 'it failed' : describe(result.error));
      if (this.#current === undefined) this.#next();
    };
    const delivery = new Delivery({ spans: turn.spans, sender: this.#sender, exportTimeoutMs, runtime, ended });
    this.#current = delivery;
    if (this.#hurried) delivery.hurry();
    delivery.start();
  }

  #fail({ spans, done }: Turn, why: string): void {
    this.#options.failed(`${this.#options.where}: ${why}`, spans.length);
    done(failure(why));
  }
}
