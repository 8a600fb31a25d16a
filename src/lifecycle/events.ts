import { channel } from 'node:diagnostics_channel';
import { describe, isFairleadError } from '../core/errors.js';
import { guard, type Guarded } from '../core/guard.js';
import { harmlessEvent } from '../core/harmless.js';
import type {
  LifecycleEvent,
  LifecycleEventOf,
  LifecycleEventType,
  LifecycleHappening,
  LifecyclePhase,
} from '../core/lifecycle-events.js';
import type { Runtime } from '../core/runtime.js';

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
    const event: LifecycleEvent = { ...harmlessEvent(happening), service, at: runtime.wallNow() };
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
