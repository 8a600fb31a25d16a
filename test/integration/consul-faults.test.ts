/**
 * What goes wrong with three Consul servers, and with the way to one: the last good set is kept, the own registration
 * comes back, nobody is asked without end. (One server that is killed, wiped, paused, or late: consul.test.ts.)
 * What is registered is looked up by plain HTTP.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiscoveryClient, type ClientEvent, type Registration } from '../../src/index.js';
import { consulRegistry, type ConsulRegistryOptions } from '../../src/registries/consul/index.js';
import { askJson, eventually, serverOrSkip, startConsul, type Consul, type ConsulNode } from '../servers/index.js';
import { openGate } from './support/gate.js';

const server = await serverOrSkip('consul');
const TTL_MS = 3_000;
const BACK = { withinMs: TTL_MS + 2_000, what: 'the registration to be back' };
/** The longest pause of a watch between two tries, and a read. */
const SEEN = { withinMs: 35_000, what: 'the set to be right' };
const rejections: unknown[] = [];
const note = (reason: unknown): void => void rejections.push(reason);
let used = 0;

beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => {
  process.off('unhandledRejection', note);
  expect(rejections).toEqual([]);
});

const passing = async (url: string, service: string): Promise<string[]> => {
  const listed = (await askJson(`${url}/v1/health/service/${service}?passing`)) as { Service: { ID: string } }[];
  return listed.map(({ Service }) => Service.ID).sort();
};

/** One that somebody else registered, without a check: there as long as its agent is. */
const writeOther = async (url: string, service: string, id: string): Promise<void> => {
  // Two at one address and port would count once.
  const body = JSON.stringify({ ID: id, Name: service, Address: `${id}.example`, Port: 9 });
  const response = await fetch(`${url}/v1/agent/service/register`, { method: 'PUT', body });
  expect(response.status).toBe(200);
};

interface Scene extends AsyncDisposable {
  readonly service: string;
  readonly own: Registration;
  readonly told: string[];
  readonly events: ClientEvent[];
  /** As a service client sees them. */
  ids(): string[];
}

/** An instance of our own and one caller, both on these agents. */
const setScene = async (options: ConsulRegistryOptions): Promise<Scene> => {
  const registry = consulRegistry({ waitMs: 2_000, requestTimeoutMs: 1_500, ...options });
  used += 1;
  const service = `faults-${used}`;
  const events: ClientEvent[] = [];
  const discovery = new DiscoveryClient({ registry, holdMs: 1_000, onEvent: event => void events.push(event) });
  let ids: string[] = [];
  discovery.subscribe(service, { changed: set => (ids = set.instances.map(({ id }) => id).sort()) });
  const own = await registry.register({ id: 'own', service, address: '10.0.0.1', port: 1 }, { ttlMs: TTL_MS });
  const told: string[] = [];
  for (const type of ['lost', 'restored'] as const) own.on(type, () => void told.push(type));
  return {
    ...{ service, own, told, events, ids: () => ids },
    async [Symbol.asyncDispose]() {
      await discovery.close();
      await registry.close();
    },
  };
};

describe.skipIf(server === undefined)('three Consul servers', () => {
  let consul: Consul;
  let nodes: readonly [ConsulNode, ConsulNode, ConsulNode];
  beforeAll(async () => {
    // Else a server that was away is no voter for 10 s, and the two others cannot lose one of them meanwhile.
    consul = await startConsul({ nodes: 3, config: 'autopilot { cleanup_dead_servers = false }' });
    nodes = consul.nodes as unknown as typeof nodes;
  });
  afterAll(() => consul?.stop());

  const isBack = (url: string, { service, own }: Scene) =>
    eventually(async () => {
      expect(await passing(url, service)).toContain('own');
      expect(own.state).toBe('registered');
    }, BACK);
  const sees = ({ ids }: Scene, expected: readonly string[]) => eventually(() => expect(ids()).toEqual(expected), SEEN);

  it('the first of which is not there from the start: the others are used', async () => {
    await using scene = await setScene({ urls: ['http://127.0.0.1:1', nodes[1].url, nodes[2].url] });
    await isBack(nodes[0].url, scene);
    await sees(scene, ['own']);
  });

  it.each([
    ['is killed', (node: ConsulNode) => node.kill(), (node: ConsulNode) => node.restart()],
    ['stands still', (node: ConsulNode) => node.pause(), async (node: ConsulNode) => node.resume()],
  ])(
    'the one in use %s: reads and registration move to the next, and count once when it is back',
    async (how, fail, heal) => {
      const [first, second, third] = nodes;
      await using scene = await setScene({ urls: consul.urls });
      await writeOther(second.url, scene.service, 'other');
      await sees(scene, ['other', 'own']);
      await fail(first);
      const failedAt = performance.now();
      try {
        await eventually(async () => {
          const path = `/v1/catalog/service/${scene.service}`;
          const listed = (await askJson(third.url + path)) as { Node: string; ServiceID: string }[];
          const agents = listed.filter(({ ServiceID }) => ServiceID === 'own').map(({ Node }) => Node);
          expect(agents).toContain(second.name);
        }, BACK);
        await isBack(third.url, scene);
        console.log(
          `consul ${how}: registered on the next agent after ${(performance.now() - failedAt).toFixed(0)} ms`,
        );
        expect(scene.ids()).toEqual(['other', 'own']);
        // News come by the next agent.
        await writeOther(third.url, scene.service, 'third');
        await sees(scene, ['other', 'own', 'third']);
      } finally {
        await heal(first);
      }
      await eventually(async () => expect(await passing(first.url, scene.service)).toContain('third'));
      await sees(scene, ['other', 'own', 'third']);
      await scene.own.deregister();
      await eventually(async () => expect(await passing(third.url, scene.service)).toEqual(['other', 'third']));
    },
  );

  it('the leader of which is killed: nothing is lost, and the new one serves', async () => {
    await using scene = await setScene({ urls: consul.urls });
    const leader = await consul.leader();
    const others = nodes.filter(node => node !== leader);
    await writeOther(others[0]!.url, scene.service, 'other');
    await sees(scene, ['other', 'own']);
    await leader.kill();
    try {
      await consul.leader();
      await isBack(others[1]!.url, scene);
      await writeOther(others[1]!.url, scene.service, 'third');
      await sees(scene, ['other', 'own', 'third']);
    } finally {
      await leader.restart();
    }
  });

  it.each([
    ['two of which are killed, so that nobody leads', { killed: 2, wiped: false }],
    ['all of which are killed and come back with their data', { killed: 3, wiped: false }],
    ['all of which are killed and come back without their data', { killed: 3, wiped: true }],
  ])('%s: the last set is kept, few requests are sent, all is back', async (how, { killed, wiped }) => {
    await using gate = await openGate({ host: '127.0.0.1', port: nodes[0].ports.http });
    await using scene = await setScene({ urls: [`http://${gate.address}`, nodes[1].url, nodes[2].url] });
    await writeOther(nodes[0].url, scene.service, 'other');
    await sees(scene, ['other', 'own']);
    const gone = nodes.slice(3 - killed);
    await Promise.all(gone.map(node => node.kill()));
    const before = gate.connections + gate.requests;
    const DOWN_MS = 5_000;
    await sleep(DOWN_MS);
    const asked = ((gate.connections + gate.requests - before) / DOWN_MS) * 1_000;
    // Each try is a connection and a request: a heartbeat's and a watch's. A busy loop would make thousands.
    expect(asked).toBeLessThan(20);
    expect(scene.ids()).toEqual(['other', 'own']);
    if (wiped) await consul.wipe();
    await (killed === 3 ? consul.restart() : Promise.all(gone.map(node => node.restart())));
    await consul.leader();
    const backAt = performance.now();
    await isBack(nodes[1].url, scene);
    const backMs = performance.now() - backAt;
    if (wiped) await writeOther(nodes[2].url, scene.service, 'new');
    await sees(scene, wiped ? ['new', 'own'] : ['other', 'own']);
    const seenMs = performance.now() - backAt;
    console.log(
      `consul, three servers, ${how}: ${asked.toFixed(1)} requests and connections a second meanwhile,`,
      `registration back after ${backMs.toFixed(0)} ms, the set right after ${seenMs.toFixed(0)} ms`,
    );
  });
});

describe.skipIf(server === undefined)('one Consul', () => {
  it('the connection to which is cut under a watch: the set is kept, few try again, all is back', async () => {
    const consul = await startConsul({ persistent: false });
    try {
      await using gate = await openGate({ host: '127.0.0.1', port: consul.nodes[0].ports.http });
      await using scene = await setScene({ url: `http://${gate.address}` });
      await eventually(() => expect(scene.ids()).toEqual(['own']));
      gate.cut();
      const before = gate.connections;
      await sleep(TTL_MS + 2_000);
      expect(gate.connections - before).toBeLessThan(50);
      expect(scene.ids()).toEqual(['own']);
      expect(scene.told).toEqual(['lost']);
      expect(await passing(consul.url, scene.service)).toEqual([]);
      await writeOther(consul.url, scene.service, 'other');
      gate.open();
      await eventually(async () => expect(await passing(consul.url, scene.service)).toEqual(['other', 'own']), BACK);
      await eventually(() => expect(scene.ids()).toEqual(['other', 'own']), SEEN);
      expect(scene.told).toEqual(['lost', 'restored']);
    } finally {
      await consul.stop();
    }
  });

  it('that takes the token away and gives it back: the set is kept, the registration lost and restored', async () => {
    const master = '11111111-2222-4333-8444-555555555555';
    const token = '99999999-2222-4333-8444-555555555555';
    const acl = `acl { enabled = true default_policy = "deny" tokens { master = "${master}" agent = "${master}" } }`;
    const consul = await startConsul({ config: acl, token: master });
    const ask = async (method: string, path: string, body?: object): Promise<{ AccessorID: string }> => {
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      const url = `${consul.url}/v1/acl/${path}`;
      const response = await fetch(url, { method, headers: { 'x-consul-token': master }, ...init });
      expect(response.status).toBe(200);
      return (await response.json()) as { AccessorID: string };
    };
    try {
      const Rules = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }';
      await ask('PUT', 'policy', { Name: 'services', Rules });
      const give = () => ask('PUT', 'token', { SecretID: token, Policies: [{ Name: 'services' }] });
      const { AccessorID } = await give();
      await using scene = await setScene({ url: consul.url, token });
      await eventually(() => expect(scene.ids()).toEqual(['own']));
      await ask('DELETE', `token/${AccessorID}`);
      await eventually(() => expect(scene.told).toEqual(['lost']), { withinMs: 40_000 });
      await eventually(() => expect(scene.events.map(({ type }) => type)).toContain('registry.lost'));
      expect(scene.ids()).toEqual(['own']);
      await give();
      await eventually(() => expect(scene.told).toEqual(['lost', 'restored']), { withinMs: 40_000 });
      await eventually(() => expect(scene.events.map(({ type }) => type)).toContain('registry.restored'), SEEN);
      expect(scene.ids()).toEqual(['own']);
      expect(JSON.stringify(scene.events)).not.toContain(token);
    } finally {
      await consul.stop();
    }
  });
});
