import { guard } from '../../core/guard.js';
import { FairleadError } from '../../core/errors.js';
import { toInstance, type InstanceInput, type InstancePatch, type ServiceInstance } from '../../core/instance.js';
import type { Registration, RegistrationEvent } from '../../core/registry.js';

/** What a registration may do to the registry's list. */
export interface Listing {
  /** Throws when the registry cannot be reached. */
  replace(instance: ServiceInstance): void;
  remove(): void;
}

type Listener = (cause?: unknown) => void;

/**
 * One entry's owner.
 *
 * ```
 *  registered ── another took its id, or set() replaced it ──► lost
 *      └────────────── deregister() or close() ◄────────────────┘ ──► closed
 * ```
 */
export class MemoryRegistration implements Registration {
  readonly id: string;
  readonly service: string;
  #state: Registration['state'] = 'registered';
  #input: InstanceInput;
  readonly #listing: Listing;
  readonly #listeners = new Map<RegistrationEvent, Set<{ readonly listener: Listener }>>();

  constructor(input: InstanceInput, { id, service }: ServiceInstance, listing: Listing) {
    this.id = id;
    this.service = service;
    this.#input = { ...input, id };
    this.#listing = listing;
  }

  get state(): Registration['state'] {
    return this.#state;
  }

  on(type: RegistrationEvent, listener: Listener): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    const box = { listener };
    this.#listeners.set(type, listeners.add(box));
    return () => void listeners.delete(box);
  }

  async update(patch: InstancePatch): Promise<void> {
    const { service, id } = this;
    const input = { ...this.#input, ...patch, id, service };
    const instance = toInstance(input);
    await Promise.resolve();
    if (this.#state !== 'registered')
      throw new FairleadError('REGISTRATION_FAILED', `${service}: the registration of ${id} is ${this.#state}`, {
        service,
      });
    this.#listing.replace(instance);
    this.#input = input;
  }

  async deregister(): Promise<void> {
    await Promise.resolve();
    if (this.#state === 'registered') this.#listing.remove();
    this.close();
  }

  /** The registry's side: the entry is gone. */
  lose(cause: Error): void {
    if (this.#state !== 'registered') return;
    this.#state = 'lost';
    for (const { listener } of [...(this.#listeners.get('lost') ?? [])]) guarded(() => listener(cause));
  }

  close(): void {
    this.#state = 'closed';
    this.#listeners.clear();
  }
}

const guarded = guard('a listener of a registration');
