import { channel } from 'node:diagnostics_channel';
import type { ClientEvent, Emitter, EventOf, EventType, Happening } from '../core/events.js';
import type { Runtime } from '../core/runtime.js';

/** `fairlead:call` carries the call's events, and so on: for observers that have no client at hand. */
const CHANNELS = {
  call: channel('fairlead:call'),
  attempt: channel('fairlead:attempt'),
  instance: channel('fairlead:instance'),
  registry: channel('fairlead:registry'),
};
const CHANNEL_OF: Record<string, keyof typeof CHANNELS> = {
  call: 'call',
  attempt: 'attempt',
  body: 'attempt',
  instance: 'instance',
  instances: 'instance',
  panic: 'instance',
  registry: 'registry',
};

type AnyListener = (event: ClientEvent) => void;

/** Hands a client's events to its listeners and to `node:diagnostics_channel`. Nobody listening costs one check. */
export class EventHub implements Emitter {
  readonly #service: string;
  readonly #runtime: Runtime;
  readonly #listeners = new Map<EventType, Set<AnyListener>>();
  readonly #onEvent: AnyListener | undefined;
  #listening: boolean;
  #warned = false;

  constructor(service: string, { runtime, onEvent }: { runtime: Runtime; onEvent?: AnyListener | undefined }) {
    this.#service = service;
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
    if (this.#onEvent !== undefined) this.#tell(this.#onEvent, event);
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) this.#tell(listener, event);
    const target = CHANNELS[CHANNEL_OF[event.type.slice(0, event.type.indexOf('.'))] ?? 'call'];
    if (target.hasSubscribers) target.publish(event);
  };

  /** A listener with a fault must not fail a call; it is told once, as a warning of the process. */
  #tell(listener: AnyListener, event: ClientEvent): void {
    try {
      const returned: unknown = listener(event);
      if (returned instanceof Promise) returned.catch((error: unknown) => this.#warn(event, error));
    } catch (error) {
      this.#warn(event, error);
    }
  }

  #warn(event: ClientEvent, error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`a listener for ${event.type} of ${this.#service} threw: ${message}`, 'FairleadWarning');
  }
}

const hasSubscribers = (): boolean =>
  CHANNELS.call.hasSubscribers ||
  CHANNELS.attempt.hasSubscribers ||
  CHANNELS.instance.hasSubscribers ||
  CHANNELS.registry.hasSubscribers;
