import { toInstance, type InstanceInput } from '../../core/instance.js';
import type { Registrar, Registration, Registry, WatchContext } from '../../core/registry.js';
import type { ServiceInstance } from '../../core/instance.js';
import { AgentEntry } from './agent-entry.js';
import { requireNumber, requireSegment, unknownKey } from '../shared/checks.js';
import { Connection } from './connection.js';
import { checkOf, taggedOf, type ConsulRegisterOptions } from './definition.js';
import { resolveOptions, type ConsulRegistryOptions } from './options.js';
import { KeptRegistration } from '../shared/kept-registration.js';
import { readService, watchService, type Reader } from './watch.js';

export interface ConsulRegistry extends Registry, Registrar {
  /**
   * Registers an instance on the agent and keeps it there, by a TTL check that this process feeds, or by a check that
   * Consul makes. While Consul cannot be reached it goes on trying, until `options.signal` aborts; it rejects with
   * `REGISTRATION_FAILED` when Consul refuses (a token that may not, metadata that it does not take).
   *
   * @throws TypeError or RangeError (as a rejection) for an instance, a check or a TTL that could not work
   */
  register(instance: InstanceInput, options?: ConsulRegisterOptions): Promise<Registration>;
}

/**
 * Consul as a registry, through one agent's HTTP API and the `consul` package (an optional peer: `npm install consul`).
 *
 * `watch` and `discover` list all instances with their status, critical ones too: whoever reads them chooses
 * (`includeWarning`), and one that Consul calls critical can be told from one that is gone. An empty list is what Consul
 * says: of an unknown service, and, up to 1.10, of one that the ACL token may not read.
 *
 * ```ts
 * const registry = consulRegistry({ url: 'http://127.0.0.1:8500', token: process.env.CONSUL_HTTP_TOKEN });
 * const registration = await registry.register({ service: 'users', address: '10.0.0.7', port: 8080 });
 * ```
 */
export const consulRegistry = (options?: ConsulRegistryOptions): ConsulRegistry => new OneConsul(options);

/** Nobody tells a registrant that an agent came back without its data: an entry without heartbeats is looked up. */
const VERIFY_MS = 5_000;
const REGISTER_OPTIONS = { signal: true, ttlMs: true, check: true, taggedAddresses: true };

class OneConsul implements ConsulRegistry {
  readonly name = 'consul';
  readonly #reader: Reader;
  readonly #registrations = new Set<KeptRegistration>();
  #closing: Promise<void> | undefined;

  constructor(options: ConsulRegistryOptions | undefined) {
    const settings = resolveOptions(options);
    this.#reader = { settings, connection: new Connection(settings) };
  }

  watch(service: string, context: WatchContext): AsyncIterable<readonly ServiceInstance[]> {
    requireSegment('service', service);
    return watchService(this.#reader, service, context);
  }

  async discover(service: string, context: Partial<WatchContext> = {}): Promise<readonly ServiceInstance[]> {
    requireSegment('service', service);
    const { signal, runtime = this.#reader.settings.runtime } = context;
    const read = await readService(this.#reader, service, { index: 0n, signal, runtime });
    for (const problem of read.problems) context.report?.(problem);
    return read.instances;
  }

  async register(input: InstanceInput, options: ConsulRegisterOptions = {}): Promise<Registration> {
    const { connection, settings } = this.#reader;
    const unknown = unknownKey(options, REGISTER_OPTIONS);
    if (unknown !== undefined)
      throw new TypeError(
        `register: ${unknown}: no such option; there are ${Object.keys(REGISTER_OPTIONS).join(', ')}`,
      );
    const { signal, ttlMs = 15_000, check = { ttl: true }, taggedAddresses } = options;
    requireNumber('register: ttlMs', ttlMs, { min: 1_000, max: 86_400_000 });
    const instance = toInstance(input);
    requireSegment('service', instance.service);
    requireSegment('id', instance.id);
    checkOf(check, instance, ttlMs);
    if (taggedAddresses !== undefined) taggedOf(taggedAddresses);
    connection.refuseWhenClosed();
    const release = connection.hold();
    const entry = new AgentEntry({ id: instance.id, connection, settings, check, ttlMs, taggedAddresses });
    const registration = new KeptRegistration({
      entry,
      input,
      ttlMs,
      pulseMs: entry.ownStatus ? ttlMs / 3 : Math.min(VERIFY_MS, ttlMs / 3),
      runtime: settings.runtime,
      ended: () => {
        this.#registrations.delete(registration);
        release();
      },
    });
    this.#registrations.add(registration);
    await registration.start(signal);
    for (const other of this.#registrations)
      if (other !== registration && other.id === registration.id) other.supersede();
    return registration;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { connection } = this.#reader;
    // Registrations first: what they have under way is then theirs to end.
    const ended = [...this.#registrations].map(registration => registration.deregister());
    connection.close();
    await Promise.all(ended);
    connection.disconnect();
  }
}
