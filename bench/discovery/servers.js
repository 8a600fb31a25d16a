// The real servers, started as the integration tests do. Needs tsx.
import { startConsul, startEtcd, startZooKeeper } from '../../test/servers/index.ts';

const LIST = {
  consul: async () => {
    const server = await startConsul({ persistent: false });
    return { address: server.url, stop: () => server.stop() };
  },
  etcd: async () => {
    const server = await startEtcd();
    return { address: server.endpoints[0], stop: () => server.stop() };
  },
  zookeeper: async () => {
    const server = await startZooKeeper();
    return { address: server.connectString, stop: () => server.stop() };
  },
  memory: async () => ({ address: '-', stop: async () => undefined }),
};

export const startServer = name => LIST[name]();
