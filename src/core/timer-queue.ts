import type { Runtime } from './runtime.js';

/** One armed timeout. Opaque to who armed it. */
export interface Timeout {
  /** Monotonic ms. */
  readonly at: number;
  readonly owner: unknown;
  previous: Timeout | undefined;
  next: Timeout | undefined;
  armed: boolean;
}

/**
 * Timeouts that all have the same length, and so fall due in the order in which they were armed: a list, and one timer for
 * its head. Arming and disarming cost a few nanoseconds where a timer of its own for each call costs hundreds.
 */
export class TimerQueue<T extends object> {
  readonly durationMs: number;
  readonly #expired: (owner: T) => void;
  readonly #runtime: Runtime;
  #head: Timeout | undefined;
  #tail: Timeout | undefined;
  #cancel: (() => void) | undefined;

  /** `expired` is told whose time is up: one function for all, since one closure for each call would cost more than the timer. */
  constructor(durationMs: number, runtime: Runtime, expired: (owner: T) => void) {
    this.durationMs = durationMs;
    this.#expired = expired;
    this.#runtime = runtime;
  }

  /** `now` is the runtime's clock, read by the caller for several purposes. */
  arm(now: number, owner: T): Timeout {
    const timeout: Timeout = { at: now + this.durationMs, owner, previous: this.#tail, next: undefined, armed: true };
    if (this.#tail === undefined) this.#head = timeout;
    else this.#tail.next = timeout;
    this.#tail = timeout;
    this.#cancel ??= this.#runtime.after(this.durationMs, this.#wake);
    return timeout;
  }

  disarm(timeout: Timeout): void {
    if (!timeout.armed) return;
    timeout.armed = false;
    if (timeout.previous === undefined) this.#head = timeout.next;
    else timeout.previous.next = timeout.next;
    if (timeout.next === undefined) this.#tail = timeout.previous;
    else timeout.next.previous = timeout.previous;
    // One that is kept, by a body that is read for hours, must not keep those that came after it.
    timeout.previous = timeout.next = undefined;
  }

  /** The timer outlives the timeouts that were disarmed before it: this ends it. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #wake = (): void => {
    const now = this.#runtime.now();
    this.#cancel = undefined;
    while (this.#head !== undefined && this.#head.at <= now) {
      const due = this.#head;
      this.disarm(due);
      this.#expired(due.owner as T);
    }
    // What `expired` armed has set a timer of its own, unless there was somebody left before it.
    if (this.#head !== undefined) this.#cancel ??= this.#runtime.after(this.#head.at - now, this.#wake);
  };
}
