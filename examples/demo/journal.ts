/** Turns what the client tells into sentences with a time. */
import type { ServiceClient } from 'fairlead';
import type { Seen } from './meter.js';
import type { Entry, Source } from './panel.js';

export interface JournalOptions {
  readonly client: ServiceClient;
  readonly nameOf: (id: string) => string;
  /** Milliseconds since the calls began. */
  readonly elapsedMs: () => number;
  readonly write: (entry: Entry) => void;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

export class Journal {
  readonly #options: JournalOptions;
  readonly #reasons = new Map<string, string | null>();

  constructor(options: JournalOptions) {
    this.#options = options;
    const { client, nameOf } = options;
    client.on('instance.down', ({ instance, reason, forMs }) => {
      this.#reasons.set(instance, reason);
      this.write('fairlead', `${nameOf(instance)} is out: ${reason}; tried again in ${seconds(forMs)}`);
    });
    client.on('instance.up', ({ instance, afterMs }) =>
      this.write('fairlead', `${nameOf(instance)} serves again after ${seconds(afterMs)}, with a growing share`),
    );
    client.on('panic.entered', ({ eligible, members }) =>
      this.write('fairlead', `panic: ${eligible} of ${members} are healthy, so all serve`),
    );
    client.on('panic.left', () => this.write('fairlead', 'no panic any more'));
    client.on('registry.lost', ({ registry }) => this.write('fairlead', `${registry} is lost; the last set stays`));
    client.on('registry.restored', ({ registry }) => this.write('fairlead', `${registry} is back`));
    client.on('instances.changed', ({ added, removed }) => {
      const parts = [...added.map(id => `${nameOf(id)} added`), ...removed.map(id => `${nameOf(id)} removed`)];
      if (parts.length > 0) this.write('fairlead', `the registry says: ${parts.join(', ')}`);
    });
  }

  write(source: Source, text: string): void {
    this.#options.write({ atMs: this.#options.elapsedMs(), source, text });
  }

  /** A probe that fails is no event of the client: it shows as a new reason for being out. */
  look({ id, state, reason, availableInMs }: Seen): void {
    const isNews = state === 'out' && reason !== this.#reasons.get(id);
    this.#reasons.set(id, reason);
    if (!isNews) return;
    const name = this.#options.nameOf(id);
    this.write('fairlead', `${name} stays out: ${reason}; tried again in ${seconds(availableInMs)}`);
  }
}
