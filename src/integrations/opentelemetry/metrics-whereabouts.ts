import type { Attributes } from '@opentelemetry/api';
import type { ServiceClient } from '../../client/service-client.js';
import { INSTANCE } from './metrics-labels.js';

/** Where instances are, by id: events name them, metrics of requests want their address. */
export class Whereabouts {
  readonly #client: ServiceClient;
  #known: ReadonlyMap<string, Attributes> = new Map();

  constructor(client: ServiceClient) {
    this.#client = client;
  }

  forget(): void {
    this.#known = new Map();
  }

  /** Only the id of one that left before it was asked for. */
  of(id: string): Attributes {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    this.#known = new Map(
      this.#client
        .instances()
        .map(({ id, address, port }) => [
          id,
          { 'server.address': address, 'server.port': port, [INSTANCE]: id } satisfies Attributes,
        ]),
    );
    return this.#known.get(id) ?? { [INSTANCE]: id };
  }
}
