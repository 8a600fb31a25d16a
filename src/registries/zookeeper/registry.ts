import { toInstance, type InstanceInput, type ServiceInstance } from '../../core/instance.js';
import type { RegisterOptions, Registrar, Registration, Registry, WatchContext } from '../../core/registry.js';
import { requireNumber, requireSegment, unknownKey } from '../shared/checks.js';
import { KeptRegistration } from '../shared/kept-registration.js';
import { Connector } from './connector.js';
import { ZooKeeperEntry } from './entry.js';
import { resolveOptions, type Settings, type ZooKeeperRegistryOptions } from './options.js';
import { Session } from './session.js';
import { nodeName, writeValue } from './value.js';
import { readService, watchService, type Reader } from './watch.js';

export interface ZooKeeperRegistry extends Registry, Registrar {
  /**
   * Registers an instance as an ephemeral node, which ends with this process's session, and keeps it there. While
   * ZooKeeper cannot be reached it goes on trying, until `options.signal` aborts; it rejects with `REGISTRATION_FAILED`
   * when ZooKeeper refuses (no right to write there, a lasting node of that name). Who registers an id that another
   * process holds takes it over; that one is `lost` until the id is free again.
   *
   * With another `ttlMs` than the registry's `sessionTimeoutMs` it gets a session of its own: a session has one timeout.
   *
   * @throws TypeError or RangeError (as a rejection) for an instance or a TTL that could not work
   */
  register(instance: InstanceInput, options?: RegisterOptions): Promise<Registration>;
}

/**
 * ZooKeeper as a registry, through the `node-zookeeper-client` package (an optional peer:
 * `npm install node-zookeeper-client`). One session serves all watches and registrations.
 *
 * ```ts
 * const registry = zookeeperRegistry({ servers: 'zk1:2181,zk2:2181,zk3:2181' });
 * const registration = await registry.register({ service: 'users', address: '10.0.0.7', port: 8080 });
 * ```
 */
export const zookeeperRegistry = (options?: ZooKeeperRegistryOptions): ZooKeeperRegistry => new OneZooKeeper(options);

const REGISTER_OPTIONS = { signal: true, ttlMs: true };

interface Kept {
  /** Of the node. */
  readonly path: string;
  readonly registration: KeptRegistration;
}

class OneZooKeeper implements ZooKeeperRegistry {
  readonly name = 'zookeeper';
  readonly #settings: Settings;
  readonly #connector: Connector;
  /** By their timeout. */
  readonly #sessions = new Map<number, Session>();
  readonly #kept = new Set<Kept>();
  #closing: Promise<void> | undefined;

  constructor(options: ZooKeeperRegistryOptions | undefined) {
    this.#settings = resolveOptions(options);
    this.#connector = new Connector(this.#settings);
    this.#session();
  }

  watch(service: string, context: WatchContext): AsyncIterable<readonly ServiceInstance[]> {
    return watchService(this.#readerOf(service), context);
  }

  async discover(service: string, context: Partial<WatchContext> = {}): Promise<readonly ServiceInstance[]> {
    return readService(this.#readerOf(service), context);
  }

  async register(input: InstanceInput, options: RegisterOptions = {}): Promise<Registration> {
    const unknown = unknownKey(options, REGISTER_OPTIONS);
    if (unknown !== undefined)
      throw new TypeError(
        `register: ${unknown}: no such option; there are ${Object.keys(REGISTER_OPTIONS).join(', ')}`,
      );
    const { signal, ttlMs = this.#settings.sessionTimeoutMs } = options;
    requireNumber('register: ttlMs', ttlMs, { min: 1_000, max: 3_600_000 });
    const instance = toInstance(input);
    requireSegment('service', instance.service);
    requireSegment('id', instance.id);
    writeValue(instance);
    const session = this.#session(ttlMs);
    session.refuseWhenClosed();
    const kept = this.#keep({ session, instance, input, ttlMs });
    await kept.registration.start(signal);
    for (const other of this.#kept) if (other !== kept && other.path === kept.path) other.registration.supersede();
    return kept.registration;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  #keep(given: { session: Session; instance: ServiceInstance; input: InstanceInput; ttlMs: number }): Kept {
    const { session, instance, input, ttlMs } = given;
    const parent = this.#pathOf(instance.service);
    const release = session.hold();
    const registration = new KeptRegistration({
      entry: new ZooKeeperEntry({ session, connector: this.#connector, parent, id: instance.id }),
      ...{ input, ttlMs, pulseMs: ttlMs / 3, runtime: this.#settings.runtime },
      ended: () => {
        this.#kept.delete(kept);
        release();
      },
    });
    const kept = { registration, path: `${parent}/${nodeName(instance.id)}` };
    this.#kept.add(kept);
    return kept;
  }

  async #close(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    // Registrations first: what they have under way is then theirs to end.
    const ended = [...this.#kept].map(({ registration }) => registration.deregister());
    for (const session of sessions) session.wind();
    await Promise.all(ended);
    await Promise.all(sessions.map(session => session.close()));
  }

  #readerOf(service: string): Reader {
    requireSegment('service', service);
    return { session: this.#session(), service, path: this.#pathOf(service) };
  }

  #pathOf(service: string): string {
    return `${this.#settings.prefix}/${nodeName(service)}`;
  }

  #session(timeoutMs = this.#settings.sessionTimeoutMs): Session {
    // A client that was given as it is has one session, whatever is asked for.
    const key = typeof this.#settings.client === 'object' ? 0 : timeoutMs;
    const session = this.#sessions.get(key) ?? new Session(this.#connector, timeoutMs);
    this.#sessions.set(key, session);
    return session;
  }
}
