import type { ClientEvent } from '../../../src/core/events.js';
import { latest, type Latest } from '../../../src/core/latest.js';
import type { Registry, WatchContext } from '../../../src/core/registry.js';
import { DiscoveryClient, type DiscoveryOptions } from '../../../src/discovery/discovery-client.js';
import type { DiscoveredSet } from '../../../src/discovery/discovery-client.js';
import { memoryRegistry } from '../../../src/registries/memory.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';

/** A registry that says whatever a test makes it say, sense or not, and remembers what it was asked. */
export class ScriptedRegistry implements Registry {
  readonly name = 'scripted';
  readonly contexts: WatchContext[] = [];
  /** What each watch does when it is begun; a thrown error is the watch's. */
  onWatch: () => void = () => undefined;
  onDiscover: (signal: AbortSignal) => unknown = () => [];
  reads = 0;
  #current: Latest<unknown> | undefined;

  get watches(): number {
    return this.contexts.length;
  }

  watch(_service: string, context: WatchContext): AsyncIterable<never> {
    this.contexts.push(context);
    this.#current = latest<unknown>(context.signal);
    this.onWatch();
    return this.#current.iterable as AsyncIterable<never>;
  }

  async discover(_service: string, context: Partial<WatchContext> = {}): Promise<never> {
    this.reads += 1;
    return (await this.onDiscover(context.signal!)) as never;
  }

  say(value: unknown): void {
    this.#current?.push(value);
  }

  breakDown(error: unknown): void {
    this.#current?.fail(error);
  }

  async close(): Promise<void> {}
}

const eventsOf = (options: Partial<DiscoveryOptions>) => {
  const events: ClientEvent[] = [];
  const runtime = testRuntime();
  return {
    events,
    runtime,
    options: { runtime, onEvent: (event: ClientEvent) => void events.push(event), ...options },
  };
};

export const onScript = (given: Partial<DiscoveryOptions> = {}) => {
  const registry = new ScriptedRegistry();
  const { events, runtime, options } = eventsOf(given);
  return { registry, events, runtime, discovery: new DiscoveryClient({ registry, ...options }) };
};

export const onMemory = (given: Partial<DiscoveryOptions> = {}) => {
  const registry = memoryRegistry();
  const { events, runtime, options } = eventsOf(given);
  return { registry, events, runtime, discovery: new DiscoveryClient({ registry, ...options }) };
};

/** An observer that remembers: 'a b (c)' for a and b listed and c held. */
export const recorder = () => {
  const sets: string[] = [];
  const changed = ({ instances, held, unknown }: DiscoveredSet): void => {
    const heldIds = [...held].map(identity => identity.split(' ')[1]);
    sets.push(unknown ?? instances.map(({ id }) => (heldIds.includes(id) ? `(${id})` : id)).join(' '));
  };
  return { sets, changed };
};

export const input = (id: string, more: object = {}) => ({ id, service: 'orders', address: id, port: 80, ...more });
export const inputs = (ids: string) =>
  ids
    .split(' ')
    .filter(Boolean)
    .map(id => input(id));
export const typesOf = (events: readonly ClientEvent[]) => events.map(({ type }) => type);
