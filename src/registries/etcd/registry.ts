import { toInstance, type InstanceInput, type ServiceInstance } from '../../core/instance.js';
import type { RegisterOptions, Registrar, Registration, Registry, WatchContext } from '../../core/registry.js';
import { requireNumber, requireSegment, unknownKey } from '../shared/checks.js';
import { KeptRegistration } from '../shared/kept-registration.js';
import { Connection } from './connection.js';
import { prefixOf, valueOf } from './layout.js';
import { LeasedEntry } from './leased-entry.js';
import { resolveOptions, type EtcdRegistryOptions } from './options.js';
import { readService, watchService } from './watch.js';

export interface EtcdRegistry extends Registry, Registrar {
  /**
   * Writes an instance under a lease of its own and keeps it there. While etcd cannot be reached it goes on trying, until
   * `options.signal` aborts; it rejects with `REGISTRATION_FAILED` when etcd refuses (a user that may not, a wrong
   * password). `ttlMs` is rounded up to whole seconds, and a server may grant no less than 2 s.
   *
   * @throws TypeError or RangeError (as a rejection) for an instance or a TTL that could not work
   */
  register(instance: InstanceInput, options?: RegisterOptions): Promise<Registration>;
}

/**
 * etcd as a registry, through the `etcd3` package (an optional peer: `npm install etcd3`): one key for each instance,
 * `/services/NAME/ID`, whose value is JSON; plain `host:port` is read too.
 *
 * `watch` and `discover` list all instances with their status, so whoever reads them chooses (`includeWarning`).
 *
 * ```ts
 * const registry = etcdRegistry({ endpoints: ['http://10.0.0.1:2379', 'http://10.0.0.2:2379', 'http://10.0.0.3:2379'] });
 * const registration = await registry.register({ service: 'users', address: '10.0.0.7', port: 8080 });
 * ```
 */
export const etcdRegistry = (options?: EtcdRegistryOptions): EtcdRegistry => new OneEtcd(options);

const REGISTER_OPTIONS = { signal: true, ttlMs: true };

class OneEtcd implements EtcdRegistry {
  readonly name = 'etcd';
  readonly #connection: Connection;
  readonly #registrations = new Map<KeptRegistration, string>();
  #closing: Promise<void> | undefined;

  constructor(options: EtcdRegistryOptions | undefined) {
    this.#connection = new Connection(resolveOptions(options));
  }

  watch(service: string, context: WatchContext): AsyncIterable<readonly ServiceInstance[]> {
    requireSegment('service', service);
    return watchService(this.#connection, service, context);
  }

  async discover(service: string, context: Partial<WatchContext> = {}): Promise<readonly ServiceInstance[]> {
    requireSegment('service', service);
    return readService(this.#connection, service, context);
  }

  async register(input: InstanceInput, options: RegisterOptions = {}): Promise<Registration> {
    const unknown = unknownKey(options, REGISTER_OPTIONS);
    if (unknown !== undefined)
      throw new TypeError(
        `register: ${unknown}: no such option; there are ${Object.keys(REGISTER_OPTIONS).join(', ')}`,
      );
    const { signal, ttlMs = 15_000 } = options;
    requireNumber('register: ttlMs', ttlMs, { min: 1_000, max: 86_400_000 });
    const instance = toInstance(input);
    requireSegment('service', instance.service);
    requireSegment('id', instance.id);
    valueOf(instance);
    this.#connection.refuseWhenClosed();
    return this.#keep(input, instance, { signal, ttlMs });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #keep(
    input: InstanceInput,
    { service, id }: ServiceInstance,
    { signal, ttlMs }: { readonly signal: AbortSignal | undefined; readonly ttlMs: number },
  ): Promise<Registration> {
    const connection = this.#connection;
    const key = prefixOf(connection.settings.prefix, service) + id;
    const release = connection.hold();
    const registration = new KeptRegistration({
      entry: new LeasedEntry({ connection, service, key, ttlMs }),
      input,
      ttlMs,
      pulseMs: ttlMs / 3,
      runtime: connection.settings.runtime,
      ended: () => {
        this.#registrations.delete(registration);
        release();
      },
    });
    this.#registrations.set(registration, key);
    await registration.start(signal);
    for (const [other, itsKey] of this.#registrations) if (other !== registration && itsKey === key) other.supersede();
    return registration;
  }

  async #close(): Promise<void> {
    // Registrations first: what they have under way is then theirs to end.
    const ended = [...this.#registrations.keys()].map(registration => registration.deregister());
    this.#connection.close();
    await Promise.all(ended);
    this.#connection.disconnect();
  }
}
