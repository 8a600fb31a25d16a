import type { Runtime } from '../core/runtime.js';

/**
 * One timer that can be set again and again, for an instant instead of a duration. Timers wake early (by rounding, or
 * because they cannot wait longer than 25 days): then it goes on waiting.
 */
export class Alarm {
  readonly #runtime: Runtime;
  readonly #run: () => void;
  #at = Infinity;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(runtime: Runtime, run: () => void) {
    this.#runtime = runtime;
    this.#run = run;
  }

  get pending(): boolean {
    return this.#at !== Infinity;
  }

  /** Monotonic ms; replaces what was set before. Infinity = never. */
  set(at: number): void {
    if (this.#closed || at === this.#at) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = at;
    if (at === Infinity) return;
    this.#cancel = this.#runtime.after(Math.max(0, at - this.#runtime.now()), () => this.#wake());
  }

  /** For good. */
  close(): void {
    this.set(Infinity);
    this.#closed = true;
  }

  #wake(): void {
    const at = this.#at;
    this.#at = Infinity;
    this.#cancel = undefined;
    if (this.#runtime.now() < at) this.set(at);
    else this.#run();
  }
}
