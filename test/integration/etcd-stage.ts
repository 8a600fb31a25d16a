/** What tests of etcdRegistry share: a witness that is not our adapter, a wire that can be cut, and a watched service. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { DiscoveryClient } from '../../src/discovery/discovery-client.js';
import type { ClientEvent } from '../../src/core/events.js';
import type { Registration } from '../../src/core/registry.js';
import { etcdRegistry, type EtcdRegistryOptions } from '../../src/registries/etcd/index.js';
import { askJson } from '../servers/index.js';

export const TTL_MS = 2_000;
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

/** Calls that a server has taken so far, as it counts them itself. */
export const requestsSeenBy = async (url: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^grpc_server_started_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
};

/** Bytes pass both ways until it is cut (with a reset) or stalled (silence: a cable that was pulled). */
export const startWire = async (target: string) => {
  const { hostname, port } = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  let silent = false;
  const server = createServer(near => {
    const far = connect(Number(port), hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', chunk => void (silent || to.destroyed || to.write(chunk)));
      from.on('error', () => undefined);
      from.once('close', () => {
        pairs.delete(pair);
        if (!silent) to.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => pairs.forEach(pair => pair.forEach(socket => socket.resetAndDestroy()));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return pairs.size;
    },
    cut,
    stall(on: boolean) {
      silent = on;
    },
    close() {
      cut();
      server.close();
    },
  };
};

/** Counts the connections that this process tries to make. */
export const countConnections = () => {
  let count = 0;
  const listener = (): void => void (count += 1);
  subscribe('net.client.socket', listener);
  const startedAt = performance.now();
  return () => {
    unsubscribe('net.client.socket', listener);
    return { count, perSecond: count / ((performance.now() - startedAt) / 1_000) };
  };
};

/** A registration of ours, and a DiscoveryClient that watches its service through a registry of its own. */
export const setStage = async (options: EtcdRegistryOptions, service: string) => {
  const short = { requestTimeoutMs: 1_000, watchdogMs: 1_000, ...options };
  const registrar = etcdRegistry(short);
  const reader = etcdRegistry(short);
  const events: ClientEvent[] = [];
  const told: string[] = [];
  /** How many instances each set had that was published. */
  const sizes: number[] = [];
  const discovery = new DiscoveryClient({ registry: reader, onEvent: event => events.push(event) });
  discovery.subscribe(service, { changed: set => sizes.push(set.instances.length) });
  const pending = registrar.register({ id: 'own', service, address: '127.0.0.1', port: 7_001 }, { ttlMs: TTL_MS });
  pending.catch(() => undefined);
  const follow = (registration: Registration): void => {
    for (const type of ['lost', 'restored', 'error'] as const) registration.on(type, () => void told.push(type));
  };
  return {
    ...{ registrar, reader, discovery, events, told, sizes, service, pending, follow },
    prefix: `/services/${service}/`,
    async ids(): Promise<string[]> {
      return (await discovery.getInstances(service)).map(({ id }) => id).sort();
    },
    async close(): Promise<void> {
      await discovery.close();
      await Promise.all([registrar.close(), reader.close()]);
    },
  };
};
export type Stage = Awaited<ReturnType<typeof setStage>>;
