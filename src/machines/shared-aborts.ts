type Told = (reason: unknown) => void;

interface Group {
  readonly told: Set<Told>;
  readonly listener: () => void;
}

/**
 * One listener on each signal, however many wait with it: a signal that ends a whole program would otherwise have thousands,
 * with a warning of Node at the eleventh.
 */
export class SharedAborts {
  readonly #groups = new Map<AbortSignal, Group>();

  /** Returns how to take it back; the listener goes with the last one. */
  add(signal: AbortSignal, told: Told): () => void {
    const group = this.#groups.get(signal) ?? this.#listen(signal);
    group.told.add(told);
    return () => {
      if (!group.told.delete(told) || group.told.size > 0) return;
      signal.removeEventListener('abort', group.listener);
      this.#groups.delete(signal);
    };
  }

  #listen(signal: AbortSignal): Group {
    const told = new Set<Told>();
    const listener = (): void => {
      this.#groups.delete(signal);
      // Each that is told may end others' wait.
      for (const tell of told) if (told.delete(tell)) tell(signal.reason);
    };
    const group = { told, listener };
    this.#groups.set(signal, group);
    signal.addEventListener('abort', listener, { once: true });
    return group;
  }
}
