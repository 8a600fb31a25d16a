import type { ClientEvent, Happening } from '../core/events.js';
import type { DiscoveredSet } from './discovered-set.js';

/** Who wants to know about one service. Called synchronously; one that throws becomes one process warning. */
export interface ServiceObserver {
  /** The set that is known when subscribing, if one is, then each that differs from the one before. */
  changed(set: DiscoveredSet): void;
  happened?(happening: Happening): void;
}

/** Tells the observers of one service. A fault of one of them is neither the registry's nor another observer's business. */
export class Observers {
  readonly #warn: (error: unknown) => void;
  /** Boxed: the same observer may subscribe twice. */
  readonly #boxes = new Set<{ readonly observer: ServiceObserver }>();

  constructor(warn: (error: unknown) => void) {
    this.#warn = warn;
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
    guarded(() => observer.changed(set), this.#warn);
  }

  #each(tell: (observer: ServiceObserver) => void): void {
    // A copy, as observers come and go while they are told; whoever left is not told any more.
    for (const box of [...this.#boxes]) if (this.#boxes.has(box)) guarded(() => tell(box.observer), this.#warn);
  }
}

/** Runs a listener of the caller's: what it throws, or rejects with, goes to `warn`. */
export const guarded = (run: () => unknown, warn: (error: unknown) => void): void => {
  try {
    const returned = run();
    if (returned instanceof Promise) returned.catch(warn);
  } catch (error) {
    warn(error);
  }
};

/** Tells of the first fault of a listener as a warning of the process, and keeps quiet about the next. */
export const warnOnce = (): ((error: unknown) => void) => {
  let warned = false;
  return function warn(error): void {
    if (warned) return;
    warned = true;
    const message = error instanceof Error ? (error.stack ?? error.message) : 'something that is not an Error';
    process.emitWarning(`a listener of a DiscoveryClient threw: ${message}`, 'FairleadWarning');
  };
};

/** What observers are told, as the events of a client. */
export const toEvent = (happening: Happening, base: { service: string; at: number }): ClientEvent => ({
  ...happening,
  ...base,
});
