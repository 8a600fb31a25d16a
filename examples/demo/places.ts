/** A registry on a server, opened and cleaned up by where it is: each process of the demo has its own connection. */
import type { Registrar, Registry } from 'fairlead';

export type PlaceKind = 'consul' | 'etcd' | 'zookeeper';

export interface Place {
  readonly kind: PlaceKind;
  /** A URL; several with commas between for etcd; `HOST:PORT,…` for ZooKeeper. */
  readonly address: string;
}

/** Only what is used is loaded: the doors have peers of their own. */
export const openPlace = async ({ kind, address }: Place): Promise<Registry & Registrar> => {
  switch (kind) {
    case 'consul':
      return (await import('fairlead/consul')).consulRegistry({ url: address });
    case 'etcd':
      return (await import('fairlead/etcd')).etcdRegistry({ endpoints: address.split(',') });
    case 'zookeeper':
      return (await import('fairlead/zookeeper')).zookeeperRegistry({ servers: address });
  }
};

/** For a server that stays. Instances deregister themselves; one that was killed could not. */
export const removeEntries = async (place: Place, service: string, ids: readonly string[]): Promise<void> => {
  // Not there any more, or no server any more: both are fine.
  await REMOVALS[place.kind](place.address, service, ids).catch(() => undefined);
};

type Removal = (address: string, service: string, ids: readonly string[]) => Promise<unknown>;

const WITHIN_MS = 1_000;

/** What is used of node-zookeeper-client. */
interface ZooKeeperPackage {
  createClient(
    servers: string,
    options: object,
  ): {
    once(type: 'connected', listener: () => void): void;
    connect(): void;
    remove(path: string, version: number, done: () => void): void;
    close(): void;
  };
}

const REMOVALS: Record<PlaceKind, Removal> = {
  consul: (url, _service, ids) =>
    Promise.all(
      ids.map(id => {
        const path = `v1/agent/service/deregister/${encodeURIComponent(id)}`;
        return fetch(`${url}/${path}`, { method: 'PUT', signal: AbortSignal.timeout(WITHIN_MS) });
      }),
    ),
  // Their leases would end within 15 s.
  etcd: (address, service) => {
    const [endpoint = ''] = address.split(',');
    const body = JSON.stringify({ key: base64(`/services/${service}/`), range_end: base64(`/services/${service}0`) });
    const path = 'v3/kv/deleterange';
    return fetch(`${endpoint}/${path}`, { method: 'POST', body, signal: AbortSignal.timeout(WITHIN_MS) });
  },
  // Their sessions would end within 15 s, but the node above them stays.
  zookeeper: async (servers, service, ids) => {
    // @ts-expect-error -- the package has no types
    const peer = (await import('node-zookeeper-client')) as { default: ZooKeeperPackage };
    const client = peer.default.createClient(servers, { sessionTimeout: 4_000, retries: 0 });
    const path = `/services/${service}`;
    const remove = (node: string): Promise<void> => new Promise(resolve => client.remove(node, -1, () => resolve()));
    const work = new Promise<void>(resolve => {
      client.once('connected', () => {
        void Promise.all(ids.map(id => remove(`${path}/${id}`)))
          .then(() => remove(path))
          .then(resolve);
      });
    });
    client.connect();
    await Promise.race([work, new Promise(resolve => setTimeout(resolve, WITHIN_MS).unref())]);
    client.close();
  },
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');
