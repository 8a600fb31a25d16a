import type { Cancellation } from '../core/cancellation.js';

/**
 * Carries a caller's abort to the calls made with its signal, over one listener whatever their number: a service may use
 * one signal for its whole life, and a listener for each call would be a leak. The listener goes with the last call.
 */
class Followers {
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<Cancellation>();
  /** Calls whose response was handed out: kept alive by its body, not by us. */
  readonly #reading = new Map<number, WeakRef<Cancellation>>();
  #nextReader = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(cancellation: Cancellation): void {
    if (this.#idle) this.#signal.addEventListener('abort', this.#abort, { once: true });
    this.#waiting.add(cancellation);
  }

  delete(cancellation: Cancellation): void {
    this.#waiting.delete(cancellation);
    this.#rest();
  }

  /** From here on the call lives as long as its body does. Returns how to end it. */
  hold(cancellation: Cancellation): () => void {
    const reader = (this.#nextReader += 1);
    this.#reading.set(reader, new WeakRef(cancellation));
    this.#waiting.delete(cancellation);
    return () => {
      this.#reading.delete(reader);
      this.#rest();
    };
  }

  get #idle(): boolean {
    return this.#waiting.size === 0 && this.#reading.size === 0;
  }

  #rest(): void {
    if (this.#idle) this.#signal.removeEventListener('abort', this.#abort);
  }

  readonly #abort = (): void => {
    const reason: unknown = this.#signal.reason;
    const all = [...this.#waiting, ...[...this.#reading.values()].map(reference => reference.deref())];
    this.#waiting.clear();
    this.#reading.clear();
    for (const cancellation of all) cancellation?.cancel(reason);
  };
}

const followers = new WeakMap<AbortSignal, Followers>();

/** Cancels `cancellation` when the caller aborts, until `release` or, after `hold`, until the body was read or collected. */
export interface CallerLink {
  release(): void;
  hold(): () => void;
}

export const follow = (signal: AbortSignal, cancellation: Cancellation): CallerLink => {
  let group = followers.get(signal);
  if (group === undefined) followers.set(signal, (group = new Followers(signal)));
  group.add(cancellation);
  return { release: () => group.delete(cancellation), hold: () => group.hold(cancellation) };
};
