import { AsyncLocalStorage } from 'node:async_hooks';
import type { Budget } from './budget.js';
import type { Runtime } from './runtime.js';

/**
 * How much a call matters, so that a server short of capacity knows what to shed first (Site Reliability Engineering,
 * chapter "Handling Overload"): lost money or users · the usual · may fail for minutes · may fail for hours.
 */
export type Criticality = 'critical-plus' | 'critical' | 'sheddable-plus' | 'sheddable';

/** What travels with calls besides the deadline. */
export interface Propagated {
  readonly criticality?: Criticality | undefined;
}

/** What a service's inbound request hands on to the calls made while it is served. */
export interface InboundContext extends Propagated {
  /** Monotonic ms on `runtime`'s clock; Infinity = none. */
  readonly deadlineAt: number;
  readonly runtime: Runtime;
  /** Calls tell their instances what is known here: somebody asked for that, by a deadline or a request that is served. */
  readonly propagates?: boolean | undefined;
  /** The address of the client that sent it; for keys of hashing balancers. It is not sent on. */
  readonly clientIp?: string | undefined;
}

interface Shared {
  readonly context: AsyncLocalStorage<InboundContext>;
  readonly recordKey: symbol;
  /** Above the budgets of all clients of the process; `undefined`: there is none. */
  processBudget?: Budget | undefined;
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
