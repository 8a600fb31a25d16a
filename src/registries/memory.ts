import { FairleadError } from '../core/errors.js';
import { toInstance, type InstanceInput, type ServiceInstance } from '../core/instance.js';
import { latest, type Latest } from '../core/latest.js';
import type { RegisterOptions, Registrar, Registration, Registry, WatchContext } from '../core/registry.js';
import { MemoryRegistration } from './memory/registration.js';

/** An instance of a service that is named elsewhere. */
export type ListedInput = Omit<InstanceInput, 'service'> & { readonly service?: string | undefined };

export interface MemoryRegistryOptions {
  /** Listed from the start. @default none */
  readonly instances?: readonly InstanceInput[] | undefined;
}

/** A registry in the memory of this process: for tests, demos, and programs that find their instances themselves. */
export interface MemoryRegistry extends Registry, Registrar {
  /**
   * Replaces the whole set of a service at once. A bad instance throws, named by its index, and nothing changes.
   * Registrations of the service become `lost`: their entries are gone.
   */
  set(service: string, instances: readonly ListedInput[]): void;
  /** From now on it cannot be reached: watches throw, reads and registrations reject. @default error REGISTRY_UNAVAILABLE */
  fail(error?: unknown): void;
  /** Ends `fail`: the entries are as they were. */
  recover(): void;
  /** How many watches of a service are alive, as the registry sees it. */
  watching(service: string): number;
}

/** An embedded registry: watches see its changes at once. A second registration of an id takes the entry over. */
export const memoryRegistry = (options: MemoryRegistryOptions = {}): MemoryRegistry => new Memory(options);

interface Entry {
  readonly instance: ServiceInstance;
  /** Absent for what `set` listed. */
  readonly owner: MemoryRegistration | undefined;
}

interface Shelf {
  readonly entries: Map<string, Entry>;
  readonly watches: Set<Latest<readonly ServiceInstance[]>>;
}

class Memory implements MemoryRegistry {
  readonly name = 'memory';
  readonly #shelves = new Map<string, Shelf>();
  #incarnations = 0;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;

  constructor({ instances = [] }: MemoryRegistryOptions) {
    for (const instance of checkedInstances('instances', instances)) this.#put(this.#numbered(instance), undefined);
  }

  async *watch(service: string, { signal }: Pick<WatchContext, 'signal'>): AsyncGenerator<readonly ServiceInstance[]> {
    if (signal.aborted) return;
    if (this.#failure !== undefined) throw this.#failure.error;
    const sets = latest<readonly ServiceInstance[]>(signal);
    const { watches } = this.#shelf(service);
    watches.add(sets);
    sets.push(this.#list(service));
    try {
      yield* sets.iterable;
    } finally {
      watches.delete(sets);
      this.#tidy(service);
    }
  }

  async discover(service: string, { signal }: Partial<WatchContext> = {}): Promise<readonly ServiceInstance[]> {
    // Never synchronous: a program that works on memory must meet the order of events that it meets on a server.
    await Promise.resolve();
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#list(service);
  }

  async register(input: InstanceInput, { signal }: RegisterOptions = {}): Promise<Registration> {
    const instance = toInstance(input);
    await Promise.resolve();
    signal?.throwIfAborted();
    this.#mustReach(instance);
    const registration: MemoryRegistration = new MemoryRegistration(input, instance, {
      replace: next => {
        this.#mustReach(next);
        const incarnation = this.#shelf(next.service).entries.get(next.id)?.instance.incarnation;
        this.#put(Object.freeze({ ...next, incarnation }), registration);
      },
      remove: () => this.#remove(registration),
    });
    this.#put(this.#numbered({ ...instance, incarnation: undefined }), registration);
    return registration;
  }

  set(service: string, inputs: readonly ListedInput[]): void {
    const next = checkedInstances(service, inputs, service);
    const { entries } = this.#shelf(service);
    const before = [...entries.values()];
    entries.clear();
    for (const instance of next) {
      const known = before.find(entry => entry.instance.id === instance.id)?.instance.incarnation;
      const incarnation = instance.incarnation ?? known;
      entries.set(instance.id, { instance: this.#numbered({ ...instance, incarnation }), owner: undefined });
    }
    for (const { owner } of before) owner?.lose(new Error('set() replaced its entry'));
    this.#publish(service);
    this.#tidy(service);
  }

  fail(error: unknown = new FairleadError('REGISTRY_UNAVAILABLE', 'memory: the registry cannot be reached')): void {
    if (this.#closed) return;
    this.#failure = { error };
    for (const { watches } of this.#shelves.values()) watches.forEach(sets => sets.fail(error));
  }

  recover(): void {
    if (!this.#closed) this.#failure = undefined;
  }

  watching(service: string): number {
    return this.#shelves.get(service)?.watches.size ?? 0;
  }

  close(): Promise<void> {
    this.fail(new FairleadError('REGISTRY_UNAVAILABLE', 'memory: the registry is closed'));
    this.#closed = true;
    for (const { entries } of this.#shelves.values()) {
      for (const { owner } of entries.values()) owner?.close();
      entries.clear();
    }
    return Promise.resolve();
  }

  #mustReach({ service, id }: ServiceInstance): void {
    if (this.#failure === undefined) return;
    const cause = this.#failure.error;
    throw new FairleadError('REGISTRATION_FAILED', `${service}: ${id} cannot be registered`, { service, cause });
  }

  #put(instance: ServiceInstance, owner: MemoryRegistration | undefined): void {
    const { entries } = this.#shelf(instance.service);
    const before = entries.get(instance.id);
    entries.set(instance.id, { instance, owner });
    if (before?.owner !== owner) before?.owner?.lose(new Error('another registration took its id'));
    this.#publish(instance.service);
  }

  #remove({ service, id }: MemoryRegistration): void {
    this.#shelf(service).entries.delete(id);
    this.#publish(service);
    this.#tidy(service);
  }

  #list(service: string): readonly ServiceInstance[] {
    return Object.freeze([...(this.#shelves.get(service)?.entries.values() ?? [])].map(({ instance }) => instance));
  }

  #publish(service: string): void {
    const instances = this.#list(service);
    this.#shelves.get(service)?.watches.forEach(sets => sets.push(instances));
  }

  /** A number of its own for what has none. */
  #numbered(instance: ServiceInstance): ServiceInstance {
    const { incarnation = String((this.#incarnations += 1)) } = instance;
    return Object.freeze({ ...instance, incarnation });
  }

  #shelf(service: string): Shelf {
    const shelf = this.#shelves.get(service) ?? { entries: new Map<string, Entry>(), watches: new Set() };
    this.#shelves.set(service, shelf);
    return shelf;
  }

  /** Names that were asked for once must not stay for ever. */
  #tidy(service: string): void {
    const shelf = this.#shelves.get(service);
    if (shelf?.entries.size === 0 && shelf.watches.size === 0) this.#shelves.delete(service);
  }
}

const checkedInstances = (
  path: string,
  inputs: readonly ListedInput[],
  service?: string,
): readonly ServiceInstance[] => {
  if (!Array.isArray(inputs)) throw new TypeError(`${path}: expected an array of instances`);
  return (inputs as readonly ListedInput[]).map(function check(input, index) {
    try {
      return toInstance({ ...input, service: service ?? input.service } as InstanceInput);
    } catch (error) {
      const Kind = error instanceof RangeError ? RangeError : TypeError;
      throw new Kind(`${path}[${index}]: ${(error as Error).message}`, { cause: error });
    }
  });
};
