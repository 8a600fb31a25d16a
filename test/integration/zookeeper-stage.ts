/** What tests of zookeeperRegistry share: witnesses that are not our adapter, a wire that can be cut, a watched service. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { DiscoveryClient } from '../../src/discovery/discovery-client.js';
import type { ClientEvent } from '../../src/core/events.js';
import type { Registration } from '../../src/core/registry.js';
import { zookeeperRegistry, type ZooKeeperRegistryOptions } from '../../src/registries/zookeeper/index.js';
import { loadPeer, type RawClient } from '../../src/registries/zookeeper/peer.js';
import { askFourLetters, requireServer, type ZooKeeper } from '../servers/index.js';
import { run } from '../servers/run.js';

export const TTL_MS = 3_000;

/** Paths of nodes that end with a session, each with that session, as the servers themselves list them. */
export const ephemeralsOf = async ({ nodes }: Pick<ZooKeeper, 'nodes'>): Promise<Map<string, string>> => {
  const found = new Map<string, string>();
  for (const node of nodes) {
    if (node.state !== 'running') continue;
    let session = '';
    for (const line of (await askFourLetters(node.ports.client, 'dump')).split('\n')) {
      session = /^(0x[0-9a-f]+):$/.exec(line)?.[1] ?? session;
      const path = /^\t(\/.*)$/.exec(line)?.[1];
      if (path !== undefined) found.set(path, session);
    }
  }
  return found;
};

/** ZooKeeper's own command line tool: another program in another language. */
export const zkCli = async (server: string, ...command: readonly string[]): Promise<string> => {
  const { launch } = await requireServer('zookeeper');
  const { argv } = launch('');
  const main = ['org.apache.zookeeper.ZooKeeperMain', '-server', server, ...command];
  return run([...argv.slice(0, -1), ...main], { timeoutMs: 30_000 });
};

/** A bare client of the package, for one piece of work. */
export const bare = async <T>(
  servers: string,
  work: (client: RawClient, done: (error: unknown, result?: T) => void) => void,
): Promise<T> => {
  // @ts-expect-error -- the package has no types
  const peer = await loadPeer((): Promise<unknown> => import('node-zookeeper-client'));
  const client = peer.createClient(servers, { sessionTimeout: 10_000, spinDelay: 100, retries: 0 });
  try {
    return await new Promise<T>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no answer to a bare client within 5 s')), 5_000);
      const done = (error: unknown, result?: T): void => {
        clearTimeout(late);
        if (error === null || error === undefined) resolve(result as T);
        else reject(error);
      };
      client.on('state', state => void (state.getName() === 'SYNC_CONNECTED' && work(client, done)));
      client.connect();
    });
  } finally {
    client.close();
  }
};

/** A lasting node with its parents, or another value for one that is there. */
export const put = async (servers: string, path: string, value: string): Promise<void> => {
  const OPEN = undefined as unknown as readonly unknown[];
  const parts = path.split('/').slice(1);
  for (const index of parts.keys()) {
    const at = `/${parts.slice(0, index + 1).join('/')}`;
    const data = Buffer.from(at === path ? value : '');
    await bare<unknown>(servers, (client, done) => client.create(at, data, OPEN, 0, done)).catch((error: unknown) => {
      if ((error as { code?: number }).code !== -110) throw error;
    });
  }
};

/** Bytes pass both ways until it is cut (with a reset) or stalled (silence: a cable that was pulled). */
export const startWire = async (target: string) => {
  const [host = '', port = ''] = target.split(':');
  const pairs = new Set<readonly [Socket, Socket]>();
  let silent = false;
  let made = 0;
  const server = createServer(near => {
    made += 1;
    const far = connect(Number(port), host);
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', chunk => void (silent || to.destroyed || to.write(chunk)));
      from.on('error', () => undefined);
      from.once('close', () => {
        pairs.delete(pair);
        if (!silent) to.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => pairs.forEach(pair => pair.forEach(socket => socket.resetAndDestroy()));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return pairs.size;
    },
    /** Ever made. */
    get made() {
      return made;
    },
    cut,
    stall(on: boolean) {
      silent = on;
    },
    close() {
      cut();
      server.close();
    },
  };
};

/** Counts the connections that this process tries to make. */
export const countConnections = () => {
  let count = 0;
  const listener = (): void => void (count += 1);
  subscribe('net.client.socket', listener);
  const startedAt = performance.now();
  return (): number => {
    unsubscribe('net.client.socket', listener);
    return count / ((performance.now() - startedAt) / 1_000);
  };
};

/** A registration of ours, and a DiscoveryClient that watches its service through a registry of its own. */
export const setStage = async (options: ZooKeeperRegistryOptions, service: string) => {
  const short = { sessionTimeoutMs: TTL_MS, requestTimeoutMs: 1_000, ...options };
  const registrar = zookeeperRegistry(short);
  const reader = zookeeperRegistry(short);
  const events: ClientEvent[] = [];
  const told: string[] = [];
  /** How many instances each set had that was published. */
  const sizes: number[] = [];
  const discovery = new DiscoveryClient({ registry: reader, onEvent: event => events.push(event) });
  discovery.subscribe(service, { changed: set => sizes.push(set.instances.length) });
  const pending = registrar.register({ id: 'own', service, address: '127.0.0.1', port: 7_001 });
  pending.catch(() => undefined);
  const follow = (registration: Registration): void => {
    for (const type of ['lost', 'restored', 'error'] as const) registration.on(type, () => void told.push(type));
  };
  return {
    ...{ registrar, reader, discovery, events, told, sizes, service, pending, follow },
    path: `/services/${service}`,
    async ids(): Promise<string[]> {
      return (await discovery.getInstances(service)).map(({ id }) => id).sort();
    },
    async close(): Promise<void> {
      await discovery.close();
      await Promise.all([registrar.close(), reader.close()]);
    },
  };
};
export type Stage = Awaited<ReturnType<typeof setStage>>;
