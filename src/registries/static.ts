import { FairleadError } from '../core/errors.js';
import { toInstance, type InstanceInput, type ServiceInstance } from '../core/instance.js';
import { latest, type Latest } from '../core/latest.js';
import type { Registry, WatchContext } from '../core/registry.js';

/** An instance; without a `service` it belongs to whatever service is asked for. */
export type StaticInput = Omit<InstanceInput, 'service'> & { readonly service?: string | undefined };

/**
 * A list that never changes: for tests, and for services whose addresses come from configuration. Health is then known
 * from calls and probes only.
 *
 * ```ts
 * staticRegistry(['10.0.0.1:8080', 'https://users.example', { address: '::1', port: 8080, weight: 2 }])
 * ```
 *
 * A string is `host:port`, or a URL without a path; `http` and `https` have their default ports. Throws a TypeError or
 * RangeError that names the index of a bad entry.
 */
export const staticRegistry = (instances: readonly (StaticInput | string)[]): Registry => {
  if (!Array.isArray(instances))
    throw new TypeError('instances: expected an array of instances or "host:port" strings');
  return new Static((instances as readonly (StaticInput | string)[]).map(checked));
};

class Static implements Registry {
  readonly name = 'static';
  readonly #inputs: readonly StaticInput[];
  readonly #watches = new Set<Latest<readonly ServiceInstance[]>>();
  #closed = false;

  constructor(inputs: readonly StaticInput[]) {
    this.#inputs = inputs;
  }

  async *watch(service: string, { signal }: Pick<WatchContext, 'signal'>): AsyncGenerator<readonly ServiceInstance[]> {
    if (signal.aborted) return;
    const sets = latest<readonly ServiceInstance[]>(signal);
    sets.push(this.#list(service));
    this.#watches.add(sets);
    try {
      yield* sets.iterable;
    } finally {
      this.#watches.delete(sets);
    }
  }

  async discover(service: string, { signal }: Partial<WatchContext> = {}): Promise<readonly ServiceInstance[]> {
    await Promise.resolve();
    signal?.throwIfAborted();
    return this.#list(service);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#watches.forEach(sets => sets.fail(closedError()));
    return Promise.resolve();
  }

  #list(service: string): readonly ServiceInstance[] {
    if (this.#closed) throw closedError();
    const asked = this.#inputs.filter(input => input.service === undefined || input.service === service);
    return Object.freeze(asked.map(input => toInstance({ ...input, service })));
  }
}

const closedError = (): FairleadError => new FairleadError('REGISTRY_UNAVAILABLE', 'static: the registry is closed');

const checked = (given: StaticInput | string, index: number): StaticInput => {
  try {
    const input = typeof given === 'string' ? parse(given) : given;
    if (typeof input !== 'object' || input === null)
      throw new TypeError('expected an instance or a "host:port" string');
    // Any name will do: it is the entry that is checked.
    toInstance({ ...input, service: input.service ?? 'service' });
    return { ...input };
  } catch (error) {
    const Kind = error instanceof RangeError ? RangeError : TypeError;
    throw new Kind(`instances[${index}]: ${(error as Error).message}`, { cause: error });
  }
};

/** Not the platform's URL: it would call a bad port an invalid URL, and accept a user name and a path. */
const ORIGIN = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\[[^\]]*\]|[^:/?#@[\]\s]+)(?::(\d{1,10}))?\/?$/i;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

const parse = (text: string): StaticInput => {
  const [, scheme, host = '', port] = ORIGIN.exec(text) ?? [];
  // What is wrong may be a password in front of an @: the text is not shown.
  if (host === '') throw new TypeError('expected "host:port" or "http://host:port", without user, path or query');
  const protocol = scheme?.toLowerCase() ?? 'http';
  const number = port === undefined && scheme !== undefined ? DEFAULT_PORTS[protocol] : Number(port);
  if (number === undefined || Number.isNaN(number)) throw new TypeError(`${JSON.stringify(text)} has no port`);
  return { address: host.replace(/^\[|\]$/g, ''), port: number, protocol };
};
