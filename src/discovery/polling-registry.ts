import * as check from '../core/check.js';
import type { ServiceInstance } from '../core/instance.js';
import type { Registry, WatchContext } from '../core/registry.js';
import { ServicePoll } from './service-poll.js';

/** A registry that can be asked, and does not tell. */
export interface PolledRegistry {
  readonly name: string;
  /** One read. Rejects when the registry does not answer: never [] for an error. */
  discover(service: string, context?: Partial<WatchContext>): Promise<readonly ServiceInstance[]>;
  close?(): Promise<void>;
}

export interface PollingOptions {
  /** How long an answer is used before it is asked for again, in ms, > 0; up to 20 % longer by chance. @default 30_000 */
  readonly ttlMs?: number | undefined;
  /** How long a read may take, in ms, > 0. @default 5_000 */
  readonly timeoutMs?: number | undefined;
}

/**
 * Makes a registry that can only be asked look like one that can be watched: its answer is kept for `ttlMs`, and asked for
 * once however many look at the same service. A `DiscoveryClient` does this by itself for a registry without `watch`.
 *
 * ```ts
 * const registry = pollingRegistry({ name: 'inventory', discover: service => askInventory(service) });
 * ```
 *
 * News come late by up to `ttlMs`; prefer a registry that can be watched. Throws a TypeError or RangeError that names what
 * is wrong.
 */
export const pollingRegistry = (registry: PolledRegistry, options: PollingOptions = {}): Registry => {
  if (typeof registry?.discover !== 'function')
    throw new TypeError('registry: expected an object with a name and a method discover()');
  check.object('options', options, { known: ['ttlMs', 'timeoutMs'], hint: '; write { ttlMs: 30_000 }' });
  const { ttlMs = 30_000, timeoutMs = 5_000 } = options;
  check.number('ttlMs', ttlMs, { min: 0, above: true });
  check.number('timeoutMs', timeoutMs, { min: 0, above: true });
  const polls = new Map<string, ServicePoll>();
  async function* watch(service: string, context: WatchContext): AsyncGenerator<readonly ServiceInstance[]> {
    if (context.signal.aborted) return;
    const { runtime } = context;
    const ended = (): void => void (polls.get(service) === poll && polls.delete(service));
    const known = polls.get(service);
    const poll: ServicePoll = known ?? new ServicePoll({ service, registry, runtime, ttlMs, timeoutMs, ended });
    polls.set(service, poll);
    yield* poll.join(context);
  }
  return {
    name: registry.name ?? 'registry',
    watch,
    discover: (service, context) => registry.discover(service, context),
    close: async () => {
      for (const poll of [...polls.values()]) poll.fail(new Error('the registry is closed'));
      await registry.close?.();
    },
  };
};
