/** The contract of all registries, on a real etcd. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { etcdRegistry } from '../../src/registries/etcd/index.js';
import { registryContract } from '../../src/testing/registry-contract.js';
import { serverOrSkip, startEtcd, type Etcd } from '../servers/index.js';

const server = await serverOrSkip('etcd');

describe.skipIf(server === undefined)('etcdRegistry', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd?.stop());

  for (const { name, run } of registryContract('etcd', () => ({
    registry: etcdRegistry({ endpoints: etcd.endpoints }),
  })))
    it(name, run);
});
