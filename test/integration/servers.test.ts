/**
 * The tool of the other integration tests, proved against witnesses that are not ours: Consul's HTTP API, etcd's JSON
 * gateway, ZooKeeper's four-letter commands.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  askFourLetters,
  askJson,
  eventually,
  serverOrSkip,
  startConsul,
  startEtcd,
  startZooKeeper,
  type Cluster,
  type ServerKind,
  type ServerNode,
} from '../servers/index.js';

interface Witness {
  readonly kind: ServerKind;
  start(nodes: 1 | 3): Promise<Cluster>;
  /** Throws when the server does not answer. */
  answers(node: ServerNode): Promise<string>;
  /** Absent where the server's own text commands cannot write. */
  readonly values?: {
    write(node: ServerNode, value: string): Promise<void>;
    /** Undefined when nothing was written. */
    read(node: ServerNode): Promise<string | undefined>;
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString();

const consul: Witness = {
  kind: 'consul',
  start: nodes => startConsul({ nodes }),
  answers: async node => JSON.stringify(await askJson(`${node.url}/v1/status/leader`)),
  values: {
    async write(node, value) {
      expect(await askJson(`${node.url}/v1/kv/key`, { method: 'PUT', body: value, timeoutMs: 3000 })).toBe(true);
    },
    async read(node) {
      const response = await fetch(`${node.url}/v1/kv/key?raw`, { signal: AbortSignal.timeout(3000) });
      if (response.status !== 404) expect(response.status).toBe(200);
      return response.ok ? response.text() : undefined;
    },
  },
};

const etcd: Witness = {
  kind: 'etcd',
  start: nodes => startEtcd({ nodes }),
  answers: async node =>
    JSON.stringify(await askJson(`${node.url}/v3/maintenance/status`, { method: 'POST', body: '{}' })),
  values: {
    async write(node, value) {
      const body = JSON.stringify({ key: base64('key'), value: base64(value) });
      await askJson(`${node.url}/v3/kv/put`, { method: 'POST', body, timeoutMs: 3000 });
    },
    async read(node) {
      const body = JSON.stringify({ key: base64('key') });
      const answer = await askJson(`${node.url}/v3/kv/range`, { method: 'POST', body, timeoutMs: 3000 });
      const [found] = (answer as { kvs?: { value: string }[] }).kvs ?? [];
      return found && fromBase64(found.value);
    },
  },
};

const zookeeper: Witness = {
  kind: 'zookeeper',
  start: nodes => startZooKeeper({ nodes }),
  answers: node => askFourLetters(Number(node.address.split(':')[1]), 'srvr'),
};

for (const witness of [consul, etcd, zookeeper]) {
  const server = await serverOrSkip(witness.kind);
  describe.skipIf(server === undefined)(`one ${witness.kind} server`, () => proveSingleServer(witness));
  describe.skipIf(server === undefined)(`three ${witness.kind} servers`, () => proveElection(witness));
}

function proveSingleServer(witness: Witness): void {
  const { values } = witness;
  let cluster: Cluster;
  let node: ServerNode;

  beforeAll(async () => {
    cluster = await witness.start(1);
    [node] = cluster.nodes;
  });
  afterAll(() => cluster?.stop());

  it('answers, and leads itself', async () => {
    expect(await witness.answers(node)).not.toBe('');
    expect(await cluster.leader()).toBe(node);
  });

  it('is gone when killed, and back on the same address and with its data when restarted', async () => {
    const { address, pid } = node;
    await values?.write(node, 'kept');
    await cluster.kill();
    expect(node.state).toBe('stopped');
    await expect(witness.answers(node)).rejects.toThrow();
    await cluster.restart();
    expect(node.pid).not.toBe(pid);
    expect(node.address).toBe(address);
    expect(await witness.answers(node)).not.toBe('');
    if (values) expect(await values.read(node)).toBe('kept');
  });

  it('does not answer while paused, and goes on when resumed', async () => {
    await cluster.pause();
    await expect(witness.answers(node)).rejects.toThrow();
    expect(await node.isLeader()).toBe(false);
    cluster.resume();
    expect(await eventually(() => witness.answers(node))).not.toBe('');
    expect(await cluster.leader()).toBe(node);
  });

  it('can be killed while paused, and has forgotten all when wiped', async () => {
    await expect(cluster.wipe()).rejects.toThrow('for a stopped one');
    await values?.write(node, 'lost');
    await cluster.pause();
    await cluster.kill();
    await cluster.wipe();
    await cluster.restart();
    expect(await witness.answers(node)).not.toBe('');
    if (values) expect(await values.read(node)).toBeUndefined();
  });
}

function proveElection(witness: Witness): void {
  const { values } = witness;
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await witness.start(3);
  });
  afterAll(() => cluster?.stop());

  it('have one leader, and elect another when it is killed, which knows what was written', async () => {
    const first = await cluster.leader();
    await values?.write(first, 'agreed');
    await first.kill();
    const second = await cluster.leader();
    expect(second).not.toBe(first);
    if (values) await eventually(async () => expect(await values.read(second)).toBe('agreed'));
  });

  it('take the killed one back', async () => {
    const killed = cluster.nodes.find(node => node.state === 'stopped');
    await killed?.restart();
    expect(cluster.nodes.map(node => node.state)).toEqual(['running', 'running', 'running']);
    const leads = await eventually(async () => {
      const all = await Promise.all(cluster.nodes.map(node => node.isLeader()));
      return all.includes(true) && all;
    });
    expect(leads.filter(Boolean)).toHaveLength(1);
  });
}

const consulServer = await serverOrSkip('consul');

describe.skipIf(consulServer === undefined)('a server that cannot start', () => {
  it('is explained by its own log', async () => {
    await expect(startConsul({ config: 'no_such_setting = 1' })).rejects.toThrow(/exit code 1[^]*no_such_setting/);
  });
});
