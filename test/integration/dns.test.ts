/** dnsRegistry on Consul's DNS interface. What it reads was written over HTTP. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createServiceClient, DiscoveryClient, type ClientEvent, type Registry } from '../../src/index.js';
import { dnsRegistry, type DnsRegistryOptions, type DnsResolver } from '../../src/registries/dns.js';
import { eventually, serverOrSkip, startConsul, type Consul } from '../servers/index.js';

const server = await serverOrSkip('consul');
const READER = fileURLToPath(new URL('dns-reader.ts', import.meta.url));
/** Whole answers, and TTLs to see. */
const WHOLE = 'dns_config { udp_answer_limit = 100 enable_truncate = true service_ttl { "*" = "2s" } node_ttl = "3s" }';

const put = async (consul: Consul, path: string, body?: object): Promise<void> => {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  expect((await fetch(`${consul.url}/v1/agent/${path}`, { method: 'PUT', ...init })).status).toBe(200);
};
const write = (consul: Consul, definition: object): Promise<void> => put(consul, 'service/register', definition);
const writeMany = async (consul: Consul, name: string, count: number): Promise<void> => {
  for (let n = 1; n <= count; n += 1)
    await write(consul, { ID: `${name}-${n}`, Name: name, Address: `10.0.0.${n}`, Port: 8_000 + n });
};

describe.skipIf(server === undefined)('dnsRegistry on the DNS of a real Consul', () => {
  let consul: Consul;
  const registries: Registry[] = [];
  const registryOf = (options: DnsRegistryOptions = {}): Registry => {
    const registry = dnsRegistry({ name: '{service}.service.consul', servers: [consul.dnsAddress], ...options });
    registries.push(registry);
    return registry;
  };

  beforeAll(async () => {
    consul = await startConsul({ persistent: false, config: WHOLE });
  });
  afterEach(async () => {
    await Promise.all(registries.splice(0).map(registry => registry.close()));
  });
  afterAll(() => consul?.stop());

  it('reads address, port and weight from SRV records, by both forms of the name', async () => {
    await write(consul, { ID: 'w1', Name: 'web', Address: '10.0.0.1', Port: 81, Weights: { Passing: 7, Warning: 1 } });
    await write(consul, { ID: 'w2', Name: 'web', Address: 'fd00::2', Port: 82 });
    await write(consul, { ID: 'w3', Name: 'web', Port: 83 });
    const expected = [
      { address: '10.0.0.1', port: 81, weight: 7 },
      // Without an address of its own it is where its node is.
      { address: '127.0.0.1', port: 83, weight: 1 },
      { address: 'fd00::2', port: 82, weight: 1 },
    ];
    for (const name of ['{service}.service.consul', '_{service}._tcp.service.consul']) {
      const found = await registryOf({ name }).discover('web');
      const shown = found.map(({ address, port, weight }) => ({ address, port, weight }));
      expect(shown.sort((one, other) => (one.address < other.address ? -1 : 1))).toEqual(expected);
    }
    const named = await registryOf({ targets: 'name' }).discover('web');
    expect(named.map(({ id }) => id)).toContain('0a000001.addr.dc1.consul:81');
  });

  it('reads addresses with a given port, and leaves out who is critical', async () => {
    await writeMany(consul, 'plain', 3);
    const check = { TTL: '60s', Status: 'critical' };
    await write(consul, { ID: 'plain-4', Name: 'plain', Address: '10.0.0.4', Port: 1, Check: check });
    const found = await registryOf({ type: 'A', port: 8080 }).discover('plain');
    expect(found.map(({ id }) => id)).toEqual(['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080']);
    await expect(registryOf({ type: 'AAAA', port: 8080 }).discover('plain')).rejects.toThrow(/ENODATA|ENOTFOUND/);
  });

  it('reads all of 40 instances though they do not fit into a datagram', async () => {
    await writeMany(consul, 'many', 40);
    expect(await registryOf().discover('many')).toHaveLength(40);
    expect(await registryOf({ type: 'A', port: 80 }).discover('many')).toHaveLength(40);
  });

  it('says of an unknown service that there is no such name', async () => {
    await expect(registryOf().discover('nobody')).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: `dns at ${consul.dnsAddress}: nobody.service.consul (SRV): there is no such name (ENOTFOUND)`,
    });
  });

  it('serves a client: a change is seen after the TTL, and the calls reach the instances', async () => {
    const answering = createServer((_request, response) => void response.end('hello')).listen(0, '127.0.0.1');
    await once(answering, 'listening');
    const { port } = answering.address() as AddressInfo;
    await write(consul, { ID: 'greet-1', Name: 'greet', Address: '127.0.0.1', Port: port });
    const client = createServiceClient({ service: 'greet', registry: registryOf({ minRefreshMs: 1_000 }) });
    try {
      expect(await (await client.fetch('/')).text()).toBe('hello');
      await write(consul, { ID: 'greet-2', Name: 'greet', Address: '127.0.0.2', Port: port });
      await eventually(() => expect(client.instances().map(({ address }) => address)).toContain('127.0.0.2'));
    } finally {
      await client.close();
      answering.close();
      answering.closeAllConnections();
    }
  });

  it.each(['closed', 'aborted'])('leaves nothing that keeps a process alive when it is %s', async how => {
    await writeMany(consul, 'left', 2);
    expect(await leaveMs(consul.dnsAddress, how)).toBeLessThan(1_000);
  });
});

describe('dnsRegistry and a DNS server that keeps silent', () => {
  it('takes back its queries, so that they keep no process alive', async () => {
    const silent = createSocket('udp4');
    silent.bind(0, '127.0.0.1');
    await once(silent, 'listening');
    let queries = 0;
    silent.on('message', () => (queries += 1));
    try {
      // A query would be sent again after 1 s and given up after 3 s.
      expect(await leaveMs(`127.0.0.1:${silent.address().port}`, 'asking')).toBeLessThan(700);
      expect(queries).toBe(1);
    } finally {
      silent.close();
    }
  });
});

/** How long a process that has said "done" takes to leave by itself. */
const leaveMs = async (dnsAddress: string, how: string): Promise<number> => {
  const reader = spawn(process.execPath, ['--import', 'tsx', READER, dnsAddress, 'left', how]);
  const said: string[] = [];
  reader.stdout.on('data', chunk => said.push(String(chunk)));
  reader.stderr.on('data', chunk => said.push(String(chunk)));
  await once(reader.stdout, 'data');
  const doneAt = performance.now();
  const [code] = (await once(reader, 'exit')) as [number];
  expect([said.join(''), code]).toEqual(['done\n', 0]);
  return performance.now() - doneAt;
};

describe.skipIf(server === undefined)('a Consul as it is delivered', () => {
  it('tells 3 of 40 instances, and nobody that there are more: hence the settings in the guide', async () => {
    const consul = await startConsul({ persistent: false });
    const registry = dnsRegistry({ name: '{service}.service.consul', servers: [consul.dnsAddress] });
    try {
      await writeMany(consul, 'many', 40);
      expect(await registry.discover('many')).toHaveLength(3);
    } finally {
      await registry.close();
      await consul.stop();
    }
  });
});

/** Counts what it is asked. */
const countingResolver = (servers: readonly string[]): DnsResolver & { readonly count: number } => {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers(servers);
  const counting = {
    count: 0,
    resolveSrv(name: string) {
      counting.count += 1;
      return resolver.resolveSrv(name);
    },
    resolve4: (name: string, options: { ttl: true }) => resolver.resolve4(name, options),
    resolve6: (name: string, options: { ttl: true }) => resolver.resolve6(name, options),
  };
  return counting;
};

/** The default TTL of a registration + 2 s, as with every registry. */
const SEEN = { withinMs: 17_000, what: 'the set to be right' };

describe.skipIf(server === undefined)('dnsRegistry and a DNS server that goes and comes back', () => {
  const seen = { ids: [] as string[], events: [] as ClientEvent[] };
  const rejections: unknown[] = [];
  const note = (reason: unknown): void => void rejections.push(reason);
  beforeAll(() => void process.on('unhandledRejection', note));
  afterAll(() => {
    process.off('unhandledRejection', note);
    expect(rejections).toEqual([]);
  });

  const follow = (registry: Registry, service: string): DiscoveryClient => {
    seen.ids = [];
    seen.events = [];
    const discovery = new DiscoveryClient({ registry, onEvent: event => void seen.events.push(event) });
    discovery.subscribe(service, { changed: set => (seen.ids = set.instances.map(({ port }) => String(port)).sort()) });
    return discovery;
  };

  it.each([
    ['is killed and comes back with its data', { wiped: false, paused: false }],
    ['is killed and comes back without its data, so that there is no such name', { wiped: true, paused: false }],
    ['stands still and goes on', { wiped: false, paused: true }],
  ])('which %s: the last set is kept, few queries are sent, and the next change is seen', async (_, how) => {
    const consul = await startConsul({ config: WHOLE });
    // Nobody listens at the first one, from the start.
    const resolver = countingResolver(['127.0.0.1:1', consul.dnsAddress]);
    const options = { name: '{service}.service.consul', resolver, minRefreshMs: 1_000, timeoutMs: 2_000 };
    const registry = dnsRegistry(options);
    const discovery = follow(registry, 'web');
    try {
      await writeMany(consul, 'web', 3);
      await eventually(() => expect(seen.ids).toEqual(['8001', '8002', '8003']), SEEN);
      if (how.paused) await consul.pause();
      else await consul.kill();
      const before = resolver.count;
      await sleep(8_000);
      expect(resolver.count - before).toBeLessThan(8 * 4);
      expect(seen.ids).toEqual(['8001', '8002', '8003']);
      if (how.paused) consul.resume();
      if (how.wiped) await consul.wipe();
      if (!how.paused) await consul.restart();
      if (how.wiped) {
        await sleep(4_000);
        expect(seen.ids).toEqual(['8001', '8002', '8003']);
        await writeMany(consul, 'web', 3);
      }
      await write(consul, { ID: 'web-4', Name: 'web', Address: '10.0.0.4', Port: 8_004 });
      await eventually(() => expect(seen.ids).toEqual(['8001', '8002', '8003', '8004']), SEEN);
      const told = seen.events.map(({ type }) => type);
      expect(told).toEqual(expect.arrayContaining(['registry.lost', 'registry.restored']));
      console.log(`DNS ${_}: ${resolver.count - before} queries while it was away and until the change was seen`);
    } finally {
      await discovery.close();
      await registry.close();
      await consul.stop();
    }
  });
});
