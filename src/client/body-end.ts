import type { Emitter } from '../core/events.js';
import type { BodyObserver } from '../core/watched-body.js';
import type { PooledEndpoint } from '../pool/endpoint.js';

/** Tells of a body that broke. Holds nothing of the call, which is not to live as long as its response. */
export class BodyEnd implements BodyObserver {
  readonly #endpoint: PooledEndpoint | undefined;
  readonly #events: Emitter;

  constructor(endpoint: PooledEndpoint | undefined, events: Emitter) {
    this.#endpoint = endpoint;
    this.#events = events;
  }

  /** Without a signal to let go of, nobody waits for it. */
  ended(): void {}

  failed(error: unknown): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return;
    endpoint.bodiesFailed += 1;
    this.#events.emit?.({ type: 'body.failed', instance: endpoint.instance.id, error });
  }
}
