import { channel } from 'node:diagnostics_channel';
import { describe, isFairleadError } from '../core/errors.js';
import { guard, type Guarded } from '../core/guard.js';
import type { Runtime } from '../core/runtime.js';

/**
 * - `INIT`           warming up and not registered yet: nobody can find it
 * - `READY`          in the registry
 * - `SHUTTING_DOWN`  out of the registry; answers who still calls, and finishes what is in flight
 * - `TERMINATED`     served its last request, released everything
 */
export type ServiceState = 'INIT' | 'READY' | 'SHUTTING_DOWN' | 'TERMINATED';

/** Where something went wrong. */
export type LifecyclePhase = 'server' | 'ready' | 'register' | 'deregister' | 'drain' | 'release';

interface Base {
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a registered service tells of its life. */
export type LifecycleEvent = Base &
  (
    | { readonly type: 'state'; readonly state: ServiceState; readonly from: ServiceState }
    /** The entry is in the registry. */
    | { readonly type: 'registration.made'; readonly id: string; readonly address: string; readonly port: number }
    /** Not in the registry yet, though nothing else is missing: told after 5 s, 10 s, 20 s and so on. */
    | { readonly type: 'registration.late'; readonly waitedMs: number }
    /** The entry is gone, or not confirmed any more; the registry's adapter puts it back. */
    | { readonly type: 'registration.lost'; readonly id: string; readonly cause: unknown }
    | { readonly type: 'registration.restored'; readonly id: string }
    /** All requests have ended; `cut`: those that had not within `drainMs`. */
    | { readonly type: 'server.drained'; readonly durationMs: number; readonly cut: number }
    /** `retryInMs`: it is tried again by itself, after that many ms. */
    | {
        readonly type: 'error';
        readonly phase: LifecyclePhase;
        readonly error: unknown;
        readonly retryInMs?: number | undefined;
      }
  );

export type LifecycleEventType = LifecycleEvent['type'];
export type LifecycleEventOf<T extends LifecycleEventType> = Extract<LifecycleEvent, { readonly type: T }>;
export type LifecycleHappening = LifecycleEvent extends infer E
  ? E extends LifecycleEvent
    ? Omit<E, keyof Base>
    : never
  : never;

type AnyListener = (event: LifecycleEvent) => void;

const TYPES: Readonly<Record<LifecycleEventType, true>> = {
  state: true,
  'registration.made': true,
  'registration.late': true,
  'registration.lost': true,
  'registration.restored': true,
  'server.drained': true,
  error: true,
};
const LIFECYCLE = channel('fairlead:lifecycle');

export interface Audience {
  readonly service: string;
  readonly runtime: Runtime;
  readonly onEvent: AnyListener | undefined;
  /** Tells people of an error that no listener was there for. */
  warn(message: string): void;
}

/** Hands events to listeners and to the channel `fairlead:lifecycle` of node:diagnostics_channel. */
export class LifecycleEvents {
  readonly #audience: Audience;
  readonly #guarded: Guarded;
  readonly #listeners = new Map<LifecycleEventType, Set<{ readonly listener: AnyListener }>>();
  /** An outage brings the same error with every heartbeat: people read it once. */
  readonly #warned = new Set<LifecyclePhase>();

  constructor(audience: Audience) {
    this.#audience = audience;
    this.#guarded = guard(`a listener of the lifecycle of ${audience.service}`);
  }

  on<T extends LifecycleEventType>(type: T, listener: (event: LifecycleEventOf<T>) => void): () => void {
    if (!Object.hasOwn(TYPES, type))
      throw new TypeError(`on: expected ${Object.keys(TYPES).join(', ')}, got ${String(type)}`);
    if (typeof listener !== 'function') throw new TypeError(`on: expected a listener, got ${typeof listener}`);
    const listeners = this.#listeners.get(type) ?? new Set();
    const entry = { listener: listener as AnyListener };
    this.#listeners.set(type, listeners.add(entry));
    return () => void listeners.delete(entry);
  }

  readonly emit = (happening: LifecycleHappening): void => {
    const { service, runtime, onEvent } = this.#audience;
    const event: LifecycleEvent = { ...happening, service, at: runtime.wallNow() };
    const listeners = [...(this.#listeners.get(event.type) ?? [])];
    this.#guarded(() => onEvent?.(event));
    for (const { listener } of listeners) this.#guarded(() => listener(event));
    if (LIFECYCLE.hasSubscribers) LIFECYCLE.publish(event);
    const heard = onEvent !== undefined || listeners.length > 0 || LIFECYCLE.hasSubscribers;
    if (event.type !== 'error' || heard || this.#warned.has(event.phase)) return;
    this.#warned.add(event.phase);
    const { error, phase } = event;
    this.#audience.warn(isFairleadError(error) ? error.message : `${service}: ${phase}: ${describe(error)}`);
  };
}
