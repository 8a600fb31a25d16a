import type { Settings } from './options.js';
import { newClient, type RawClient } from './peer.js';

/** A client of the `consul` package for each agent, made at its first use. Or the caller's own one for all. */
export class Clients {
  readonly #settings: Settings;
  readonly #load: () => Promise<unknown>;
  readonly #made = new Map<string, Promise<RawClient>>();

  constructor(settings: Settings, load: () => Promise<unknown>) {
    this.#settings = settings;
    this.#load = load;
  }

  async of(url: string): Promise<RawClient> {
    const { client } = this.#settings;
    if (client !== undefined) return client as unknown as RawClient;
    const known = this.#made.get(url);
    if (known !== undefined) return known;
    const making = this.#make(url);
    this.#made.set(url, making);
    return making;
  }

  /** Closes all sockets, whoever is waiting. Of a client or an http.Agent that is the caller's, the sockets are too. */
  disconnect(): void {
    const made = [...this.#made.values()];
    this.#made.clear();
    if (this.#settings.agent !== undefined) return;
    for (const making of made)
      making.then(
        client => client.destroy?.(),
        () => undefined,
      );
  }

  async #make(url: string): Promise<RawClient> {
    const { agent } = this.#settings;
    try {
      return await newClient(this.#load, { baseUrl: `${url}/v1`, ...(agent === undefined ? {} : { agent }) });
    } catch (error) {
      // A later use looks again: who installs the package need not restart.
      this.#made.delete(url);
      throw error;
    }
  }
}
