import { createHash } from 'node:crypto';
import { FairleadError } from '../core/errors.js';
import type { ServiceInstance } from '../core/instance.js';
import { pause } from '../core/pause.js';
import type { Registry, WatchContext } from '../core/registry.js';
import { resolveDnsOptions, type DnsRegistryOptions, type DnsSettings } from './dns/options.js';
import type { Found } from './dns/lookup.js';
import { Source } from './dns/source.js';

export type { DnsRegistryOptions, DnsResolver } from './dns/options.js';

/**
 * Instances from DNS: SRV records, or addresses with a given port. For where DNS is all there is (Kubernetes headless
 * services, cloud load balancers, Consul without its API). It tells no health, tags or metadata, and news comes with the
 * next refresh: at the TTL, within 5–60 s, plus up to 20 % by chance. Nothing can be registered.
 *
 * "No such name" and "no such record" are errors, not an empty set: a server that lost its zone says the same. Callers
 * then keep the last good set. `[]` comes only from an SRV record with the target `.`, which says "not available".
 *
 * ```ts
 * dnsRegistry({ name: '_http._tcp.{service}.default.svc.cluster.local' })
 * dnsRegistry({ name: '{service}.service.consul', servers: ['127.0.0.1:8600'] })
 * dnsRegistry({ name: '{service}.internal', type: 'A', port: 8080 })
 * ```
 *
 * Throws a TypeError or RangeError that names the option, what was expected and what was given.
 */
export const dnsRegistry = (options?: DnsRegistryOptions): Registry => new Dns(resolveDnsOptions(options));

class Dns implements Registry {
  readonly name = 'dns';
  readonly #settings: DnsSettings;
  /** By service, as long as somebody uses it. */
  readonly #sources = new Map<string, { readonly source: Source; users: number }>();
  /** Ends everything that is under way. */
  readonly #ends = new Set<(reason: unknown) => void>();
  #closed = false;

  constructor(settings: DnsSettings) {
    this.#settings = settings;
  }

  watch(service: string, context: WatchContext): AsyncIterable<readonly ServiceInstance[]> {
    this.#settings.nameOf(service);
    return this.#watch(service, context);
  }

  async discover(service: string, context: Partial<WatchContext> = {}): Promise<readonly ServiceInstance[]> {
    this.#settings.nameOf(service);
    const { signal, runtime = this.#settings.runtime } = context;
    const use = this.#use(service, signal);
    try {
      const { instances, problems } = await use.source.ask(runtime, use.signal);
      for (const problem of problems) context.report?.(problem);
      return instances;
    } finally {
      use.release();
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const end of [...this.#ends]) end(closedError());
    return Promise.resolve();
  }

  async *#watch(service: string, context: WatchContext): AsyncGenerator<readonly ServiceInstance[]> {
    if (context.signal.aborted) return;
    const { runtime } = context;
    const use = this.#use(service, context.signal);
    const { signal } = use;
    try {
      for (let known: string | undefined; !signal.aborted;) {
        const answer = await use.source.read(runtime, signal);
        const digest = digestOf(answer);
        if (digest !== known) {
          known = digest;
          for (const problem of answer.problems) context.report(problem);
          yield answer.instances;
        }
        await pause(runtime, Math.max(0, answer.dueAt - runtime.now()), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      use.release();
    }
  }

  /** A share of what is known of a service, until it is released, its reader's signal aborts, or the registry closes. */
  #use(service: string, outer: AbortSignal | undefined): Use {
    if (this.#closed) throw closedError();
    const entry = this.#sources.get(service) ?? { source: new Source(this.#settings, service), users: 0 };
    this.#sources.set(service, entry);
    entry.users += 1;
    const controller = new AbortController();
    const release = (): void => {
      outer?.removeEventListener('abort', abort);
      if (!this.#ends.delete(end)) return;
      entry.users -= 1;
      if (entry.users === 0) this.#sources.delete(service);
    };
    const end = (reason: unknown): void => {
      release();
      controller.abort(reason);
    };
    const abort = (): void => end(outer?.reason);
    this.#ends.add(end);
    outer?.addEventListener('abort', abort, { once: true });
    if (outer?.aborted === true) abort();
    return { source: entry.source, signal: controller.signal, release };
  }
}

interface Use {
  readonly source: Source;
  readonly signal: AbortSignal;
  release(): void;
}

const closedError = (): FairleadError => new FairleadError('REGISTRY_UNAVAILABLE', 'dns: the registry is closed');

const digestOf = ({ instances, problems }: Found): string =>
  createHash('sha1')
    .update(JSON.stringify([instances, problems]))
    .digest('base64');
