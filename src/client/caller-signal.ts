import type { Cancellation } from '../core/cancellation.js';

const ONCE = { once: true } as const;

/**
 * Carries a caller's abort to the calls made with its signal, over one listener whatever their number: a service may use
 * one signal for its whole life, and a listener for each call would be a leak. The listener goes with the last call.
 */
class Followers {
  readonly #signal: AbortSignal;
  #listens = false;
  /** Mostly a signal is for one call: a set is made for the second. */
  #first: Cancellation | undefined = undefined;
  #others: Set<Cancellation> | undefined = undefined;
  /** Calls whose response was handed out: kept alive by its body, not by us. */
  #reading: Map<number, WeakRef<Cancellation>> | undefined = undefined;
  #nextReader = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(cancellation: Cancellation): void {
    if (!this.#listens) this.#signal.addEventListener('abort', this.#abort, ONCE);
    this.#listens = true;
    if (this.#first === undefined) this.#first = cancellation;
    else (this.#others ??= new Set()).add(cancellation);
  }

  delete(cancellation: Cancellation): void {
    this.#forget(cancellation);
    this.#rest();
  }

  /** From here on the call lives as long as its body does. Returns how to end it. */
  hold(cancellation: Cancellation): () => void {
    const reader = (this.#nextReader += 1);
    (this.#reading ??= new Map()).set(reader, new WeakRef(cancellation));
    this.#forget(cancellation);
    return () => {
      this.#reading?.delete(reader);
      this.#rest();
    };
  }

  #forget(cancellation: Cancellation): void {
    if (this.#first === cancellation) this.#first = undefined;
    else this.#others?.delete(cancellation);
  }

  #rest(): void {
    if (!this.#listens || this.#first !== undefined || this.#others?.size || this.#reading?.size) return;
    this.#signal.removeEventListener('abort', this.#abort);
    this.#listens = false;
  }

  readonly #abort = (): void => {
    const reason: unknown = this.#signal.reason;
    const reading = [...(this.#reading?.values() ?? [])].map(reference => reference.deref());
    const all = [this.#first, ...(this.#others ?? []), ...reading];
    this.#listens = false;
    this.#first = this.#others = this.#reading = undefined;
    for (const cancellation of all) cancellation?.cancel(reason);
  };
}

const followers = new WeakMap<AbortSignal, Followers>();

/** Cancels `cancellation` when the caller aborts, until `release` or, after `hold`, until the body was read or collected. */
export interface CallerLink {
  release(): void;
  hold(): () => void;
}

class Link implements CallerLink {
  readonly #group: Followers;
  readonly #cancellation: Cancellation;

  constructor(group: Followers, cancellation: Cancellation) {
    this.#group = group;
    this.#cancellation = cancellation;
  }

  release(): void {
    this.#group.delete(this.#cancellation);
  }

  hold(): () => void {
    return this.#group.hold(this.#cancellation);
  }
}

export const follow = (signal: AbortSignal, cancellation: Cancellation): CallerLink => {
  let group = followers.get(signal);
  if (group === undefined) followers.set(signal, (group = new Followers(signal)));
  group.add(cancellation);
  return new Link(group, cancellation);
};
