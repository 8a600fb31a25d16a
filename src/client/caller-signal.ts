import type { Cancellation } from '../core/cancellation.js';

/** Cancels `cancellation` when the caller aborts, until `release` or, after `hold`, until the body was read or collected. */
export interface CallerLink {
  release(): void;
  hold(): () => void;
}

/** Of each signal that calls follow, the first of their links. */
const firstOf = new WeakMap<AbortSignal, Link>();

/**
 * Each AbortSignal of Node has a hidden class of its own, so whatever is looked up on one misses all of V8's caches and costs
 * many times as much: what signals have in common is taken from their prototype.
 */
const { prototype } = AbortSignal;
const { get: abortedOf } = Object.getOwnPropertyDescriptor(prototype, 'aborted') as { get: () => boolean };

/** Polyfills, and objects that only look like a signal, are asked themselves. */
const isOwn = (signal: AbortSignal): boolean => signal instanceof AbortSignal;

export const isAborted = (signal: AbortSignal): boolean => (isOwn(signal) ? abortedOf.call(signal) : signal.aborted);

/**
 * Carries a caller's abort to the calls made with its signal, over one listener whatever their number: a service may use
 * one signal for its whole life, and a listener for each call would be a leak. The listener goes with the last call.
 */
export const follow = (signal: AbortSignal, cancellation: Cancellation): CallerLink => {
  const first = firstOf.get(signal);
  const link = new Link(signal, cancellation, first);
  if (first === undefined) {
    firstOf.set(signal, link);
    listen(signal);
  }
  return link;
};

/** A call and the signal that it follows. The calls of one signal form a ring, in the order in which they were made. */
class Link implements CallerLink {
  readonly #signal: AbortSignal;
  /** A call whose response was handed out is kept alive by its body, not by us. */
  #cancellation: Cancellation | WeakRef<Cancellation> | undefined;
  #next: Link;
  #previous: Link;

  constructor(signal: AbortSignal, cancellation: Cancellation, first: Link | undefined) {
    this.#signal = signal;
    this.#cancellation = cancellation;
    this.#next = first ?? this;
    this.#previous = first === undefined ? this : first.#previous;
    this.#previous.#next = this;
    this.#next.#previous = this;
  }

  release(): void {
    if (this.#cancellation === undefined) return;
    this.#cancellation = undefined;
    const next = this.#next;
    if (next === this) return letGo(this.#signal);
    this.#previous.#next = next;
    next.#previous = this.#previous;
    if (firstOf.get(this.#signal) === this) firstOf.set(this.#signal, next);
  }

  /** From here on the call lives as long as its body does. Returns how to end it. */
  hold(): () => void {
    if (this.#cancellation !== undefined) this.#cancellation = new WeakRef(this.#cancellation as Cancellation);
    return () => this.release();
  }

  /** Takes all of the ring out, since a call that is told may release others, or be made anew. */
  takeAll(): (Cancellation | undefined)[] {
    const all = [this.#take()];
    for (let link = this.#next; link !== this; link = link.#next) all.push(link.#take());
    return all;
  }

  #take(): Cancellation | undefined {
    const cancellation = this.#cancellation;
    this.#cancellation = undefined;
    return cancellation instanceof WeakRef ? cancellation.deref() : cancellation;
  }
}

/** Without options, which Node takes its time to read. */
const listen = (signal: AbortSignal): void => {
  if (isOwn(signal)) prototype.addEventListener.call(signal, 'abort', tellFollowers);
  else signal.addEventListener('abort', tellFollowers);
};

const letGo = (signal: AbortSignal): void => {
  firstOf.delete(signal);
  if (isOwn(signal)) prototype.removeEventListener.call(signal, 'abort', tellFollowers);
  else signal.removeEventListener('abort', tellFollowers);
};

/** The same for all signals, which take it once each. */
function tellFollowers(this: AbortSignal): void {
  const all = firstOf.get(this)?.takeAll();
  const reason: unknown = this.reason;
  letGo(this);
  all?.forEach(cancellation => cancellation?.cancel(reason));
}
