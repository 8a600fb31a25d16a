import { channel, type Channel } from 'node:diagnostics_channel';
import type { ClientEvent, Emitter, EventOf, EventType, Happening } from '../core/events.js';
import { guard, type Guarded } from '../core/guard.js';
import { harmlessEvent } from '../core/harmless.js';
import type { Runtime } from '../core/runtime.js';

/** `fairlead:call` carries the call's events, and so on: for observers that have no client at hand. */
const CALL = channel('fairlead:call');
const ATTEMPT = channel('fairlead:attempt');
const INSTANCE = channel('fairlead:instance');
const BREAKER = channel('fairlead:breaker');
const REGISTRY = channel('fairlead:registry');
const CLIENT = channel('fairlead:client');

type Noun = EventType extends `${infer N}.${string}` ? N : never;

/** By the first word of the event's type. */
const CHANNEL_OF: Readonly<Record<Noun, Channel>> = {
  call: CALL,
  attempt: ATTEMPT,
  body: ATTEMPT,
  instance: INSTANCE,
  instances: INSTANCE,
  panic: INSTANCE,
  breaker: BREAKER,
  registry: REGISTRY,
  client: CLIENT,
};

type AnyListener = (event: ClientEvent) => void;

/** Hands a client's events to its listeners and to `node:diagnostics_channel`. Nobody listening costs one check. */
export class EventHub implements Emitter {
  readonly #service: string;
  readonly #runtime: Runtime;
  readonly #listeners = new Map<EventType, Set<AnyListener>>();
  readonly #onEvent: AnyListener | undefined;
  readonly #guarded: Guarded;
  #listening: boolean;

  constructor(service: string, { runtime, onEvent }: { runtime: Runtime; onEvent?: AnyListener | undefined }) {
    this.#service = service;
    this.#guarded = guard(`a listener of the client for ${service}`);
    this.#runtime = runtime;
    this.#onEvent = onEvent;
    this.#listening = onEvent !== undefined;
  }

  get emit(): ((happening: Happening) => void) | undefined {
    return this.#listening || hasSubscribers() ? this.#emit : undefined;
  }

  on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener as AnyListener));
    this.#listening = true;
    return () => this.off(type, listener);
  }

  once<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    const stop = this.on(type, event => {
      stop();
      listener(event);
    });
    return stop;
  }

  off<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): void {
    this.#listeners.get(type)?.delete(listener as AnyListener);
    this.#listening = this.#onEvent !== undefined || [...this.#listeners.values()].some(set => set.size > 0);
  }

  readonly #emit = (happening: Happening): void => {
    const listeners = this.#listeners.get(happening.type);
    // Who listens for a breaker must not pay for the two events that each call has.
    if (this.#onEvent === undefined && !listeners?.size && !hasSubscribers()) return;
    const event = { ...harmlessEvent(happening), service: this.#service, at: this.#runtime.wallNow() } as ClientEvent;
    this.#guarded(() => this.#onEvent?.(event));
    for (const listener of [...(listeners ?? [])]) this.#guarded(() => listener(event));
    const target = CHANNEL_OF[event.type.slice(0, event.type.indexOf('.')) as Noun];
    if (target.hasSubscribers) target.publish(event);
  };
}

/** Read twice in each call: all of them together take less than a nanosecond, since they are constants. */
const hasSubscribers = (): boolean =>
  CALL.hasSubscribers ||
  ATTEMPT.hasSubscribers ||
  INSTANCE.hasSubscribers ||
  BREAKER.hasSubscribers ||
  REGISTRY.hasSubscribers ||
  CLIENT.hasSubscribers;
