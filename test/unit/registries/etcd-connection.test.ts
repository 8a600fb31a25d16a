import { describe, expect, it } from 'vitest';
import { inspect } from 'node:util';
import { Connection } from '../../../src/registries/etcd/connection.js';
import { resolveOptions, type EtcdRegistryOptions } from '../../../src/registries/etcd/options.js';
import type { RangeAnswer } from '../../../src/registries/etcd/peer.js';
import { testRuntime } from '../../../src/testing/index.js';
import { FakeEtcd, UNAVAILABLE } from './etcd-fake.js';

/** A connection whose members are in memory, by their host. */
const connect = (options: EtcdRegistryOptions = {}) => {
  const runtime = testRuntime();
  const members = new Map<string, FakeEtcd>();
  const made: { hosts: string; faultHandling: { global: { execute(work: () => unknown): unknown } } }[] = [];
  const memberAt = (host: string): FakeEtcd => {
    const member = members.get(host) ?? new FakeEtcd();
    members.set(host, member);
    return member;
  };
  const Etcd3 = function (settings: (typeof made)[number]) {
    made.push(settings);
    return memberAt(settings.hosts);
  };
  const connection = new Connection(resolveOptions({ runtime, ...options }), async () => ({ Etcd3 }));
  const read = (farewell = false): Promise<RangeAnswer> =>
    connection.ask({
      ...{ what: 'a read', runtime, farewell },
      send: (client, callOptions) => client.kv.range({ key: Buffer.from('k') }, callOptions),
    });
  return { runtime, connection, read, memberAt, made };
};
const THREE = ['http://a:1', 'http://b:1', 'http://c:1'] as const;
const USER = { endpoints: 'http://a:1', username: 'root', password: 'hunter2' };

describe('a connection to etcd', () => {
  it('asks one member after the other within the time of one request, and stays with the one that answers', async () => {
    const { runtime, read, memberAt } = connect({ endpoints: THREE, requestTimeoutMs: 3_000 });
    memberAt('http://a:1').faults.set('*', UNAVAILABLE);
    memberAt('http://b:1').faults.set('*', 'hang');
    const first = read();
    await runtime.advance(2_000);
    await first;
    const asked = (): number[] => THREE.map(host => memberAt(host).calls.length);
    const before = asked();
    await read();
    await read();
    expect(asked()).toEqual([before[0], before[1], before[2]! + 2]);
  });

  it('says what the last one said when none answers, in time', async () => {
    const { runtime, read, memberAt } = connect({ endpoints: THREE, requestTimeoutMs: 3_000 });
    for (const host of THREE) memberAt(host).faults.set('*', 'hang');
    const outcome = read().catch((error: unknown) => error);
    await runtime.advance(3_000);
    expect(await outcome).toMatchObject({
      message: expect.stringMatching(/^etcd at [abc]:1: a read had no answer within 1000 ms$/),
    });
    expect(runtime.pendingTimers).toBe(0);
  });

  it('does not ask the next one what all would answer alike', async () => {
    const { read, memberAt } = connect({ endpoints: THREE });
    for (const host of THREE) memberAt(host).faults.set('*', { code: 7, details: 'etcdserver: permission denied' });
    await expect(read()).rejects.toThrow(/permission denied/);
    expect(THREE.flatMap(host => memberAt(host).calls)).toHaveLength(1);
  });

  it('makes clients at first use, without their breaker, and closes them with the last that holds', async () => {
    const { connection, read, made, memberAt } = connect({ endpoints: 'http://a:1' });
    const release = connection.hold();
    expect(made).toEqual([]);
    await read();
    await read();
    expect(made).toHaveLength(1);
    const { execute } = made[0]!.faultHandling.global;
    for (let failures = 0; failures < 10; failures += 1)
      await expect(execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await execute(() => 'up')).toBe('up');
    release();
    release();
    await Promise.resolve();
    expect(memberAt('http://a:1').closed).toBe(1);
    await read();
    expect(made).toHaveLength(2);
  });

  it('refuses all but a farewell once it is closed', async () => {
    const { connection, read, memberAt, runtime } = connect({ endpoints: 'http://a:1' });
    memberAt('http://a:1').faults.set('*', 'hang');
    const pending = read().catch((error: unknown) => error);
    await runtime.settle();
    connection.close();
    expect(await pending).toMatchObject({ message: 'etcd: the registry was closed' });
    await expect(read()).rejects.toThrow('the registry is closed');
    memberAt('http://a:1').faults.clear();
    expect((await read(true)).kvs).toEqual([]);
    expect(runtime.pendingTimers).toBe(0);
  });
});

describe('a user of etcd', () => {
  it('logs in once for many calls, and once more when the token is refused', async () => {
    const { read, memberAt } = connect(USER);
    const etcd = memberAt('http://a:1');
    await Promise.all([read(), read(), read()]);
    expect(etcd.calls.filter(call => call === 'authenticate')).toHaveLength(1);
    expect(etcd.metadata.slice(1).map(({ token }) => token)).toEqual(Array(3).fill(etcd.token));
    etcd.token = 'of another life';
    await Promise.all([read(), read()]);
    expect(etcd.calls.filter(call => call === 'authenticate').length).toBeLessThanOrEqual(3);
  });

  it('whose tokens are refused for ever is told so after one more try', async () => {
    const { read, memberAt } = connect(USER);
    const etcd = memberAt('http://a:1');
    etcd.faults.set('range', { code: 16, details: 'etcdserver: invalid auth token' });
    await expect(read()).rejects.toThrow(/UNAUTHENTICATED: etcdserver: invalid auth token/);
    expect(etcd.calls).toEqual(['authenticate', 'range', 'authenticate', 'range']);
  });

  it('needs no token where nobody has to log in, and gets one when that changes', async () => {
    const { connection, read, memberAt } = connect(USER);
    connection.hold();
    const etcd = memberAt('http://a:1');
    etcd.faults.set('authenticate', { code: 9, details: 'etcdserver: authentication is not enabled' });
    await read();
    await read();
    expect(etcd.calls).toEqual(['authenticate', 'range', 'range']);
    expect(etcd.metadata.every(({ token }) => token === undefined)).toBe(true);
    etcd.faults.clear();
    etcd.token = 'now there are tokens';
    await read();
    expect(etcd.metadata.at(-1)?.['token']).toBe(etcd.token);
  });

  it('logs in anew too where without a token its certificate names somebody of fewer rights', async () => {
    const { connection, read, memberAt } = connect(USER);
    connection.hold();
    const etcd = memberAt('http://a:1');
    etcd.faults.set('authenticate', { code: 9, details: 'etcdserver: authentication is not enabled' });
    await read();
    etcd.faults.clear();
    etcd.faults.set('range', { code: 7, details: 'etcdserver: permission denied' });
    await expect(read()).rejects.toThrow(/PERMISSION_DENIED/);
    expect(etcd.calls).toEqual(['authenticate', 'range', 'range', 'authenticate', 'range']);
    // With a token there is nothing to be gained by another one.
    await expect(read()).rejects.toThrow(/PERMISSION_DENIED/);
    expect(etcd.calls.slice(5)).toEqual(['range']);
  });

  it('with a wrong password reads of it, but not the password', async () => {
    const { read, memberAt } = connect(USER);
    memberAt('http://a:1').faults.set('*', { code: 3, details: 'etcdserver: authentication failed, invalid hunter2' });
    const error: unknown = await read().catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      message: expect.stringMatching(/authentication failed, invalid \*\*\*/),
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  it('waits for its log-in no longer than for any request', async () => {
    const { runtime, read, memberAt } = connect(USER);
    memberAt('http://a:1').faults.set('authenticate', 'hang');
    const outcome = read().catch((error: unknown) => error);
    await runtime.advance(5_000);
    expect(await outcome).toMatchObject({ message: expect.stringMatching(/no answer within 5000 ms/) });
    expect(runtime.pendingTimers).toBe(0);
  });
});
