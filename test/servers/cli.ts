/**
 * Servers by hand:
 *     tsx test/servers/cli.ts fetch                                   get all four before going offline
 *     tsx test/servers/cli.ts consul|etcd|zookeeper [--nodes 3]       run one until Ctrl-C
 */
import { parseArgs } from 'node:util';
import { findServer, SERVER_KINDS, startConsul, startEtcd, startZooKeeper, type Cluster } from './index.js';

const USAGE = 'usage: cli.ts fetch | consul|etcd|zookeeper [--nodes 1|3]';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { nodes: { type: 'string' } } });
  const nodes = values.nodes === '3' ? 3 : 1;
  const [command] = positionals;
  if (command === 'fetch') return fetchAll();
  if (command === 'consul') return runUntilSignal(await startConsul({ nodes }));
  if (command === 'etcd') return runUntilSignal(await startEtcd({ nodes }));
  if (command === 'zookeeper') return runUntilSignal(await startZooKeeper({ nodes }));
  throw new Error(USAGE);
}

async function fetchAll(): Promise<void> {
  for (const kind of SERVER_KINDS) {
    const server = await findServer(kind);
    if (server.kind === 'available') console.log(`${kind} ${server.version} (${server.how})`);
    else console.log(`${kind} unavailable: ${server.reason}`);
    if (server.kind === 'unavailable') process.exitCode = 1;
  }
}

async function runUntilSignal(cluster: Cluster): Promise<void> {
  for (const node of cluster.nodes) {
    const ports = Object.entries(node.ports).map(([name, port]) => `${name} ${port}`);
    console.log(`${node.name} pid ${node.pid}, on 127.0.0.1: ${ports.join(', ')}`);
  }
  await new Promise<void>(resolve => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await cluster.stop();
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
