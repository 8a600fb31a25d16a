/** etcd to tests: a witness that is not our adapter, and what faults need to know of it. */
import { askJson, startEtcd, type ServerNode } from '../servers/index.js';
import type { Kind, Locked, Witness } from './support/fault-scene.js';
import { openRegistry } from './support/open-registry.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const plain = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

/** etcd by its HTTP gateway: what is there, and what others write. */
export const witness = (url: string, token?: string) => {
  const ask = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: token };
    const options = { method: 'POST', body: JSON.stringify(body), headers, timeoutMs: 2_000 };
    return (await askJson(`${url}/v3/${path}`, options)) as Record<string, unknown>;
  };
  return {
    ask,
    put: (key: string, value: string) => ask('kv/put', { key: base64(key), value: base64(value) }),
    remove: (key: string) => ask('kv/deleterange', { key: base64(key) }),
    /** Keys below a prefix with their values and leases. */
    async list(prefix: string): Promise<Record<string, { value: string; lease: string }>> {
      const range_end = base64(
        `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`,
      );
      const { kvs = [] } = (await ask('kv/range', { key: base64(prefix), range_end })) as {
        kvs?: { key: string; value: string; lease?: string }[];
      };
      return Object.fromEntries(
        kvs.map(({ key, value, lease = '0' }) => [plain(key), { value: plain(value ?? ''), lease }]),
      );
    },
  };
};

const witnessOf = (url: string, token?: () => Promise<string>): Witness => ({
  async has(service, id) {
    const key = `/services/${service}/${id}`;
    const { lease = '0' } = (await witness(url, await token?.()).list(`/services/${service}/`))[key] ?? {};
    // One without a lease would outlive its owner.
    return lease !== '0';
  },
  put: async (service, id, port) =>
    void (await witness(url, await token?.()).put(`/services/${service}/${id}`, `127.0.0.1:${port}`)),
});

/** A user whose password is another one most of the time. */
const locked = async (): Promise<Locked> => {
  const cluster = await startEtcd();
  const { url } = cluster.nodes[0];
  const login = { name: 'root', password: 'root-secret' };
  const { ask } = witness(url);
  await ask('auth/user/add', login);
  await ask('auth/user/grant', { user: 'root', role: 'root' });
  await ask('auth/user/add', { name: 'app', password: 'another' });
  await ask('auth/user/grant', { user: 'app', role: 'root' });
  await ask('auth/enable', {});
  const token = async (): Promise<string> => ((await ask('auth/authenticate', login)) as { token: string }).token;
  const change = async (password: string): Promise<void> =>
    void (await witness(url, await token()).ask('auth/user/changepw', { name: 'app', password }));
  return {
    cluster,
    secret: 'app-secret',
    witness: witnessOf(url, token),
    open: address => openRegistry.etcd([address], { ttlMs: 0 }, { username: 'app', password: 'app-secret' }),
    grant: () => change('app-secret'),
    revoke: () => change('another'),
  };
};

export const etcdKind: Kind = {
  name: 'etcd',
  outlivesStillLeader: true,
  start: nodes => startEtcd({ nodes }),
  witness: (node: ServerNode) => witnessOf(node.url),
  locked,
};
