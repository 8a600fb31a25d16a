/** Where the instances of this run are found: one registry, opened by name. */
import { memoryRegistry, type Registry } from 'fairlead';
import type { RunOptions } from './options.js';

export interface Home {
  readonly registry: Registry;
  /** For the headline. */
  readonly label: string;
  /** What instances are registered as. */
  readonly service: string;
  /** Where instances register themselves; absent: `register` does it for them. */
  readonly consulUrl?: string;
  register(id: string, port: number): Promise<void>;
  /** Ends the registry, and its server if the demo started one. Entries of the dead are removed. */
  close(ids: readonly string[]): Promise<void>;
}

export const openHome = (options: RunOptions): Promise<Home> | Home =>
  options.registry === 'consul' ? openConsul(options.url) : openMemory();

/**
 * The embedded registry lives in the caller's process. Nobody takes a killed instance out of it: as with a real registry
 * before its TTL has passed, fairlead has to notice by itself.
 */
const openMemory = (): Home => {
  const registry = memoryRegistry();
  return {
    registry,
    label: 'embedded registry',
    service: 'orders',
    register: async (id, port) => {
      await registry.register({ id, service: 'orders', address: '127.0.0.1', port });
    },
    close: () => registry.close(),
  };
};

const openConsul = async (givenUrl: string | undefined): Promise<Home> => {
  const { consulRegistry } = await import('fairlead/consul');
  if (givenUrl !== undefined) await expectConsul(givenUrl);
  const server = givenUrl === undefined ? await startServer() : undefined;
  const url = (givenUrl ?? server?.url ?? '').replace(/\/+$/, '');
  const registry = consulRegistry({ url });
  return {
    registry,
    label: `Consul at ${url}`,
    // A name of its own: the Consul may be in use.
    service: `orders-demo-${process.pid}`,
    consulUrl: url,
    register: async () => undefined,
    close: async ids => {
      await registry.close();
      if (server === undefined) await Promise.all(ids.map(id => removeEntry(url, id)));
      await server?.stop();
    },
  };
};

/** Registering would go on trying for ever. */
const expectConsul = async (url: string): Promise<void> => {
  const leader = new URL('v1/status/leader', url.endsWith('/') ? url : `${url}/`);
  const response = await fetch(leader, { signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
  if (response?.ok !== true) throw new Error(`no Consul answers at ${leader.origin}`);
};

const startServer = async () => {
  const { startConsul } = await import('../../test/servers/index.js');
  return startConsul({ persistent: false });
};

/** Instances deregister themselves; one that was killed could not. */
const removeEntry = async (url: string, id: string): Promise<void> => {
  const signal = AbortSignal.timeout(1_000);
  await fetch(`${url}/v1/agent/service/deregister/${encodeURIComponent(id)}`, { method: 'PUT', signal }).catch(
    // Not there any more, or no Consul any more: both are fine.
    () => undefined,
  );
};
