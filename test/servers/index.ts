/**
 * Real Consul, etcd, ZooKeeper and Prometheus for integration tests and the demo, found or fetched, started as ordinary processes
 * on 127.0.0.1, and killed, paused, wiped and restarted at will. Not for unit tests: those use fakes in memory.
 *
 *     const server = await serverOrSkip('consul');
 *     describe.skipIf(server === undefined)('…', () => {
 *       let consul: Consul;
 *       beforeAll(async () => { consul = await startConsul(); }, 60_000);
 *       afterAll(() => consul.stop());
 *       it('…', async () => { await consul.kill(); await consul.wipe(); await consul.restart(); });
 *     });
 */
export { startConsul, type Consul, type ConsulNode, type ConsulOptions } from './consul.js';
export { startEtcd, type Etcd, type EtcdNode, type EtcdOptions } from './etcd.js';
export { startZooKeeper, type ZooKeeper, type ZooKeeperNode, type ZooKeeperOptions } from './zookeeper.js';
export { startPrometheus, type Prometheus, type PrometheusOptions } from './prometheus.js';
export {
  findServer,
  requireServer,
  serverOrSkip,
  SERVER_KINDS,
  type AvailableServer,
  type ServerKind,
  type UnavailableServer,
} from './find.js';
export { type Cluster } from './cluster.js';
export { type NodeState, type ServerNode } from './node.js';
export { eventually, type EventuallyOptions } from './eventually.js';
export { askFourLetters, askJson, type AskOptions } from './probe.js';
