/** etcdRegistry on a real etcd. What it wrote is read by etcdctl or HTTP, and what it reads was written by those. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Etcd3 } from 'etcd3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceInstance } from '../../src/core/instance.js';
import type { RegistryProblem } from '../../src/core/registry.js';
import { systemRuntime } from '../../src/core/runtime.js';
import { etcdRegistry, type EtcdRegistry, type EtcdRegistryOptions } from '../../src/registries/etcd/index.js';
import { eventually, serverOrSkip, startEtcd, type Etcd } from '../servers/index.js';
import { reservePorts } from '../servers/ports.js';
import { onPath } from '../servers/run.js';
import { witness } from './etcd-stage.js';
import { ownerThatLeaves } from './support/owners.js';
import { openWire } from './support/wire.js';

const server = await serverOrSkip('etcd');
const WEB = { id: 'web-1', service: 'web', address: '10.0.0.1', port: 8080 };

const registries: EtcdRegistry[] = [];
const opened = (options: EtcdRegistryOptions): EtcdRegistry => {
  const registry = etcdRegistry(options);
  registries.push(registry);
  return registry;
};
const idsOf = (set: readonly ServiceInstance[]): string[] => set.map(({ id }) => id).sort();

afterEach(async () => {
  await Promise.all(registries.splice(0).map(registry => registry.close()));
});

describe.skipIf(server === undefined)('etcdRegistry on a real etcd', () => {
  let etcd: Etcd;
  let url = '';
  beforeAll(async () => {
    etcd = await startEtcd();
    url = etcd.nodes[0].url;
  });
  afterAll(() => etcd?.stop());

  it('writes a key that others read, whole, under a lease, and removes it', async () => {
    const registry = opened({ endpoints: url });
    const registration = await registry.register({
      ...{ ...WEB, weight: 7, version: '2', zone: 'a', tags: ['blue'], metadata: { k: 'v' }, protocol: 'https' },
    });
    const { list } = witness(url);
    const { value = '', lease } = (await list('/services/web/'))['/services/web/web-1'] ?? {};
    expect(JSON.parse(value)).toEqual({
      ...{ address: '10.0.0.1', port: 8080, protocol: 'https', weight: 7, version: '2', zone: 'a', tags: ['blue'] },
      ...{ metadata: { k: 'v' }, status: 'passing' },
    });
    expect(lease).toMatch(/^[1-9]/);
    await registration.update({ weight: 0.5, status: 'warning' });
    expect(await registry.discover('web')).toMatchObject([{ weight: 0.5, status: 'warning', zone: 'a' }]);
    expect((await list('/services/web/'))['/services/web/web-1']?.lease).toBe(lease);
    await registration.deregister();
    expect(await list('/services/web/')).toEqual({});
  });

  it.skipIf(server?.toolFolder === undefined)(
    'reads what etcdctl wrote, within a moment, and skips what is no instance',
    async () => {
      const problems: RegistryProblem[] = [];
      const { next, abort } = watching(opened({ endpoints: url }), 'cli', problems);
      expect(await next()).toEqual([]);
      await etcdctl(url, 'put', '/services/cli/plain', '127.0.0.1:81');
      expect(await next()).toMatchObject([{ id: 'plain', address: '127.0.0.1', port: 81, protocol: 'http' }]);
      await etcdctl(url, 'put', '/services/cli/junk', '<html>');
      await etcdctl(url, 'put', '/services/cli/zero', '127.0.0.1:0');
      await etcdctl(url, 'put', '/services/client/other', '127.0.0.1:1');
      await etcdctl(url, 'put', '/services/cli/json', '{"address":"::1","port":82,"version":"3","more":[1]}');
      const set = await eventually(async () => {
        const read = await next();
        return read.length === 2 && read;
      });
      expect(set.find(({ id }) => id === 'json')).toMatchObject({ address: '::1', port: 82, version: '3' });
      expect(problems.map(({ entry }) => entry)).toEqual(['junk', 'zero']);
      await etcdctl(url, 'del', '/services/cli/plain');
      expect(idsOf(await next())).toEqual(['json']);
      abort();
      const registration = await opened({ endpoints: url }).register({ ...WEB, service: 'ctl' });
      expect(await etcdctl(url, 'get', '--prefix', '--keys-only', '/services/ctl/')).toBe('/services/ctl/web-1');
      await registration.deregister();
    },
  );

  it('follows through a compaction, and through revisions of other keys', async () => {
    const { put, ask } = witness(url);
    const { next, abort } = watching(opened({ endpoints: url }), 'compacted');
    await next();
    for (let n = 0; n < 20; n += 1) await put('/elsewhere', String(n));
    const { header } = (await ask('kv/range', { key: 'eA==' })) as { header: { revision: string } };
    await ask('kv/compaction', { revision: header.revision, physical: true });
    await put('/services/compacted/a', 'h:1');
    expect(idsOf(await next())).toEqual(['a']);
    abort();
  });

  it('reads more than gRPC takes in one answer, with its own client and with one of the caller’s', async () => {
    const writer = new Etcd3({ hosts: url });
    const caller = new Etcd3({ hosts: url });
    try {
      const pad = 'x'.repeat(30_000);
      const ids = Array.from({ length: 300 }, (_, index) => `i-${index}`);
      // 9 MB; by default the package refuses answers of more than 4 MB.
      for (const id of ids)
        await writer.put(`/services/big/${id}`).value(JSON.stringify({ address: 'h', port: 1, metadata: { pad } }));
      await writer.put('/services/big/huge').value('x'.repeat(1_000_000));
      const problems: RegistryProblem[] = [];
      for (const options of [{ endpoints: url }, { client: caller }]) {
        const registry = opened(options);
        const report = (problem: RegistryProblem): void => void problems.push(problem);
        expect(await registry.discover('big', { report })).toHaveLength(300);
        const { next, abort } = watching(registry, 'big');
        expect(await next()).toHaveLength(300);
        abort();
        await registry.close();
      }
      expect(problems.map(({ entry }) => entry)).toEqual(['huge', 'huge']);
      // It is the caller's: closing the registry did not close it.
      expect(await caller.get('/services/big/i-0')).toContain('"h"');
      await writer.delete().prefix('/services/big/');
    } finally {
      writer.close();
      caller.close();
    }
  });

  it('keeps to its prefix, and two services whose names begin alike apart', async () => {
    const registry = opened({ endpoints: url, prefix: '/teams/blue' });
    await registry.register({ ...WEB, service: 'a' });
    await registry.register({ ...WEB, service: 'ab', id: 'web-2' });
    expect(Object.keys(await witness(url).list('/teams/'))).toEqual(['/teams/blue/a/web-1', '/teams/blue/ab/web-2']);
    expect(idsOf(await registry.discover('a'))).toEqual(['web-1']);
    expect(await opened({ endpoints: url }).discover('a')).toEqual([]);
  });

  it('leaves a process nothing to live for once it is closed, and no entry', async () => {
    const instance = { id: 'first', service: 'owned', address: '127.0.0.1', port: 9 };
    const left = await ownerThatLeaves({ kind: 'etcd', address: etcd.nodes[0].address, instance });
    expect(left).toMatchObject({ said: 'closed\n', code: 0 });
    expect(left.lingeredMs).toBeLessThan(1_000);
    expect(await witness(url).list('/services/owned/')).toEqual({});
  });

  it('holds no connection before its first use and after its last', async () => {
    const wire = await openWire(url);
    const registry = opened({ endpoints: wire.address });
    expect(wire.connections).toBe(0);
    const { next, abort } = watching(registry, 'web');
    const registration = await registry.register({ ...WEB, service: 'wired' });
    await next();
    expect(wire.connections).toBeGreaterThan(0);
    const ended = next().catch(() => undefined);
    abort();
    await ended;
    await registration.deregister();
    await eventually(() => expect(wire.connections).toBe(0));
    await wire.down();
  });
});

describe.skipIf(server === undefined)('etcdRegistry and an etcd with users', () => {
  it('logs in, also after a restart that forgot all tokens, and may what the user may', async () => {
    const etcd = await startEtcd();
    const { url } = etcd.nodes[0];
    const { ask } = witness(url);
    const all = { perm_type: 'READWRITE', key: base64('/services/'), range_end: base64('/services0') };
    await ask('auth/user/add', { name: 'root', password: 'root-secret' });
    await ask('auth/user/grant', { user: 'root', role: 'root' });
    await ask('auth/role/add', { name: 'services' });
    await ask('auth/role/grant', { name: 'services', perm: { ...all, permType: 'READWRITE' } });
    await ask('auth/user/add', { name: 'app', password: 'app-secret' });
    await ask('auth/user/grant', { user: 'app', role: 'services' });
    const app = { endpoints: url, username: 'app', password: 'app-secret' };
    // Configured before it is needed.
    const registry = opened(app);
    const registration = await registry.register(WEB, { ttlMs: 2_000 });
    const { next } = watching(registry, 'web');
    await next();
    await ask('auth/enable', {});
    try {
      await expect(opened({ endpoints: url }).discover('web')).rejects.toThrow(/user name is empty/);
      await expect(opened({ endpoints: url }).register(WEB)).rejects.toMatchObject({ code: 'REGISTRATION_FAILED' });
      await expect(opened({ ...app, prefix: '/others/' }).register(WEB)).rejects.toThrow(/permission denied/);
      await expect(opened({ ...app, prefix: '/others/' }).discover('web')).rejects.toThrow(/PERMISSION_DENIED/);
      await registration.update({ weight: 3 });
      expect(await registry.discover('web')).toMatchObject([{ weight: 3 }]);
      const ended = next().catch((error: unknown) => error);
      await etcd.restart();
      await ended;
      await registration.update({ weight: 4 });
      const again = watching(registry, 'web');
      expect(await again.next()).toMatchObject([{ weight: 4 }]);
      again.abort();
      await eventually(() => expect(registration.state).toBe('registered'));
    } finally {
      await registry.close();
      await etcd.stop();
    }
  });
});

const openssl = await onPath('openssl');

describe.skipIf(server === undefined || openssl === undefined)('etcdRegistry and an etcd that speaks TLS', () => {
  it('trusts the CA, shows a certificate and logs in, and nobody who lacks one of these', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fairlead-etcd-tls-'));
    const { ca, client } = await makeCertificates(folder);
    const [port = 0] = await reservePorts(1);
    const file = (name: string): string => join(folder, name);
    const etcd = await startEtcd({
      // In the clear for the witness, and with TLS.
      args: ({ url }) => [
        ...['--listen-client-urls', `${url},https://127.0.0.1:${port}`, '--client-cert-auth'],
        ...['--trusted-ca-file', file('ca.pem'), '--cert-file', file('server.pem'), '--key-file', file('server.key')],
      ],
    });
    const { ask, list } = witness(etcd.nodes[0].url);
    const endpoints = `https://127.0.0.1:${port}`;
    const mutual = { endpoints, tls: { ca, ...client }, requestTimeoutMs: 2_000 };
    const login = { username: 'root', password: 'root-secret' };
    try {
      const registry = opened({ ...mutual, ...login });
      const registration = await registry.register(WEB, { ttlMs: 2_000 });
      const { next, abort } = watching(registry, 'web');
      expect(idsOf(await next())).toEqual(['web-1']);
      expect(Object.keys(await list('/services/'))).toEqual(['/services/web/web-1']);
      for (const tls of [undefined, { ca }, client]) {
        const stranger = opened({ ...mutual, tls });
        await expect(stranger.discover('web')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
      }
      await ask('auth/user/add', { name: 'root', password: 'root-secret' });
      await ask('auth/user/grant', { user: 'root', role: 'root' });
      await ask('auth/enable', {});
      await registration.update({ weight: 3 });
      expect(await next()).toMatchObject([{ weight: 3 }]);
      await expect(opened({ ...mutual, ...login, password: 'wrong' }).discover('web')).rejects.toThrow(
        /authentication failed/,
      );
      expect(registration.state).toBe('registered');
      abort();
      await registry.close();
    } finally {
      await etcd.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** A watch read by hand. */
function watching(registry: EtcdRegistry, service: string, problems: RegistryProblem[] = []) {
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

async function etcdctl(endpoint: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, ETCDCTL_API: '3' };
  const program = join(server?.toolFolder ?? '', 'etcdctl');
  const { stdout } = await promisify(execFile)(program, [`--endpoints=${endpoint}`, '--command-timeout=3s', ...args], {
    env,
  });
  return stdout.trim();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A CA, and a key with a certificate for each side, as PEM files and texts: made anew, so that no key is ever kept. */
async function makeCertificates(folder: string) {
  const run = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: folder });
  const fresh = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  await run('req', '-x509', ...fresh, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca');
  await writeFile(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1');
  const signed = async (name: string) => {
    await run('req', ...fresh, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
    await run('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
    return { cert: await read(`${name}.pem`), key: await read(`${name}.key`) };
  };
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  await signed('server');
  return { ca: await read('ca.pem'), client: await signed('client') };
}
