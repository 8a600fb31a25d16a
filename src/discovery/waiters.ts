import { holdProcess } from '../core/pause.js';
import type { Runtime } from '../core/runtime.js';

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Callers that wait for the same thing, each with its own bound and its own signal. Leaves nothing on a signal. */
export class Waiters<T> {
  readonly #runtime: Runtime;
  readonly #waiting = new Set<Waiter<T>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Rejects with `expired()` after `withinMs`, or with the signal's reason as soon as that aborts. */
  wait({ withinMs, expired, signal }: WaitOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = (): void => waiter.reject(signal?.reason);
      const cancelTimer = this.#runtime.after(withinMs, () => waiter.reject(expired()));
      const release = holdProcess(this.#runtime);
      const leave = (): void => {
        release();
        cancelTimer();
        signal?.removeEventListener('abort', abort);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter<T> = {
        resolve(value) {
          leave();
          resolve(value);
        },
        reject(error) {
          leave();
          reject(error);
        },
      };
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', abort);
    });
  }

  resolveAll(value: T): void {
    for (const waiter of [...this.#waiting]) waiter.resolve(value);
  }

  rejectAll(error: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.reject(error);
  }
}

export interface WaitOptions {
  readonly withinMs: number;
  readonly expired: () => unknown;
  readonly signal: AbortSignal | undefined;
}
