import { AsyncLocalStorage } from 'node:async_hooks';
import type { Runtime } from './runtime.js';

/** What a service's inbound request hands on to the calls made while it is served. */
export interface InboundContext {
  /** Monotonic ms on `runtime`'s clock. */
  readonly deadlineAt: number;
  readonly runtime: Runtime;
}

interface Shared {
  readonly context: AsyncLocalStorage<InboundContext>;
  readonly recordKey: symbol;
}

/**
 * State that all copies of fairlead in a process agree on: the ESM and the CJS build, and duplicate installs.
 * The number belongs to the shape: a copy that needs another shape takes another key.
 */
const KEY = Symbol.for('fairlead.shared.1');
const host = globalThis as { [KEY]?: Shared };

export const shared: Shared = (host[KEY] ??= {
  context: new AsyncLocalStorage<InboundContext>(),
  recordKey: Symbol.for('fairlead.record'),
});
