/** The contract of all registries, on a real ZooKeeper. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { InstanceInput } from '../../src/core/instance.js';
import { zookeeperRegistry } from '../../src/registries/zookeeper/index.js';
import { registryContract } from '../../src/testing/registry-contract.js';
import { serverOrSkip, startZooKeeper, type ZooKeeper } from '../servers/index.js';
import { OWNER_TTL_MS } from './support/open-registry.js';
import { startOwner } from './support/owners.js';
import { RUBBISH } from './support/rubbish.js';
import { put } from './zookeeper-stage.js';

const server = await serverOrSkip('zookeeper');

describe.skipIf(server === undefined)('zookeeperRegistry', () => {
  let zookeeper: ZooKeeper;
  beforeAll(async () => {
    zookeeper = await startZooKeeper();
  });
  afterAll(() => zookeeper?.stop());

  const spoil = async (service: string): Promise<number> => {
    for (const [id, value] of Object.entries(RUBBISH))
      await put(zookeeper.connectString, `/services/${service}/${id}`, value);
    return Object.keys(RUBBISH).length;
  };
  const means = {
    spoil,
    startOwner: (instance: InstanceInput) =>
      startOwner({ kind: 'zookeeper', address: zookeeper.connectString, instance }),
    // The session's time, and up to a tick and a half of the server.
    diesWithinMs: OWNER_TTL_MS + 1_500,
  };
  const make = () => ({ registry: zookeeperRegistry({ servers: zookeeper.connectString }) });
  for (const { name, run } of registryContract('zookeeper', make, means)) it(name, run);
});
