/** The door "fairlead/zookeeper". */
export { zookeeperRegistry, type ZooKeeperRegistry } from './registry.js';
export type { ZooKeeperAcl, ZooKeeperClient, ZooKeeperRegistryOptions } from './options.js';
