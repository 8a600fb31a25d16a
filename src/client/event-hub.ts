import { channel } from 'node:diagnostics_channel';
import type { ClientEvent, Emitter, EventOf, EventType, Happening } from '../core/events.js';
import { guard, type Guarded } from '../core/guard.js';
import type { Runtime } from '../core/runtime.js';

/** `fairlead:call` carries the call's events, and so on: for observers that have no client at hand. */
const CHANNELS = {
  call: channel('fairlead:call'),
  attempt: channel('fairlead:attempt'),
  instance: channel('fairlead:instance'),
  breaker: channel('fairlead:breaker'),
  registry: channel('fairlead:registry'),
};
const CHANNEL_OF: Record<string, keyof typeof CHANNELS> = {
  call: 'call',
  attempt: 'attempt',
  body: 'attempt',
  instance: 'instance',
  instances: 'instance',
  panic: 'instance',
  breaker: 'breaker',
  registry: 'registry',
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
    const event = { ...happening, service: this.#service, at: this.#runtime.wallNow() } as ClientEvent;
    this.#guarded(() => this.#onEvent?.(event));
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) this.#guarded(() => listener(event));
    const target = CHANNELS[CHANNEL_OF[event.type.slice(0, event.type.indexOf('.'))] ?? 'call'];
    if (target.hasSubscribers) target.publish(event);
  };
}

const hasSubscribers = (): boolean =>
  CHANNELS.call.hasSubscribers ||
  CHANNELS.attempt.hasSubscribers ||
  CHANNELS.instance.hasSubscribers ||
  CHANNELS.breaker.hasSubscribers ||
  CHANNELS.registry.hasSubscribers;
