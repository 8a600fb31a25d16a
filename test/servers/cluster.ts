/** One server or several that form a cluster, started together in temporary folders. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { ServerNode, type Blueprint } from './node.js';
import { reservePorts } from './ports.js';
import { forgetFolder, removeOnExit, type Launch } from './process.js';
import { messageOf } from './run.js';

export interface ClusterPlan<Port extends string> {
  readonly nodes: 1 | 3;
  readonly launch: (folder: string) => Launch;
  /** Made anew for every attempt, when the nodes' ports are known; nodes learn of each other here. */
  readonly blueprint: (peers: readonly ServerNode<Port>[]) => Blueprint<Port>;
  readonly ports: readonly [Port, ...Port[]];
}

/** Each of kill, pause, resume, wipe and restart does so with all nodes at once: on a single server, with it. */
export class Cluster<Port extends string = string> {
  readonly nodes: readonly [ServerNode<Port>, ...ServerNode<Port>[]];
  readonly #folder: string;

  constructor(nodes: readonly [ServerNode<Port>, ...ServerNode<Port>[]], folder: string) {
    this.nodes = nodes;
    this.#folder = folder;
  }

  async kill(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.kill()));
  }

  async pause(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.pause()));
  }

  resume(): void {
    for (const node of this.nodes) node.resume();
  }

  async wipe(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.wipe()));
  }

  /** All together: without a majority no single node of three becomes ready. */
  async restart(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.restart()));
  }

  /** The running node that leads. Waits for an election that is under way. */
  leader(): Promise<ServerNode<Port>> {
    const findLeader = async (): Promise<ServerNode<Port> | false> => {
      const leads = await Promise.all(this.nodes.map(node => node.isLeader()));
      return this.nodes[leads.indexOf(true)] ?? false;
    };
    return eventually(findLeader, { withinMs: 20_000, what: 'a leader' });
  }

  /** Every node's log, for a failed test's message. */
  logs(): string {
    return this.nodes.map(node => `--- ${node.name}\n${node.logs()}`).join('\n');
  }

  /** Kills all nodes and removes their data. May be called twice. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    forgetFolder(this.#folder);
  }
}

const MAX_STARTS = 4;

export async function startCluster<Port extends string>(plan: ClusterPlan<Port>): Promise<Cluster<Port>> {
  for (let start = 1; ; start += 1) {
    const cluster = await makeCluster(plan);
    try {
      await cluster.restart();
      return cluster;
    } catch (error) {
      await cluster.stop();
      // Between the reservation of a port and its use another process may take it.
      const portTaken = /address already in use|EADDRINUSE|BindException/i.test(messageOf(error));
      if (!portTaken || start === MAX_STARTS) throw error;
    }
  }
}

async function makeCluster<Port extends string>(plan: ClusterPlan<Port>): Promise<Cluster<Port>> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-server-'));
  removeOnExit(folder);
  const ports = await reservePorts(plan.nodes * plan.ports.length);
  const peers: ServerNode<Port>[] = [];
  const blueprint = plan.blueprint(peers);
  for (let n = 1; n <= plan.nodes; n += 1) {
    const own = plan.ports.map(name => [name, ports.pop() ?? 0]);
    const place = {
      name: `n${n}`,
      folder: join(folder, `n${n}`),
      ports: Object.fromEntries(own) as Record<Port, number>,
      launch: plan.launch,
    };
    await mkdir(place.folder);
    peers.push(new ServerNode(blueprint, place));
  }
  return new Cluster(peers as [ServerNode<Port>, ...ServerNode<Port>[]], folder);
}
