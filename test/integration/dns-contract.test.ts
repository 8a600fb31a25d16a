/** What is asked of every registry about reading, on the DNS of a real Consul; what it lists is registered over HTTP. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { consulRegistry } from '../../src/registries/consul/index.js';
import { dnsRegistry } from '../../src/registries/dns.js';
import { registryReadingContract } from '../../src/testing/registry-contract.js';
import { serverOrSkip, startConsul, type Consul } from '../servers/index.js';

const server = await serverOrSkip('consul');
const WHOLE = 'dns_config { udp_answer_limit = 100 enable_truncate = true }';
/** An answer with 400 is one that the resolver of Node 20 cannot read (EBADNAME): its names are too far behind. */
const MANY = 250;

describe.skipIf(server === undefined)('dnsRegistry', () => {
  let consul: Consul;
  beforeAll(async () => {
    consul = await startConsul({ persistent: false, config: WHOLE });
  });
  afterAll(() => consul?.stop());

  const make = () => {
    const registrar = consulRegistry({ url: consul.url });
    const options = {
      name: '{service}.service.consul',
      servers: [consul.dnsAddress],
      minRefreshMs: 1_000,
      assumedTtlMs: 1_000,
    };
    return { registry: dnsRegistry(options), registrar, close: () => registrar.close() };
  };
  for (const { name, run } of registryReadingContract('dns', make, { many: MANY })) it(name, run);
});
