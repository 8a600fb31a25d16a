import { FairleadError } from '../core/errors.js';
import { holdProcess } from '../core/pause.js';
import type { Runtime } from '../core/runtime.js';

export const closed = (service: string): FairleadError =>
  new FairleadError('CLIENT_CLOSED', `${service}: the client is closed`, { service });

/** Who waits for the first instance. */
export class Readiness {
  readonly #service: string;
  readonly #runtime: Runtime;
  readonly #waiting = new Set<() => void>();
  #state: 'waiting' | 'known' | 'closed' = 'waiting';

  constructor(service: string, runtime: Runtime) {
    this.#service = service;
    this.#runtime = runtime;
  }

  known(): void {
    if (this.#state === 'waiting') this.#become('known');
  }

  close(): void {
    this.#become('closed');
  }

  wait(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#state !== 'waiting') return this.#answer();
    return new Promise((resolve, reject) => {
      const release = holdProcess(this.#runtime);
      const told = (): void => {
        release();
        signal?.removeEventListener('abort', aborted);
        resolve(this.#answer());
      };
      const aborted = (): void => {
        release();
        this.#waiting.delete(told);
        reject(signal?.reason);
      };
      this.#waiting.add(told);
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  #answer(): Promise<void> {
    return this.#state === 'known' ? Promise.resolve() : Promise.reject(closed(this.#service));
  }

  #become(state: 'known' | 'closed'): void {
    this.#state = state;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    waiting.forEach(tell => tell());
  }
}
