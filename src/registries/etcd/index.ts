/** The door "fairlead/etcd". */
export { etcdRegistry, type EtcdRegistry } from './registry.js';
export type { EtcdClient, EtcdRegistryOptions, EtcdTls } from './options.js';
