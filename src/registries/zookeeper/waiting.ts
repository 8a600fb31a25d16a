import type { FairleadError } from '../../core/errors.js';
import type { Runtime } from '../../core/runtime.js';
import type { Link } from './link.js';

export interface Wait {
  readonly signal?: AbortSignal | undefined;
  /** Called instead of a rejection when it takes long, if this outage was told by a rejection before; then it waits on. */
  readonly patient?: ((reason: FairleadError) => void) | undefined;
}

interface Waiter {
  resolve(link: Link): void;
  reject(reason: unknown): void;
}

/**
 * Those who wait for a connection. The first who wait long in an outage are told by a rejection. Whoever comes again after
 * that can wait until it is over, so as to be there the moment it is, and not in a pause between two tries.
 */
export class Waiting {
  readonly #runtime: Runtime;
  readonly #withinMs: number;
  readonly #late: () => FairleadError;
  readonly #waiters = new Set<Waiter>();
  #told = false;

  /** @param late makes the reason for who waited `withinMs` */
  constructor(runtime: Runtime, withinMs: number, late: () => FairleadError) {
    this.#runtime = runtime;
    this.#withinMs = withinMs;
    this.#late = late;
  }

  add({ signal, patient }: Wait): Promise<Link> {
    const told = this.#told;
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        stopTimer();
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        resolve: link => (finish(), resolve(link)),
        reject: reason => (finish(), reject(reason)),
      };
      const abort = (): void => waiter.reject(signal?.reason);
      const stopTimer = this.#runtime.after(this.#withinMs, () => {
        const reason = this.#late();
        if (patient !== undefined && told) return patient(reason);
        this.#told = true;
        waiter.reject(reason);
      });
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  resolve(link: Link): void {
    this.#told = false;
    for (const waiter of [...this.#waiters]) waiter.resolve(link);
  }

  reject(reason: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.reject(reason);
  }
}
