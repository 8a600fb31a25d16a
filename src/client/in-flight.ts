import type { Call } from '../core/call.js';
import { FairleadError } from '../core/errors.js';
import type { Runtime } from '../core/runtime.js';

/** The calls that have begun and not ended: what `close()` waits for. */
export class InFlight {
  readonly #calls = new Set<Call>();
  #drained: (() => void) | undefined;

  get size(): number {
    return this.#calls.size;
  }

  add(call: Call): void {
    this.#calls.add(call);
  }

  delete(call: Call): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#drained?.();
  }

  /** Resolves when none is left; after `timeoutMs` the rest is cancelled. */
  async drain(timeoutMs: number, runtime: Runtime): Promise<void> {
    if (this.#calls.size === 0) return;
    const drained = new Promise<void>(resolve => (this.#drained = resolve));
    const disarm = runtime.after(timeoutMs, () => this.#cancelAll(timeoutMs));
    await drained;
    disarm();
  }

  #cancelAll(timeoutMs: number): void {
    for (const { service, cancellation } of this.#calls) {
      const message = `${service}: the client was closed, and this call did not end within ${timeoutMs} ms`;
      cancellation.cancel(new FairleadError('CLIENT_CLOSED', message, { service }));
    }
  }
}
