/** A real ZooKeeper for tests and the demo: one server, or three that elect a leader. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCluster, type Cluster } from './cluster.js';
import { requireServer } from './find.js';
import type { Blueprint, ServerNode } from './node.js';
import { askFourLetters } from './probe.js';

export interface ZooKeeperOptions {
  /** @default 1 */
  readonly nodes?: 1 | 3;
  /** More lines for zoo.cfg; a later line wins. Unknown keys become system properties `zookeeper.<key>`. */
  readonly config?: readonly string[];
}

const PORTS = ['client', 'quorum', 'election'] as const;
export type ZooKeeperPort = (typeof PORTS)[number];
export type ZooKeeperNode = ServerNode<ZooKeeperPort>;

export interface ZooKeeper extends Cluster<ZooKeeperPort> {
  /** `host:port` of each node, with commas between, as clients want it. */
  readonly connectString: string;
}

export async function startZooKeeper(options: ZooKeeperOptions = {}): Promise<ZooKeeper> {
  const { launch } = await requireServer('zookeeper');
  const blueprint = (peers: readonly ZooKeeperNode[]) => zooKeeperBlueprint(options, peers);
  const cluster = await startCluster({ nodes: options.nodes ?? 1, launch, blueprint, ports: PORTS });
  return Object.assign(cluster, { connectString: cluster.nodes.map(node => node.address).join(',') });
}

function zooKeeperBlueprint(options: ZooKeeperOptions, peers: readonly ZooKeeperNode[]): Blueprint<ZooKeeperPort> {
  const modeOf = async (node: ZooKeeperNode): Promise<string | undefined> =>
    /^Mode: (\w+)/m.exec(await askFourLetters(node.ports.client, 'srvr'))?.[1];
  return {
    kind: 'zookeeper',
    ports: PORTS,
    async argumentsOf(node) {
      const file = join(node.folder, 'zoo.cfg');
      await mkdir(node.dataFolder, { recursive: true });
      await writeFile(join(node.dataFolder, 'myid'), String(peers.indexOf(node) + 1));
      await writeFile(file, `${configLines(options, peers, node).join('\n')}\n`);
      return [file];
    },
    // Not `ruok`: it is answered with `imok` before the server serves anyone.
    isReady: async node => (await modeOf(node)) !== undefined,
    isLeader: async node => /^(leader|standalone)$/.test((await modeOf(node)) ?? ''),
  };
}

function configLines(options: ZooKeeperOptions, peers: readonly ZooKeeperNode[], node: ZooKeeperNode): string[] {
  const members = peers.map(function toLine({ ports }, index) {
    return `server.${index + 1}=127.0.0.1:${ports.quorum}:${ports.election}`;
  });
  return [
    // Sessions may not be shorter than twice the tick; tests want sessions of a second or two.
    'tickTime=500',
    'minSessionTimeout=1000',
    'maxSessionTimeout=60000',
    `dataDir=${node.dataFolder}`,
    `clientPort=${node.ports.client}`,
    'clientPortAddress=127.0.0.1',
    'maxClientCnxns=0',
    '4lw.commands.whitelist=*',
    // It would need further jars and a fixed port.
    'admin.enableServer=false',
    ...(peers.length > 1 ? ['initLimit=10', 'syncLimit=4', 'quorumListenOnAllIPs=false', ...members] : []),
    ...(options.config ?? []),
  ];
}
