import type { EventEmitter } from 'node:events';
import type { Guarded } from '../core/guard.js';
import type { Runtime } from '../core/runtime.js';

export interface LiveStatusParts {
  /** Applies the time that passed. */
  readonly refresh: () => void;
  readonly runtime: Runtime;
  /** How often `snapshot` is emitted, in ms. */
  readonly everyMs: number;
  readonly guarded: Guarded;
}

/**
 * Makes opossum's status right whenever somebody looks, though no timer turns its window; and emits its `snapshot`, which
 * Hystrix streams live on, as long as somebody listens: then, and only then, there is a timer. Returns how to end it.
 */
export const liveStatus = (
  status: EventEmitter,
  { refresh, runtime, everyMs, guarded }: LiveStatusParts,
): (() => void) => {
  for (const name of ['stats', 'window']) {
    const get = (): unknown => {
      refresh();
      return unrefreshed(status, name);
    };
    Object.defineProperty(status, name, { get, configurable: true });
  }
  let cancel: (() => void) | undefined;
  const tick = (): void => {
    cancel = undefined;
    if (status.listenerCount('snapshot') === 0) return;
    guarded(() => status.emit('snapshot', (status as EventEmitter & { readonly stats: unknown }).stats));
    cancel = runtime.after(everyMs, tick);
  };
  status.on('newListener', name => {
    if (name === 'snapshot') cancel ??= runtime.after(everyMs, tick);
  });
  return () => cancel?.();
};

/** What opossum itself says, whether or not the time that passed was applied. */
export const unrefreshed = <T>(status: EventEmitter, name: string): T =>
  Reflect.get(Object.getPrototypeOf(status) as object, name, status) as T;
