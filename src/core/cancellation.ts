/** Is told the reason. An object is told without a function made for it, and taken back by what it is. */
export type CancelListener = ((reason: unknown) => void) | { cancelled(reason: unknown): void };

/**
 * Why and when work stops, without the price of an AbortSignal (3 µs): one is made only for who reads `signal`.
 * A call has one, each attempt has one below it.
 */
export class Cancellation {
  #cancelled = false;
  #reason: unknown;
  #listener: CancelListener | undefined;
  #more: Set<CancelListener> | undefined;
  #controller: AbortController | undefined;

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** What was handed to `cancel`: passed on to the caller unchanged. */
  get reason(): unknown {
    return this.#reason;
  }

  /** The same as an AbortSignal, made at the first reading. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#cancelled && !this.#controller.signal.aborted) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** The first call wins; later ones do nothing. Listeners run at once, each at most once. */
  cancel(reason: unknown): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#reason = reason;
    const first = this.#listener;
    const more = this.#more;
    this.#listener = undefined;
    this.#more = undefined;
    if (first !== undefined) tell(first, reason);
    more?.forEach(listener => tell(listener, reason));
    this.#controller?.abort(reason);
  }

  /** Runs `listener` at the cancellation (at once if that was before) and returns how to take it back. */
  onCancel(listener: CancelListener): () => void {
    this.tellOnCancel(listener);
    return () => this.offCancel(listener);
  }

  /** For the hot path: the same, to be taken back with `offCancel`. */
  tellOnCancel(listener: CancelListener): void {
    if (this.#cancelled) tell(listener, this.#reason);
    else if (this.#listener === undefined) this.#listener = listener;
    else (this.#more ??= new Set()).add(listener);
  }

  /** Takes a listener back. */
  offCancel(listener: CancelListener): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#more?.delete(listener);
  }
}

const tell = (listener: CancelListener, reason: unknown): void => {
  if (typeof listener === 'function') listener(reason);
  else listener.cancelled(reason);
};
