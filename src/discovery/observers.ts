import type { ClientEvent, Happening } from '../core/events.js';
import type { Guarded } from '../core/guard.js';
import type { DiscoveredSet } from './discovered-set.js';

/** Who wants to know about one service. Called synchronously; one that throws becomes one process warning. */
export interface ServiceObserver {
  /** The set that is known when subscribing, if one is, then each that differs from the one before. */
  changed(set: DiscoveredSet): void;
  happened?(happening: Happening): void;
}

/** Tells the observers of one service. A fault of one of them is neither the registry's nor another observer's business. */
export class Observers {
  readonly #guarded: Guarded;
  /** Boxed: the same observer may subscribe twice. */
  readonly #boxes = new Set<{ readonly observer: ServiceObserver }>();

  constructor(guarded: Guarded) {
    this.#guarded = guarded;
  }

  get size(): number {
    return this.#boxes.size;
  }

  /** Returns how to leave. */
  add(observer: ServiceObserver): () => void {
    const box = { observer };
    this.#boxes.add(box);
    return () => void this.#boxes.delete(box);
  }

  changed(set: DiscoveredSet): void {
    this.#each(observer => observer.changed(set));
  }

  happened(happening: Happening): void {
    this.#each(observer => observer.happened?.(happening));
  }

  /** For the one that came late. */
  welcome(observer: ServiceObserver, set: DiscoveredSet): void {
    this.#guarded(() => observer.changed(set));
  }

  #each(tell: (observer: ServiceObserver) => void): void {
    // A copy, as observers come and go while they are told; whoever left is not told any more.
    for (const box of [...this.#boxes]) if (this.#boxes.has(box)) this.#guarded(() => tell(box.observer));
  }
}

/** What observers are told, as the events of a client. */
export const toEvent = (happening: Happening, base: { service: string; at: number }): ClientEvent => ({
  ...happening,
  ...base,
});
