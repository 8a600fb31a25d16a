import { FairleadError } from '../core/errors.js';
import type { Happening } from '../core/events.js';
import { guard } from '../core/guard.js';
import type { ServiceInstance } from '../core/instance.js';
import * as check from '../core/check.js';
import { stallWatch } from '../pool/stall-watch.js';
import { toEvent, type ServiceObserver } from './observers.js';
import { checkedService, discoverySettings, type DiscoveryOptions, type DiscoverySettings } from './options.js';
import type { DiscoveryStatus } from './discovered-set.js';
import type { PickOptions } from './picker.js';
import { shareSnapshot, type SharedSnapshot } from './shared-snapshots.js';
import { Tenancy } from './tenancy.js';

export type { DiscoveredSet, DiscoveryStatus } from './discovered-set.js';
export type { ServiceObserver } from './observers.js';
export type { DiscoveryOptions } from './options.js';

export interface LookupOptions extends PickOptions {
  /** Ends the wait for a first set, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A registry that does not end its watches must not keep `close()` from ending. */
const CLOSE_MS = 1_000;

/**
 * Who is there, kept up to date: one watch for each service however many ask, the last good set while the registry is
 * down, and no belief in a set that shrinks suddenly. Service clients make their own; share one between many clients of
 * one registry, or use it alone where something else does the calling.
 *
 * ```ts
 * const discovery = new DiscoveryClient({ registry: consulRegistry() });
 * const instances = await discovery.getInstances('user-service');
 * await discovery.close();
 * ```
 */
export class DiscoveryClient {
  readonly #settings: DiscoverySettings;
  readonly #snapshot: SharedSnapshot | undefined;
  readonly #tenancies = new Map<string, Tenancy>();
  readonly #guarded = guard('a listener of a DiscoveryClient');
  #closing: Promise<void> | undefined;

  /** Nothing is asked yet. Throws a TypeError or RangeError that names the option, what was expected and what was given. */
  constructor(options: DiscoveryOptions) {
    this.#settings = discoverySettings(options);
    const { snapshotFile, runtime } = this.#settings;
    this.#snapshot = snapshotFile && shareSnapshot(snapshotFile, runtime);
  }

  /**
   * Watches a service until the returned function is called (a second call does nothing). `changed` is called at once if a
   * set is known. Throws CLIENT_CLOSED after `close()`.
   */
  subscribe(service: string, observer: ServiceObserver): () => void {
    if (typeof observer?.changed !== 'function')
      throw new TypeError('observer: expected an object with a method changed()');
    return this.#tenancy(service).subscribe(observer);
  }

  /**
   * Resolves once a set is known, be it empty. Rejects with NO_INSTANCES after `firstTimeoutMs`, saying what was tried, and
   * with the signal's reason as soon as that aborts. The watch goes on trying for who subscribed.
   */
  async whenKnown(service: string, signal?: AbortSignal): Promise<void> {
    await this.#tenancy(service).known(signal);
  }

  /** The instances that may serve, held ones included; rejects as `whenKnown` does. They stay watched for `ttlMs`. */
  async getInstances(
    service: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly ServiceInstance[]> {
    return (await this.#lookUp(service, signal)).set.instances;
  }

  /**
   * One instance, by the balancer's choice. Rejects as `whenKnown` does, and with NO_INSTANCES when nobody may serve. What
   * happens with it is not learnt: health, retries and deadlines are a service client's.
   */
  async getInstance(service: string, options: LookupOptions = {}): Promise<ServiceInstance> {
    const { tenancy, set } = await this.#lookUp(service, lookupOptions(options).signal);
    return tenancy.picker.pick(set, options);
  }

  /**
   * Runs `fn` with one instance, once, and gives back what it gives or throws; there is no second try: for that, and for
   * breaker, deadline and ejection, `createServiceClient({ discovery, service }).call(…)`. Balancers that count what is in
   * flight learn how it ended. Rejects without running it as `getInstance` does.
   */
  async call<T>(
    service: string,
    fn: (instance: ServiceInstance) => T | PromiseLike<T>,
    options: LookupOptions = {},
  ): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError('fn: expected a function of an instance');
    const { tenancy, set } = await this.#lookUp(service, lookupOptions(options).signal);
    return tenancy.picker.run(set, options, fn);
  }

  /**
   * An instance refused a connection or failed a probe. If the registry had dropped it and it was only held, it leaves at
   * once, unless nobody else remains. Says nothing about a listed instance.
   */
  reportRefused(instance: ServiceInstance): void {
    // By place, not by name: what listens there has refused, whichever service it is listed for.
    for (const { watch } of this.#tenancies.values()) watch.refused(instance);
  }

  /** `undefined` for a service that is not watched. */
  status(service: string): DiscoveryStatus | undefined {
    return this.#tenancies.get(service)?.watch.status;
  }

  /** Ends all watches; callers that wait get CLIENT_CLOSED. The registry stays open: it may serve others. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #lookUp(service: string, signal: AbortSignal | undefined) {
    const tenancy = this.#tenancy(service);
    tenancy.use();
    return { tenancy, set: await tenancy.known(signal) };
  }

  async #close(): Promise<void> {
    const { runtime } = this.#settings;
    const ended = [...this.#tenancies].map(([service, tenancy]) => tenancy.end(closedError(service)));
    this.#tenancies.clear();
    stallWatch(runtime).rest();
    // After the watches: each leaves its set there.
    if (this.#snapshot !== undefined) ended.push(this.#snapshot.release());
    await new Promise<void>(resolve => {
      const cancel = runtime.after(CLOSE_MS, resolve);
      void Promise.all(ended).then(() => {
        cancel();
        resolve();
      });
    });
  }

  #tenancy(service: string): Tenancy {
    const known = this.#tenancies.get(checkedService(service));
    if (known !== undefined) return known;
    if (this.#closing !== undefined) throw closedError(service);
    const tenancy: Tenancy = new Tenancy({
      service,
      settings: this.#settings,
      snapshot: this.#snapshot?.file,
      guarded: this.#guarded,
      happened: happening => this.#tell(service, happening),
      vacated: () => this.#vacated(service, tenancy),
    });
    this.#tenancies.set(service, tenancy);
    return tenancy;
  }

  #vacated(service: string, tenancy: Tenancy): void {
    if (this.#tenancies.get(service) !== tenancy) return;
    this.#tenancies.delete(service);
    void tenancy.end(closedError(service));
  }

  #tell(service: string, happening: Happening): void {
    const { onEvent, runtime } = this.#settings;
    if (onEvent !== undefined) this.#guarded(() => onEvent(toEvent(happening, { service, at: runtime.wallNow() })));
  }
}

const closedError = (service: string): FairleadError =>
  new FairleadError('CLIENT_CLOSED', `${service}: the DiscoveryClient is closed`, { service });

const lookupOptions = (options: LookupOptions): LookupOptions => {
  check.object('options', options, { known: ['balancer', 'hashKey', 'signal'], hint: '; write { balancer: p2c() }' });
  check.ofType('options.balancer', options.balancer, 'function');
  check.ofType('options.hashKey', options.hashKey, 'string');
  return options;
};
