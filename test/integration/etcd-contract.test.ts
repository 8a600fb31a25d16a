/** The contract of all registries, on a real etcd. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { InstanceInput } from '../../src/core/instance.js';
import { etcdRegistry } from '../../src/registries/etcd/index.js';
import { registryContract } from '../../src/testing/registry-contract.js';
import { serverOrSkip, startEtcd, type Etcd } from '../servers/index.js';
import { witness } from './etcd-stage.js';
import { OWNER_TTL_MS } from './support/open-registry.js';
import { startOwner } from './support/owners.js';
import { RUBBISH } from './support/rubbish.js';

const server = await serverOrSkip('etcd');

describe.skipIf(server === undefined)('etcdRegistry', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd?.stop());

  const spoil = async (service: string): Promise<number> => {
    const { put } = witness(etcd.nodes[0].url);
    for (const [id, value] of Object.entries(RUBBISH)) await put(`/services/${service}/${id}`, value);
    return Object.keys(RUBBISH).length;
  };
  const means = {
    spoil,
    startOwner: (instance: InstanceInput) => startOwner({ kind: 'etcd', address: etcd.nodes[0].address, instance }),
    // etcd looks for leases that ran out every half second.
    diesWithinMs: OWNER_TTL_MS + 1_500,
  };
  const make = () => ({ registry: etcdRegistry({ endpoints: etcd.endpoints }) });
  for (const { name, run } of registryContract('etcd', make, means)) it(name, run);
});
