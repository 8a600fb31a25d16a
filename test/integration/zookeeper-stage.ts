/** ZooKeeper to tests: witnesses that are not our adapter, and what faults need to know of it. */
import { createHash } from 'node:crypto';
import { loadPeer, type Peer, type RawClient } from '../../src/registries/zookeeper/peer.js';
import { askFourLetters, requireServer, startZooKeeper, type ServerNode, type ZooKeeper } from '../servers/index.js';
import { run } from '../servers/run.js';
import type { Kind, Locked, Witness } from './support/fault-scene.js';
import { openRegistry } from './support/open-registry.js';

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

interface Bare extends RawClient {
  setACL(path: string, acls: readonly object[], version: number, done: (error: unknown) => void): void;
}

// @ts-expect-error -- the package has no types
const peerOf = (): Promise<Peer> => loadPeer((): Promise<unknown> => import('node-zookeeper-client'));

/** A bare client of the package, for one piece of work. @param user `name:password` */
export const bare = async <T>(
  servers: string,
  work: (client: Bare, done: (error: unknown, result?: T) => void) => void,
  user?: string,
): Promise<T> => {
  const peer = await peerOf();
  const client = peer.createClient(servers, { sessionTimeout: 10_000, spinDelay: 100, retries: 0 }) as Bare;
  if (user !== undefined) client.addAuthInfo('digest', Buffer.from(user));
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

/** The server itself lists what ends with a session. */
const witnessOf = (node: ServerNode): Witness => ({
  has: async (service, id) =>
    (await ephemeralsOf({ nodes: [node] } as unknown as ZooKeeper)).has(`/services/${service}/${id}`),
  put: (service, id, port) => put(node.address, `/services/${service}/${id}`, `127.0.0.1:${port}`),
});

/** The services belong to somebody else most of the time. */
const locked = async (): Promise<Locked> => {
  const cluster = await startZooKeeper();
  const [node] = cluster.nodes;
  const boss = 'boss:root-secret';
  const { ACL, Id } = await peerOf();
  const digest = createHash('sha1').update(boss).digest('base64');
  const own = (id: object) => async (service: string) => {
    await put(node.address, '/services', '');
    const path = `/services/${service}`;
    await put(node.address, path, '');
    const acls = [new ACL(31, id)];
    await bare<unknown>(node.address, (client, done) => client.setACL(path, acls, -1, done), boss);
  };
  return {
    cluster,
    secret: 'app-secret',
    witness: witnessOf(node),
    open: address => openRegistry.zookeeper([address], { ttlMs: 3_000 }, { username: 'app', password: 'app-secret' }),
    grant: own(new Id('world', 'anyone')),
    revoke: own(new Id('digest', `boss:${digest}`)),
  };
};

export const zookeeperKind: Kind = {
  name: 'zookeeper',
  outlivesStillLeader: true,
  start: nodes => startZooKeeper({ nodes }),
  witness: witnessOf,
  locked,
};
