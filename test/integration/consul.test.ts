/** consulRegistry on a real Consul. What it wrote is read by plain HTTP, and what it reads was written without it. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceInstance } from '../../src/core/instance.js';
import type { RegistryProblem } from '../../src/core/registry.js';
import { systemRuntime } from '../../src/core/runtime.js';
import { consulRegistry, type ConsulRegistry, type ConsulRegistryOptions } from '../../src/registries/consul/index.js';
import { askJson, eventually, serverOrSkip, startConsul, type Consul } from '../servers/index.js';
import { ownerThatLeaves } from './support/owners.js';

const server = await serverOrSkip('consul');
const WEB = { id: 'web-1', service: 'web', address: '10.0.0.1', port: 8080 };

interface Entry {
  readonly Service: Record<string, unknown>;
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
}

describe.skipIf(server === undefined)('consulRegistry on a real Consul', () => {
  let consul: Consul;
  const registries: ConsulRegistry[] = [];
  const registryOf = (options: ConsulRegistryOptions = {}): ConsulRegistry => {
    const registry = consulRegistry({ url: consul.url, ...options });
    registries.push(registry);
    return registry;
  };
  const witness = async (service: string): Promise<Entry[]> =>
    (await askJson(`${consul.url}/v1/health/service/${service}`)) as Entry[];
  const write = async (definition: object): Promise<void> => {
    const body = JSON.stringify(definition);
    const url = `${consul.url}/v1/agent/service/register`;
    expect((await fetch(url, { method: 'PUT', body })).status).toBe(200);
  };
  const statusOf = async (registry: ConsulRegistry, service: string): Promise<string | undefined> =>
    (await registry.discover(service))[0]?.status;

  beforeAll(async () => {
    consul = await startConsul();
  });
  afterEach(async () => {
    await Promise.all(registries.splice(0).map(registry => registry.close()));
  });
  afterAll(() => consul?.stop());

  it('writes an entry that others read, whole, and removes it', async () => {
    const registry = registryOf();
    const registration = await registry.register({
      ...{ ...WEB, weight: 7, version: '2', zone: 'a', tags: ['blue'], metadata: { k: 'v' }, protocol: 'https' },
    });
    const [entry] = await eventually(async () => {
      const entries = await witness('web');
      return entries.length === 1 && entries;
    });
    expect(entry?.Service).toMatchObject({
      ...{ ID: 'web-1', Address: '10.0.0.1', Port: 8080, Tags: ['blue'], Weights: { Passing: 7, Warning: 1 } },
      Meta: { k: 'v', version: '2', zone: 'a', protocol: 'https', secure: 'true' },
    });
    expect(entry?.Checks.map(({ CheckID, Status }) => [CheckID, Status])).toEqual([
      ['serfHealth', 'passing'],
      ['service:web-1', 'passing'],
    ]);
    const before = Number(entry?.Service['CreateIndex']);
    await registration.update({ weight: 0.5, tags: ['green'] });
    const [changed] = await witness('web');
    expect(changed?.Service).toMatchObject({ Tags: ['green'], CreateIndex: before, Meta: { weight: '0.5', k: 'v' } });
    expect(await registry.discover('web')).toMatchObject([
      { weight: 0.5, tags: ['green'], incarnation: String(before) },
    ]);
    await registration.deregister();
    expect(await witness('web')).toEqual([]);
  });

  it('reads what HTTP and the consul program wrote, within a moment, and skips what is no instance', async () => {
    const problems: RegistryProblem[] = [];
    const { next, abort } = watching(registryOf(), 'cli', problems);
    expect(await next()).toEqual([]);
    await write({ ID: 'raw-1', Name: 'cli', Address: '::1', Port: 81, Weights: { Passing: 3, Warning: 2 } });
    const startedAt = performance.now();
    expect(await next()).toMatchObject([{ id: 'raw-1', address: '::1', port: 81, weight: 3 }]);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await write({ ID: 'raw-2', Name: 'cli', Address: 'user@host', Port: 82 });
    await write({ ID: 'raw-3', Name: 'cli', Port: 70_000 });
    await write({ ID: 'raw-4', Name: 'cli', Port: 0 });
    const definition = ['-name=cli', '-id=cli-1', '-port=99', '-tag=t', '-meta=version=3'];
    await run(consul, ['services', 'register', ...definition]);
    const set = await eventually(async () => {
      const read = await next();
      return read.length === 2 && read;
    });
    // Without an address of its own it is where the node is.
    const cli = { id: 'cli-1', address: '127.0.0.1', port: 99, tags: ['t'], version: '3', status: 'passing' };
    expect(set.find(({ id }) => id === 'cli-1')).toMatchObject(cli);
    expect(new Set(problems.map(({ entry }) => entry))).toEqual(new Set(['raw-2', 'raw-3', 'raw-4']));
    abort();
  });

  it('tells passing, warning, critical and maintenance, as Consul finds them by an HTTP check', async () => {
    let answer = 200;
    const asked: string[] = [];
    const service = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(answer).end();
    }).listen(0, '127.0.0.1');
    await once(service, 'listening');
    const { port } = service.address() as AddressInfo;
    const registry = registryOf();
    const input = { id: 'checked-1', service: 'checked', address: '127.0.0.1', port };
    await registry.register(input, { check: { http: '/health?x=1', intervalMs: 1_000, timeoutMs: 500 } });
    expect(await statusOf(registry, 'checked')).toBe('passing');
    await eventually(() => expect(asked).toContain('GET /health?x=1'));
    for (const [status, expected] of [
      [429, 'warning'],
      [500, 'critical'],
      [200, 'passing'],
    ] as const) {
      answer = status;
      await eventually(async () => expect(await statusOf(registry, 'checked')).toBe(expected));
    }
    const maintenance = `${consul.url}/v1/agent/service/maintenance/checked-1?enable=`;
    await fetch(`${maintenance}true`, { method: 'PUT' });
    await eventually(async () => expect(await statusOf(registry, 'checked')).toBe('critical'));
    expect(await registryOf({ passingOnly: true }).discover('checked')).toEqual([]);
    await fetch(`${maintenance}false`, { method: 'PUT' });
    await eventually(async () => expect(await statusOf(registry, 'checked')).toBe('passing'));
    service.close();
    service.closeAllConnections();
    await eventually(async () => expect(await statusOf(registry, 'checked')).toBe('critical'));
  });

  it('says by its TTL check how it stands', async () => {
    const registry = registryOf();
    const registration = await registry.register({ ...WEB, service: 'told' }, { ttlMs: 1_000 });
    await registration.update({ status: 'warning' });
    await sleep(1_500);
    expect(await statusOf(registry, 'told')).toBe('warning');
    await registration.update({ status: 'passing' });
    expect(await statusOf(registry, 'told')).toBe('passing');
  });

  it('filters by tags, and puts an id with strange characters where it belongs', async () => {
    const registry = registryOf();
    await registry.register({ ...WEB, id: 'a b?c#d%e ü', service: 'tagged', tags: ['x', 'y'] }, { ttlMs: 1_000 });
    await registry.register({ ...WEB, id: 'other', service: 'tagged', tags: ['x'] });
    await sleep(1_500);
    const found = await registryOf({ tags: ['x', 'y'] }).discover('tagged');
    expect(found.map(({ id, status }) => [id, status])).toEqual([['a b?c#d%e ü', 'passing']]);
    await registry.close();
    expect(await witness('tagged')).toEqual([]);
  });

  it('leaves a process nothing to live for, and Consul nothing to list, when it is closed', async () => {
    const instance = { id: 'first', service: 'owned', address: '127.0.0.1', port: 9 };
    const left = await ownerThatLeaves({ kind: 'consul', address: consul.nodes[0].address, instance });
    expect(left).toMatchObject({ said: 'closed\n', code: 0 });
    expect(left.lingeredMs).toBeLessThan(1_000);
    expect(await witness('owned')).toEqual([]);
  });
});

describe.skipIf(server === undefined)('consulRegistry and a Consul that goes and comes back', () => {
  const ttlMs = 3_000;

  it.each([
    ['with its data', false],
    ['without its data, so that its index goes back', true],
  ])('%s: the watch throws, a new one tells the truth, the registrations are back', async (_, wiped) => {
    const consul = await startConsul();
    const registry = consulRegistry({ url: consul.url });
    try {
      const told: string[] = [];
      const own = await registry.register({ ...WEB, weight: 4 }, { ttlMs });
      const checked = await registry.register(
        { ...WEB, id: 'web-2' },
        { ttlMs, check: { http: 'http://127.0.0.1:1/' } },
      );
      for (const type of ['lost', 'restored'] as const) {
        own.on(type, () => void told.push(`own ${type}`));
        checked.on(type, () => void told.push(`checked ${type}`));
      }
      // Raises the index far above that of a new server.
      for (let n = 0; n < 50; n += 1) await fetch(`${consul.url}/v1/kv/key`, { method: 'PUT', body: String(n) });
      const before = watching(registry, 'web');
      expect(await before.next()).toHaveLength(2);
      const held = before.next();
      held.catch(() => undefined);
      await consul.kill();
      await expect(held).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
      await sleep(ttlMs + 1_000);
      expect([own.state, checked.state]).toEqual(['lost', 'lost']);
      if (wiped) await consul.wipe();
      await consul.restart();
      const backAt = performance.now();
      const after = watching(registry, 'web');
      await eventually(async () => {
        const set = await after.next();
        const listed = set.map(({ id, weight }) => [id, weight]).sort();
        expect(listed).toEqual([
          ['web-1', 4],
          ['web-2', 1],
        ]);
        expect(set.find(({ id }) => id === 'web-1')?.status).toBe('passing');
      });
      expect(performance.now() - backAt).toBeLessThan(ttlMs + 2_000);
      await eventually(() => expect([own.state, checked.state]).toEqual(['registered', 'registered']));
      expect(performance.now() - backAt).toBeLessThan(ttlMs + 2_000);
      expect(told.sort()).toEqual(['checked lost', 'checked restored', 'own lost', 'own restored']);
      after.abort();
    } finally {
      await registry.close();
      await consul.stop();
    }
  });
});

describe.skipIf(server === undefined)('consulRegistry and a Consul that denies by default', () => {
  it('reads and writes with a token only, and says so of the writing', async () => {
    const token = '11111111-2222-4333-8444-555555555555';
    const config = `acl { enabled = true default_policy = "deny" tokens { master = "${token}" agent = "${token}" } }`;
    const consul = await startConsul({ config, token });
    const allowed = consulRegistry({ url: consul.url, token });
    const anonymous = consulRegistry({ url: consul.url });
    try {
      const registration = await allowed.register(WEB);
      await eventually(async () => expect(await allowed.discover('web')).toHaveLength(1));
      await expect(anonymous.register({ ...WEB, id: 'web-2' })).rejects.toMatchObject({
        code: 'REGISTRATION_FAILED',
        message: expect.stringMatching(/answered 403: Permission denied/),
      });
      // 1.8 does not tell this from an unknown service.
      expect(await anonymous.discover('web')).toEqual([]);
      await expect(consulRegistry({ url: consul.url, token: 'unknown' }).discover('web')).rejects.toThrow(
        /answered 403/,
      );
      await registration.deregister();
      expect(await allowed.discover('web')).toEqual([]);
    } finally {
      await Promise.all([allowed.close(), anonymous.close()]);
      await consul.stop();
    }
  });
});

describe.skipIf(server === undefined)('consulRegistry and a Consul that speaks TLS', () => {
  it('trusts the CA and shows the certificate of its agent, and nobody without them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fairlead-tls-'));
    const file = (name: string): string => join(folder, name);
    await promisify(execFile)(program(), ['tls', 'ca', 'create'], { cwd: folder });
    const names = ['tls', 'cert', 'create', '-server', '-additional-ipaddress', '127.0.0.1'];
    await promisify(execFile)(program(), names, { cwd: folder });
    await promisify(execFile)(program(), ['tls', 'cert', 'create', '-client'], { cwd: folder });
    const port = await freePort();
    const own = `cert_file = "${file('dc1-server-consul-0.pem')}" key_file = "${file('dc1-server-consul-0-key.pem')}"`;
    const ca = `ca_file = "${file('consul-agent-ca.pem')}"`;
    const config = `ports { https = ${port} } ${ca} ${own} verify_incoming_https = true`;
    const consul = await startConsul({ config });
    const url = `https://127.0.0.1:${port}`;
    const agent = new HttpsAgent({
      ...{ keepAlive: true, ca: await readFile(file('consul-agent-ca.pem')) },
      ...{
        cert: await readFile(file('dc1-client-consul-0.pem')),
        key: await readFile(file('dc1-client-consul-0-key.pem')),
      },
    });
    const registry = consulRegistry({ url, agent });
    const stranger = consulRegistry({ url });
    try {
      await registry.register(WEB);
      expect(await registry.discover('web')).toMatchObject([{ id: 'web-1', status: 'passing' }]);
      await expect(stranger.discover('web')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
      const witness = `${consul.url}/v1/health/service/web`;
      expect(await askJson(witness)).toHaveLength(1);
      await registry.close();
      expect(await askJson(witness)).toEqual([]);
    } finally {
      await Promise.all([registry.close(), stranger.close()]);
      agent.destroy();
      await consul.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** A watch read by hand. */
function watching(registry: ConsulRegistry, service: string, problems: RegistryProblem[] = []) {
  const controller = new AbortController();
  const report = (problem: RegistryProblem): void => void problems.push(problem);
  const sets = registry.watch(service, { signal: controller.signal, runtime: systemRuntime, report });
  const iterator = sets[Symbol.asyncIterator]();
  const next = async (): Promise<readonly ServiceInstance[]> => {
    const { done, value } = await iterator.next();
    if (done === true) throw new Error('the watch ended');
    return value;
  };
  return { next, abort: () => controller.abort() };
}

function program(): string {
  return server?.toolFolder === undefined ? 'consul' : join(server.toolFolder, 'consul');
}

async function run(consul: Consul, args: readonly string[]): Promise<void> {
  const env = { ...process.env, CONSUL_HTTP_ADDR: consul.url };
  await promisify(execFile)(program(), [...args], { env });
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}
