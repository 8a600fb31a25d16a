/** A real Consul for tests and the demo: one server, or three that elect a leader. */
import { startCluster, type Cluster } from './cluster.js';
import { requireServer } from './find.js';
import type { Blueprint, ServerNode } from './node.js';
import { askJson } from './probe.js';

export interface ConsulOptions {
  /** @default 1 */
  readonly nodes?: 1 | 3;
  /** `false`: `-dev`, ready in 0.2 s instead of 1.5 s, and a restart loses everything. One node only. @default true */
  readonly persistent?: boolean;
  /** More configuration in HCL, such as `acl { … }` or `dns_config { … }`. */
  readonly config?: string;
  /** More arguments for `consul agent`. */
  readonly args?: readonly string[];
  /** Needed to see when the server is ready, if `config` turns on ACLs that deny by default. */
  readonly token?: string;
}

const PORTS = ['http', 'dns', 'server', 'serf'] as const;
export type ConsulPort = (typeof PORTS)[number];
export type ConsulNode = ServerNode<ConsulPort>;

export interface Consul extends Cluster<ConsulPort> {
  /** The HTTP API of the first node. */
  readonly url: string;
  readonly urls: readonly string[];
  /** `host:port` of the first node's DNS interface. */
  readonly dnsAddress: string;
}

export async function startConsul(options: ConsulOptions = {}): Promise<Consul> {
  const { nodes = 1, persistent = true } = options;
  if (nodes > 1 && !persistent) throw new TypeError('three consul nodes need persistent: true');
  const { version, launch } = await requireServer('consul');
  const blueprint = (peers: readonly ConsulNode[]) => consulBlueprint({ options, peers, version });
  const cluster = await startCluster({ nodes, launch, blueprint, ports: PORTS });
  const urls = cluster.nodes.map(node => node.url);
  const [first] = cluster.nodes;
  return Object.assign(cluster, { url: first.url, urls, dnsAddress: `127.0.0.1:${first.ports.dns}` });
}

interface Design {
  readonly options: ConsulOptions;
  readonly peers: readonly ConsulNode[];
  readonly version: string;
}

function consulBlueprint(design: Design): Blueprint<ConsulPort> {
  const { options, peers } = design;
  const ask = (node: ConsulNode, path: string): Promise<unknown> => {
    const headers: Record<string, string> = options.token === undefined ? {} : { 'x-consul-token': options.token };
    return askJson(node.url + path, { headers });
  };
  return {
    kind: 'consul',
    ports: PORTS,
    argumentsOf: node => consulArguments(design, node),
    async isReady(node) {
      // Not /v1/status/leader: it answers before the catalog does. All who were started must have joined.
      const passing = await ask(node, '/v1/health/service/consul?passing');
      const started = peers.filter(peer => peer.state !== 'stopped').length;
      return Array.isArray(passing) && passing.length >= started;
    },
    async isLeader(node) {
      return (await ask(node, '/v1/status/leader')) === `127.0.0.1:${node.ports.server}`;
    },
  };
}

function consulArguments({ options, peers, version }: Design, node: ConsulNode): string[] {
  const others = peers.flatMap(peer => ['-retry-join', `127.0.0.1:${peer.ports.serf}`]);
  const role =
    options.persistent === false
      ? ['-dev']
      : ['-server', '-data-dir', node.dataFolder, '-bootstrap-expect', String(peers.length)];
  return [
    ...['agent', '-node', node.name, '-node-id', nodeId(peers.indexOf(node)), ...role],
    ...['-bind', '127.0.0.1', '-client', '127.0.0.1', '-log-level', 'warn'],
    ...['-http-port', String(node.ports.http), '-dns-port', String(node.ports.dns)],
    ...['-server-port', String(node.ports.server), '-serf-lan-port', String(node.ports.serf)],
    ...['-serf-wan-port', '-1', '-grpc-port', '-1'],
    // The smallest multiplier: elections in about a second, and still far above what loopback needs.
    ...['-hcl', 'performance { raft_multiplier = 1 } disable_update_check = true'],
    ...(hasGrpcTlsPort(version) ? ['-hcl', 'ports { grpc_tls = -1 }'] : []),
    ...(peers.length > 1 ? [...others, '-retry-interval', '1s'] : []),
    ...(options.config === undefined ? [] : ['-hcl', options.config]),
    ...(options.args ?? []),
  ];
}

/** Fixed, for a wiped server that comes back under its name with another id is refused by the others. */
function nodeId(index: number): string {
  return `00000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`;
}

/** Since 1.14 a further port is opened by default; older versions reject the setting. */
function hasGrpcTlsPort(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 14);
}
