import type { WatchEvent, Watcher } from './peer.js';

/**
 * The package keeps each watcher that it was given for a path until the next event there. One function for each path
 * and client, however many listen and re-arm: nothing gathers at a path where nothing happens.
 */
export class Watchers {
  readonly #paths = new Map<string, { readonly watcher: Watcher; readonly listeners: Set<Watcher> }>();

  on(path: string, listener: Watcher): () => void {
    const { listeners } = this.#at(path);
    const entry = (event: WatchEvent): void => listener(event);
    listeners.add(entry);
    return () => void listeners.delete(entry);
  }

  of(path: string): Watcher {
    return this.#at(path).watcher;
  }

  #at(path: string): { readonly watcher: Watcher; readonly listeners: Set<Watcher> } {
    let known = this.#paths.get(path);
    if (known === undefined) {
      const listeners = new Set<Watcher>();
      known = { listeners, watcher: event => [...listeners].forEach(tell => tell(event)) };
      this.#paths.set(path, known);
    }
    return known;
  }
}
