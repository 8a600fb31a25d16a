import type { RecordWithTtl } from 'node:dns';
import type { Runtime } from '../../core/runtime.js';
import { Flight, type Answer } from './flight.js';
import type { DnsSettings } from './options.js';

/** What DNS says of one service: asked once, however many want to know. */
export class Source {
  readonly #settings: DnsSettings;
  readonly #service: string;
  readonly #remembered = new Map<string, readonly RecordWithTtl[]>();
  #flight: Flight | undefined;
  #last: { readonly runtime: Runtime; readonly answer: Answer } | undefined;

  constructor(settings: DnsSettings, service: string) {
    this.#settings = settings;
    this.#service = service;
  }

  /** The last answer while it is fresh, else a new one. */
  async read(runtime: Runtime, signal: AbortSignal): Promise<Answer> {
    const last = this.#last;
    if (last?.runtime === runtime && runtime.now() < last.answer.dueAt) return last.answer;
    return this.ask(runtime, signal);
  }

  /** A new answer, or that of the refresh that is under way. Rejects with the signal's reason as soon as it aborts. */
  async ask(runtime: Runtime, signal: AbortSignal | undefined): Promise<Answer> {
    signal?.throwIfAborted();
    const flight = this.#flight?.runtime === runtime ? this.#flight : this.#start(runtime);
    return flight.join(signal);
  }

  #start(runtime: Runtime): Flight {
    const flight: Flight = new Flight({
      ...{ settings: this.#settings, service: this.#service, remembered: this.#remembered, runtime },
      ended: answer => {
        if (answer !== undefined) this.#last = { runtime, answer };
        if (this.#flight === flight) this.#flight = undefined;
      },
    });
    this.#flight = flight;
    return flight;
  }
}
