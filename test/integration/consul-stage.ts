/** Consul to tests: a witness that is not our adapter, and what faults need to know of it. */
import { expect } from 'vitest';
import { askJson, eventually, startConsul, type ServerNode } from '../servers/index.js';
import type { Kind, Locked, Witness } from './support/fault-scene.js';
import { openRegistry } from './support/open-registry.js';

/** Instances that serve, by plain HTTP. */
export const passing = async (url: string, service: string, headers = {}): Promise<string[]> => {
  const listed = await askJson(`${url}/v1/health/service/${service}?passing`, { headers });
  return (listed as { Service: { ID: string } }[]).map(({ Service }) => Service.ID).sort();
};

const ask = async (url: string, body: object, headers = {}): Promise<unknown> => {
  const signal = AbortSignal.timeout(2_000);
  const response = await fetch(url, { method: 'PUT', headers, signal, body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  return (await response.text()) || undefined;
};

/**
 * Written without a check: there as long as its agent is. An agent answers when its servers have the entry, and those hang
 * for half a minute on a leader that stands still.
 */
const witnessOf = (url: string, headers = {}): Witness => {
  const has = async (service: string, id: string): Promise<boolean> =>
    (await passing(url, service, headers)).includes(id);
  const put = async (service: string, id: string, port: number): Promise<void> => {
    const entry = { ID: id, Name: service, Address: '127.0.0.1', Port: port };
    await ask(`${url}/v1/agent/service/register`, entry, headers).catch(ignoreTimeout);
    await eventually(() => has(service, id), { withinMs: 45_000, what: `${id} to be in the catalog` });
  };
  return { has, put };
};

const ignoreTimeout = (error: unknown): void => {
  if ((error as Error).name !== 'TimeoutError') throw error;
};

/** A token that is unknown most of the time. */
const locked = async (): Promise<Locked> => {
  const master = '11111111-2222-4333-8444-555555555555';
  const token = '99999999-2222-4333-8444-555555555555';
  const tokens = `tokens { master = "${master}" agent = "${master}" }`;
  const acl = `acl { enabled = true default_policy = "deny" token_ttl = "1s" policy_ttl = "1s" ${tokens} }`;
  const cluster = await startConsul({ config: acl, token: master });
  const headers = { 'x-consul-token': master };
  const tell = (path: string, body: object): Promise<unknown> => ask(`${cluster.url}/v1/acl/${path}`, body, headers);
  await tell('policy', {
    Name: 'services',
    Rules: 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }',
  });
  let accessor: string | undefined;
  return {
    cluster,
    secret: token,
    witness: witnessOf(cluster.url, headers),
    open: address => openRegistry.consul([address], { ttlMs: 0 }, { token }),
    async grant() {
      if (accessor !== undefined) return;
      const made = await tell('token', { SecretID: token, Policies: [{ Name: 'services' }] });
      accessor = (JSON.parse(String(made)) as { AccessorID: string }).AccessorID;
    },
    async revoke() {
      if (accessor === undefined) return;
      await fetch(`${cluster.url}/v1/acl/token/${accessor}`, { method: 'DELETE', headers });
      accessor = undefined;
    },
  };
};

export const consulKind: Kind = {
  name: 'consul',
  outlivesStillLeader: false,
  // Else a server that was away is no voter for 10 s, and the two others cannot lose one of them meanwhile.
  start: nodes => startConsul({ nodes, config: 'autopilot { cleanup_dead_servers = false }' }),
  witness: (node: ServerNode) => witnessOf(node.url),
  locked,
};
