import { FairleadError } from '../core/errors.js';
import { holdProcess } from '../core/pause.js';
import type { Runtime } from '../core/runtime.js';
import type { LogicalCall } from './logical-call.js';

/** The calls that have begun and not ended: what `close()` waits for. */
export class InFlight {
  /** A list through the calls themselves: joining and leaving it allocates nothing. */
  #newest: LogicalCall | undefined;
  #size = 0;
  #drained: (() => void) | undefined;

  get size(): number {
    return this.#size;
  }

  add(call: LogicalCall): void {
    call.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = call;
    this.#newest = call;
    this.#size += 1;
  }

  delete(call: LogicalCall): void {
    const { older, newer } = call;
    if (older !== undefined) older.newer = newer;
    if (newer !== undefined) newer.older = older;
    else this.#newest = older;
    call.older = call.newer = undefined;
    this.#size -= 1;
    if (this.#size === 0) this.#drained?.();
  }

  /** Resolves when none is left; after `timeoutMs` the rest is cancelled. */
  async drain(timeoutMs: number, runtime: Runtime): Promise<void> {
    if (this.#size === 0) return;
    const drained = new Promise<void>(resolve => (this.#drained = resolve));
    const disarm = runtime.after(timeoutMs, () => this.#cancelAll(timeoutMs));
    const release = holdProcess(runtime);
    await drained;
    release();
    disarm();
  }

  #cancelAll(timeoutMs: number): void {
    for (let call = this.#newest, next; call !== undefined; call = next) {
      next = call.older;
      const { service } = call;
      const message = `${service}: the client was closed, and this call did not end within ${timeoutMs} ms`;
      call.cancellation.cancel(new FairleadError('CLIENT_CLOSED', message, { service }));
    }
  }
}
