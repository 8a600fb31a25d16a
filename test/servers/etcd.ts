/** A real etcd for tests and the demo: one server, or three that elect a leader. */
import { startCluster, type Cluster } from './cluster.js';
import { requireServer } from './find.js';
import type { Blueprint, ServerNode } from './node.js';
import { askJson } from './probe.js';

export interface EtcdOptions {
  /** @default 1 */
  readonly nodes?: 1 | 3;
  /** More arguments for `etcd`; a later one wins. */
  readonly args?: readonly string[] | ((node: EtcdNode) => readonly string[]);
}

const PORTS = ['client', 'peer'] as const;
export type EtcdPort = (typeof PORTS)[number];
export type EtcdNode = ServerNode<EtcdPort>;

/** Of three nodes wipe all or none: etcd refuses a member that comes back without its data. */
export interface Etcd extends Cluster<EtcdPort> {
  /** The client address of each node, as a URL. */
  readonly endpoints: readonly string[];
}

export async function startEtcd(options: EtcdOptions = {}): Promise<Etcd> {
  const { launch } = await requireServer('etcd');
  const blueprint = (peers: readonly EtcdNode[]) => etcdBlueprint(options, peers);
  const cluster = await startCluster({ nodes: options.nodes ?? 1, launch, blueprint, ports: PORTS });
  return Object.assign(cluster, { endpoints: cluster.nodes.map(node => node.url) });
}

function etcdBlueprint(options: EtcdOptions, peers: readonly EtcdNode[]): Blueprint<EtcdPort> {
  return {
    kind: 'etcd',
    ports: PORTS,
    argumentsOf: node => etcdArguments(options, peers, node),
    async isReady(node) {
      // Says true only when this member knows a leader.
      const answer = (await askJson(`${node.url}/health`)) as { health?: string };
      return answer.health === 'true';
    },
    async isLeader(node) {
      const answer = await askJson(`${node.url}/v3/maintenance/status`, { method: 'POST', body: '{}' });
      const { header, leader } = answer as { header?: { member_id?: string }; leader?: string };
      return leader !== undefined && leader === header?.member_id;
    },
  };
}

function etcdArguments(options: EtcdOptions, peers: readonly EtcdNode[], node: EtcdNode): string[] {
  const peerUrl = (peer: EtcdNode) => `http://127.0.0.1:${peer.ports.peer}`;
  const members = peers.map(peer => `${peer.name}=${peerUrl(peer)}`).join(',');
  // One token for all members: with differing ones they never join, and nobody says why.
  const token = `fairlead-${peers.map(peer => peer.ports.peer).join('-')}`;
  return [
    ...['--name', node.name, '--data-dir', node.dataFolder],
    ...['--listen-client-urls', node.url, '--advertise-client-urls', node.url],
    ...['--listen-peer-urls', peerUrl(node), '--initial-advertise-peer-urls', peerUrl(node)],
    ...['--initial-cluster', members, '--initial-cluster-state', 'new', '--initial-cluster-token', token],
    // Half of the default times: a new leader in about a second.
    ...['--heartbeat-interval', '50', '--election-timeout', '500'],
    ...['--logger', 'zap', '--log-level', 'warn'],
    ...(typeof options.args === 'function' ? options.args(node) : (options.args ?? [])),
  ];
}
