/** The adapters by name, for what is the same with each of them. No test runner here: children use it too. */
import type { Registrar, Registry } from '../../../src/core/registry.js';
import { consulRegistry } from '../../../src/registries/consul/index.js';
import { etcdRegistry } from '../../../src/registries/etcd/index.js';
import { zookeeperRegistry } from '../../../src/registries/zookeeper/index.js';

export type KindName = 'consul' | 'etcd' | 'zookeeper';
export type AnyRegistry = Registry & Registrar;

/** Times short enough for tests; a session has the time of a registration. */
export interface Times {
  readonly ttlMs: number;
}

/** Of a registration whose process is killed. */
export const OWNER_TTL_MS = 2_000;
const REQUEST = { requestTimeoutMs: 1_000 };

/** @param addresses `host:port` of each server. @param times none: every option has its default */
export const openRegistry: Readonly<
  Record<KindName, (addresses: readonly string[], times?: Times, more?: object) => AnyRegistry>
> = {
  consul: (addresses, times, more) =>
    consulRegistry({
      urls: addresses.map(address => `http://${address}`),
      // Shared by the agents that are asked in turn, with 1 000 for each.
      ...(times === undefined ? {} : { waitMs: 2_000, requestTimeoutMs: 1_500 }),
      ...more,
    }),
  etcd: (addresses, times, more) =>
    etcdRegistry({ endpoints: addresses, ...(times === undefined ? {} : { ...REQUEST, watchdogMs: 1_000 }), ...more }),
  zookeeper: (addresses, times, more) =>
    zookeeperRegistry({
      servers: addresses,
      ...(times === undefined ? {} : { ...REQUEST, sessionTimeoutMs: times.ttlMs }),
      ...more,
    }),
};
