/** Where the instances of this run are found: one registry, opened by name. */
import { memoryRegistry, type Registry } from 'fairlead';
import type { RunOptions } from './options.js';
import { openPlace, removeEntries, type Place, type PlaceKind } from './places.js';

export interface Home {
  readonly registry: Registry;
  /** For the headline. */
  readonly label: string;
  /** What instances are registered as. */
  readonly service: string;
  /** Where instances register themselves; absent: `register` does it for them. */
  readonly place?: Place;
  register(id: string, port: number): Promise<void>;
  /** Ends the registry, and its server if the demo started one. Entries of the dead are removed. */
  close(ids: readonly string[]): Promise<void>;
}

export const openHome = (options: RunOptions): Promise<Home> | Home =>
  options.registry === 'memory' ? openMemory() : openServer(options.registry, options.url);

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

const TITLES: Record<PlaceKind, string> = { consul: 'Consul', etcd: 'etcd', zookeeper: 'ZooKeeper' };

const openServer = async (kind: PlaceKind, givenAddress: string | undefined): Promise<Home> => {
  const server = givenAddress === undefined ? await STARTS[kind]() : undefined;
  const place: Place = { kind, address: givenAddress?.replace(/\/+$/, '') ?? server!.address };
  // A name of its own: the server may be in use.
  const service = `orders-demo-${process.pid}`;
  const registry = await openPlace(place);
  const close: Home['close'] = async ids => {
    await registry.close();
    if (server === undefined) await removeEntries(place, service, ids);
    await server?.stop();
  };
  try {
    await expectAnswer(registry, service, place);
  } catch (error) {
    await close([]);
    throw error;
  }
  return {
    registry,
    label: `${TITLES[kind]} at ${place.address}`,
    service,
    place,
    register: async () => undefined,
    close,
  };
};

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

const STARTS: Record<PlaceKind, () => Promise<Server>> = {
  consul: async () => {
    const { startConsul } = await import('../../test/servers/index.js');
    const consul = await startConsul({ persistent: false });
    return { address: consul.url, stop: () => consul.stop() };
  },
  etcd: async () => {
    const { startEtcd } = await import('../../test/servers/index.js');
    const etcd = await startEtcd();
    return { address: etcd.endpoints.join(','), stop: () => etcd.stop() };
  },
  zookeeper: async () => {
    const { startZooKeeper } = await import('../../test/servers/index.js');
    const zookeeper = await startZooKeeper();
    return { address: zookeeper.connectString, stop: () => zookeeper.stop() };
  },
};

const ANSWER_MS = 3_000;

/** Registering would go on trying for ever. */
const expectAnswer = async (registry: Registry, service: string, { kind, address }: Place): Promise<void> => {
  try {
    await registry.discover(service, { signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (error) {
    const { name, message } = error as Error;
    const why = name === 'TimeoutError' ? `nothing within ${ANSWER_MS / 1_000} s` : message;
    throw new Error(`no ${TITLES[kind]} answers at ${address}: ${why}`, { cause: error });
  }
};
