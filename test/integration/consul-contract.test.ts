/** The contract of all registries, on a real Consul. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { consulRegistry } from '../../src/registries/consul/index.js';
import { registryContract } from '../../src/testing/registry-contract.js';
import { serverOrSkip, startConsul, type Consul } from '../servers/index.js';

const server = await serverOrSkip('consul');

describe.skipIf(server === undefined)('consulRegistry', () => {
  let consul: Consul;
  beforeAll(async () => {
    consul = await startConsul({ persistent: false });
  });
  afterAll(() => consul?.stop());

  for (const { name, run } of registryContract('consul', () => ({ registry: consulRegistry({ url: consul.url }) })))
    it(name, run);
});
