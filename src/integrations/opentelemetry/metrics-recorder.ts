/** Turns a client's events into numbers. */
import type { Attributes } from '@opentelemetry/api';
import type { ServiceClient } from '../../client/service-client.js';
import type { EventOf, EventType } from '../../core/events.js';
import type { Labels } from './metrics-gauges.js';
import type { Histograms } from './metrics-instruments.js';
import * as label from './metrics-labels.js';
import type { MetricsSettings } from './metrics-options.js';
import { Remembered } from './metrics-remembered.js';
import type { CounterName, Total, Totals } from './metrics-totals.js';
import { Whereabouts } from './metrics-whereabouts.js';

export interface Books {
  readonly histograms: Histograms;
  readonly totals: Totals;
}

/** What `client.call()` reports for a method. */
const NOT_HTTP = 'CALL';

interface CallBooks {
  readonly total: Total;
  readonly labels: Attributes;
}

/** Listens to one client until `stop()`. */
export class MetricsRecorder {
  readonly #books: Books;
  readonly #client: ServiceClient;
  readonly #service: Labels;
  readonly #whereabouts: Whereabouts | undefined;
  readonly #unsubscribe: (() => void)[] = [];
  readonly #attempts = new Remembered<Total>();
  readonly #requests = new Remembered<Attributes>();
  readonly #calls = new Remembered<CallBooks>();

  constructor(client: ServiceClient, books: Books, { instanceLabels }: MetricsSettings) {
    this.#books = books;
    this.#client = client;
    this.#service = { [label.SERVICE]: client.service };
    this.#whereabouts = instanceLabels ? new Whereabouts(client) : undefined;
    this.#listenToCalls();
    this.#listenToHealth();
    this.#beginAtZero();
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  #listenToCalls(): void {
    this.#on('attempt.ended', event => this.#attempted(event));
    this.#on('call.ended', event => this.#called(event));
    this.#on('call.retried', event => this.#count('retries', { [label.REASON]: label.retryLabel(event) }));
    this.#on('call.hedged', () => this.#count('hedges'));
    this.#on('call.refused', ({ code }) => this.#count('refusals', { [label.CODE]: code }));
    this.#on('call.fallback', ({ status, error }) =>
      this.#count('fallbacks', { [label.REASON]: label.failureLabel(status, error) ?? label.OTHER }),
    );
    this.#on('call.stale', () => this.#count('staleAnswers'));
    this.#on('body.failed', ({ instance }) => this.#count('bodyFailures', this.#at(instance)));
  }

  #listenToHealth(): void {
    this.#on('instance.down', ({ instance, cause }) =>
      this.#count('ejections', { [label.REASON]: cause, ...this.#at(instance) }),
    );
    this.#on('instance.up', ({ instance }) => this.#count('recoveries', this.#at(instance)));
    this.#on('breaker.opened', () => this.#count('transitions', { [label.STATE]: 'open' }));
    this.#on('breaker.half-opened', () => this.#count('transitions', { [label.STATE]: 'half-open' }));
    this.#on('breaker.closed', () => this.#count('transitions', { [label.STATE]: 'closed' }));
    this.#on('registry.lost', ({ registry }) =>
      this.#count('registryErrors', { [label.REGISTRY]: registry, [label.REASON]: 'lost' }),
    );
    // An id may come back at another address.
    if (this.#whereabouts !== undefined)
      this.#on('instances.changed', () => {
        this.#whereabouts?.forget();
        this.#requests.forget();
      });
    this.#on('registry.problem', ({ registry, problem }) =>
      this.#count('registryErrors', { [label.REGISTRY]: registry, [label.REASON]: problem.kind }),
    );
  }

  /**
   * A counter that appears with its first event has not risen in the eyes of who computes rates, and that event is lost:
   * those whose labels are known begin now. With labels for instances it would be too many.
   */
  #beginAtZero(): void {
    for (const what of ['hedges', 'staleAnswers'] as const) this.#totalOf(what);
    const states = this.#client.breaker === undefined ? [] : ['open', 'half-open', 'closed'];
    for (const state of states) this.#totalOf('transitions', { [label.STATE]: state });
    if (this.#whereabouts !== undefined) return;
    for (const what of ['recoveries', 'bodyFailures'] as const) this.#totalOf(what);
    for (const cause of ['calls', 'asked', 'checks']) this.#totalOf('ejections', { [label.REASON]: cause });
  }

  #on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): void {
    this.#unsubscribe.push(this.#client.on(type, listener));
  }

  #totalOf(what: CounterName, labels?: Labels): Total {
    return this.#books.totals.of(what, { ...this.#service, ...labels });
  }

  #count(what: CounterName, labels?: Labels): void {
    this.#totalOf(what, labels).value += 1;
  }

  #at(instance: string): Labels | undefined {
    return this.#whereabouts && { [label.INSTANCE]: instance };
  }

  #attempted({ instance, method, outcome, durationMs, status, error }: EventOf<'attempt.ended'>): void {
    const at = this.#whereabouts === undefined ? '' : instance;
    this.#attempts.get(`${outcome} ${at}`, () =>
      this.#totalOf('attempts', { [label.OUTCOME]: outcome, ...this.#at(instance) }),
    ).value += 1;
    if (method === NOT_HTTP) return;
    const known = label.methodLabel(method);
    const failure = label.failureLabel(status, error);
    const labels = this.#requests.get(`${known} ${status} ${failure} ${at}`, () => ({
      ...this.#service,
      'http.request.method': known,
      // A client knows its service by name, as callers of `http://users/42` do; which of the instances, only if asked.
      'server.address': this.#client.service,
      ...this.#whereabouts?.of(instance),
      ...(status === undefined ? {} : { 'http.response.status_code': status }),
      ...(failure === undefined ? {} : { 'error.type': failure }),
    }));
    this.#books.histograms.requests.record(durationMs / 1_000, labels);
  }

  #called(event: EventOf<'call.ended'>): void {
    const outcome = label.callOutcome(event);
    const { servedFrom, endedBy, durationMs } = event;
    const { total, labels } = this.#calls.get(`${outcome} ${servedFrom} ${endedBy}`, () => {
      const own = { [label.OUTCOME]: outcome };
      const how = { [label.SERVED_FROM]: servedFrom, [label.ENDED_BY]: endedBy };
      return { total: this.#totalOf('calls', { ...own, ...how }), labels: { ...this.#service, ...own } };
    });
    total.value += 1;
    this.#books.histograms.calls.record(durationMs / 1_000, labels);
  }
}
