/** The contract of all registries, on a real ZooKeeper. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { zookeeperRegistry } from '../../src/registries/zookeeper/index.js';
import { registryContract } from '../../src/testing/registry-contract.js';
import { serverOrSkip, startZooKeeper, type ZooKeeper } from '../servers/index.js';

const server = await serverOrSkip('zookeeper');

describe.skipIf(server === undefined)('zookeeperRegistry', () => {
  let zookeeper: ZooKeeper;
  beforeAll(async () => {
    zookeeper = await startZooKeeper();
  });
  afterAll(() => zookeeper?.stop());

  const make = () => ({ registry: zookeeperRegistry({ servers: zookeeper.connectString }) });
  for (const { name, run } of registryContract('zookeeper', make)) it(name, run);
});
