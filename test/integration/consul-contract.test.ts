/** The contract of all registries, on a real Consul. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceInput } from '../../src/core/instance.js';
import { consulRegistry } from '../../src/registries/consul/index.js';
import { registryContract } from '../../src/testing/registry-contract.js';
import { serverOrSkip, startConsul, type Consul } from '../servers/index.js';
import { OWNER_TTL_MS } from './support/open-registry.js';
import { startOwner } from './support/owners.js';

const server = await serverOrSkip('consul');

describe.skipIf(server === undefined)('consulRegistry', () => {
  let consul: Consul;
  beforeAll(async () => {
    consul = await startConsul({ persistent: false });
  });
  afterAll(() => consul?.stop());

  /** Consul itself refuses what is no definition; what it takes is bad enough. */
  const spoil = async (service: string): Promise<number> => {
    const entries = [
      { Port: 0 },
      { Port: 70_000 },
      { Address: '', Port: -1 },
      { Address: 'user@host', Port: 80 },
      { Address: 'host/path', Port: 80 },
      { Address: '<html></html>', Port: 80 },
      { Address: '10.0.0.1', Port: 80, Meta: { weight: 'heavy' } },
    ];
    for (const [index, entry] of entries.entries()) {
      const body = JSON.stringify({ ID: `${service}-bad-${index}`, Name: service, ...entry });
      const response = await fetch(`${consul.url}/v1/agent/service/register`, { method: 'PUT', body });
      expect(response.status).toBe(200);
    }
    return entries.length;
  };
  const means = {
    spoil,
    startOwner: (instance: InstanceInput) => startOwner({ kind: 'consul', address: consul.nodes[0].address, instance }),
    diesWithinMs: OWNER_TTL_MS + 1_500,
  };
  const make = () => ({ registry: consulRegistry({ url: consul.url }) });
  for (const { name, run } of registryContract('consul', make, means)) it(name, run);
});
