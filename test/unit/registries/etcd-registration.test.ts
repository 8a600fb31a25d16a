import { describe, expect, it } from 'vitest';
import type { InstanceInput } from '../../../src/core/instance.js';
import type { RegisterOptions, Registration } from '../../../src/core/registry.js';
import { etcdRegistry } from '../../../src/registries/etcd/index.js';
import { testRuntime } from '../../../src/testing/index.js';
import { FakeEtcd, UNAVAILABLE, type Fault } from './etcd-fake.js';

const WEB: InstanceInput = { id: 'web-1', service: 'web', address: '10.0.0.1', port: 8080 };
const KEY = '/services/web/web-1';

const setUp = () => {
  const runtime = testRuntime();
  const etcd = new FakeEtcd();
  return { runtime, etcd, registry: etcdRegistry({ client: etcd, runtime }) };
};

const follow = (registration: Registration, now: () => number): string[] => {
  const told: string[] = [];
  for (const type of ['lost', 'restored', 'error'] as const)
    registration.on(type, () => void told.push(`${Math.round(now())} ${type}`));
  return told;
};

const registered = async (options?: RegisterOptions) => {
  const all = setUp();
  const registration = await all.registry.register(WEB, options);
  return { ...all, registration, told: follow(registration, all.runtime.now) };
};

describe('a registration in etcd', () => {
  it('is a key under a lease of its own', async () => {
    const { etcd } = await registered({ ttlMs: 2_500 });
    expect(etcd.store.get(KEY)).toMatchObject({
      lease: '1',
      value: expect.stringContaining('"address":"10.0.0.1","port":8080'),
    });
    expect(etcd.requests[0]).toEqual({ what: 'leaseGrant', request: { TTL: 3 } });
  });

  it('is renewed three times in each TTL, each time looked at, and silent about it', async () => {
    const { runtime, etcd, told } = await registered({ ttlMs: 6_000 });
    etcd.calls.length = 0;
    await runtime.advance(10_500);
    expect(etcd.calls).toEqual(Array.from({ length: 5 }, () => ['leaseKeepAlive', 'range']).flat());
    expect(told).toEqual([]);
  });

  it.each<[string, (etcd: FakeEtcd) => void, string[]]>([
    ['its lease ran out', etcd => etcd.expire('1'), ['leaseKeepAlive', 'leaseGrant', 'put']],
    ['its key was deleted', etcd => etcd.remove(KEY), ['leaseKeepAlive', 'range', 'put']],
    ['its key was overwritten without a lease', etcd => etcd.put(KEY, 'h:1'), ['leaseKeepAlive', 'range', 'put']],
  ])('is put back at the next heartbeat when %s', async (_, happen, calls) => {
    const { runtime, etcd, told } = await registered();
    etcd.calls.length = 0;
    happen(etcd);
    await runtime.advance(5_000);
    expect(etcd.calls).toEqual(calls);
    expect(told).toEqual(['5000 lost', '5000 restored']);
    const { lease, value } = etcd.store.get(KEY)!;
    expect(etcd.leases.has(lease)).toBe(true);
    expect(value).toContain('10.0.0.1');
  });

  it('is put back when a write that was given up arrives late, under the lease of its time', async () => {
    const { runtime, etcd } = await registered();
    etcd.expire('1');
    await runtime.advance(5_000);
    etcd.put(KEY, 'late', '1');
    await runtime.advance(5_000);
    expect(etcd.store.get(KEY)).toMatchObject({ lease: '2', value: expect.stringContaining('10.0.0.1') });
  });

  it('leaves its key to another process that registers its id, says so, and comes back when that ends', async () => {
    const { runtime, etcd, told, registration } = await registered();
    etcd.leases.add('77');
    etcd.put(KEY, 'h:9', '77');
    await runtime.advance(20_000);
    expect(etcd.store.get(KEY)?.lease).toBe('77');
    expect(registration.state).toBe('lost');
    expect(told).toContain('15000 lost');
    etcd.expire('77');
    await runtime.advance(5_000);
    expect(registration.state).toBe('registered');
    expect(etcd.store.get(KEY)?.lease).toBe('1');
  });

  it('is lost after one TTL without a word, not after two, even while requests hang; and restored', async () => {
    const { runtime, etcd, told, registration } = await registered();
    await runtime.advance(5_000);
    etcd.faults.set('*', 'hang');
    await runtime.advance(14_999);
    expect(registration.state).toBe('registered');
    await runtime.advance(1);
    expect(registration.state).toBe('lost');
    expect(told.filter(line => line.endsWith('lost'))).toEqual(['20000 lost']);
    etcd.faults.clear();
    await runtime.advance(15_000);
    expect(registration.state).toBe('registered');
    expect(told.at(-1)).toMatch(/restored$/);
  });

  it('never gives up: an hour without etcd costs few requests, and it is back within one TTL', async () => {
    const { runtime, etcd, told } = await registered();
    etcd.faults.set('*', UNAVAILABLE);
    etcd.expire('1');
    etcd.calls.length = 0;
    await runtime.advance(3_600_000);
    expect(etcd.calls.length).toBeGreaterThan(700);
    expect(etcd.calls.length).toBeLessThan(2_500);
    expect(told.filter(line => line.endsWith('lost'))).toHaveLength(1);
    etcd.faults.clear();
    await runtime.advance(5_000);
    expect(etcd.store.has(KEY)).toBe(true);
  });

  it('is written again under a new lease when its own ran out between two heartbeats', async () => {
    const { etcd, registration } = await registered();
    etcd.leases.delete('1');
    await registration.update({ weight: 3 });
    expect(etcd.store.get(KEY)).toMatchObject({ lease: '2', value: expect.stringContaining('"weight":3') });
  });

  it('keeps its lease and its create revision through updates; a bad one changes nothing', async () => {
    const { runtime, etcd, registration } = await registered();
    const before = etcd.store.get(KEY)!.created;
    await registration.update({ weight: 2, metadata: { k: 'v' } });
    await expect(registration.update({ metadata: { k: 'x'.repeat(70_000) } })).rejects.toThrow(/more than 65536/);
    await expect(registration.update({ port: 1 } as never)).rejects.toThrow(/expected some of weight/);
    await runtime.advance(60_000);
    expect(etcd.store.get(KEY)).toMatchObject({
      lease: '1',
      created: before,
      value: expect.stringContaining('"k":"v"'),
    });
    expect(registration.state).toBe('registered');
  });

  it('ends with a revocation of its lease, and leaves nothing behind', async () => {
    const { runtime, etcd, registration } = await registered();
    await Promise.all([registration.deregister(), registration.deregister()]);
    expect(etcd.store.size + etcd.leases.size).toBe(0);
    expect(etcd.calls.filter(call => call === 'leaseRevoke')).toHaveLength(1);
    expect(runtime.pendingTimers).toBe(0);
    await expect(registration.update({ weight: 1 })).rejects.toMatchObject({ code: 'REGISTRATION_FAILED' });
  });

  it('ends with its registry, though nothing else is asked of etcd any more', async () => {
    const { runtime, etcd, registry, registration } = await registered();
    await registry.close();
    expect(registration.state).toBe('closed');
    expect(etcd.store.size + etcd.leases.size).toBe(0);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('never rejects when it ends, and within the time of one request', async () => {
    const { runtime, etcd, registration, registry } = await registered();
    etcd.faults.set('*', 'hang');
    let closed = false;
    void registry.close().then(() => (closed = true));
    const done = registration.deregister();
    await runtime.advance(5_000);
    await done;
    await runtime.settle();
    expect(closed).toBe(true);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('of another owner is not removed with it', async () => {
    const { etcd, registration } = await registered();
    etcd.leases.add('77');
    etcd.put(KEY, 'h:9', '77');
    await registration.deregister();
    expect(etcd.store.get(KEY)?.lease).toBe('77');
  });

  it('that is registered twice in one registry is the later one', async () => {
    const { runtime, etcd, registry, registration } = await registered();
    const second = await registry.register({ ...WEB, port: 9 });
    await runtime.advance(60_000);
    expect(registration.state).toBe('lost');
    expect(second.state).toBe('registered');
    await registration.deregister();
    expect(etcd.store.get(KEY)).toMatchObject({ lease: '2', value: expect.stringContaining('"port":9') });
  });

  it('of one id in two services is two', async () => {
    const { etcd, registry, registration } = await registered();
    await registry.register({ ...WEB, service: 'web2' });
    expect(registration.state).toBe('registered');
    expect([...etcd.store.keys()]).toEqual([KEY, '/services/web2/web-1']);
  });
});

describe('registering in etcd', () => {
  it('waits for an etcd that is away, in no hurry, and ends with its signal', async () => {
    const { runtime, etcd, registry } = setUp();
    etcd.faults.set('*', UNAVAILABLE);
    const waiting = registry.register(WEB);
    const controller = new AbortController();
    const given = registry
      .register({ ...WEB, id: 'b' }, { signal: controller.signal })
      .catch((error: unknown) => error);
    await runtime.advance(30_000);
    controller.abort('enough');
    expect(await given).toBe('enough');
    expect(etcd.calls.length).toBeLessThan(60);
    etcd.faults.clear();
    await runtime.advance(5_000);
    expect((await waiting).state).toBe('registered');
    expect([...etcd.store.keys()]).toEqual([KEY]);
  });

  it.each<[string, Fault]>([
    ['leaseGrant', { code: 3, details: 'etcdserver: user name is empty' }],
    ['leaseGrant', { code: 11, details: 'etcdserver: too large lease TTL' }],
    ['put', { code: 7, details: 'etcdserver: permission denied' }],
    ['put', { code: 12, details: 'unknown service' }],
  ])('is refused when %s is answered %j', async (what, fault) => {
    const { runtime, etcd, registry } = setUp();
    etcd.faults.set(what, fault);
    const error = await registry.register(WEB).catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({
      code: 'REGISTRATION_FAILED',
      service: 'web',
      message: expect.stringContaining(fault.details),
    });
    await runtime.advance(60_000);
    expect(etcd.store.size).toBe(0);
    expect(runtime.pendingTimers).toBe(0);
  });

  it.each<[object, object, RegExp]>([
    [{ port: 0 }, {}, /port 0/],
    [{ id: 'a/b' }, {}, /^id: expected a name without "\/" and "\.\.", got "a\/b"/],
    [{ id: '..' }, {}, /^id: expected/],
    [{ service: 'a/b' }, {}, /^service: expected/],
    [{ metadata: { k: 'x'.repeat(70_000) } }, {}, /more than 65536/],
    [{}, { ttlMs: 999 }, /ttlMs: expected 1000–86400000, got 999/],
    [{}, { ttlMs: '15s' }, /ttlMs: expected a number, got "15s"/],
    [{}, { ttlMs: NaN }, /ttlMs: expected/],
    [{}, { ttl: 15 }, /ttl: no such option/],
  ])('asks for nothing with %.60j and %j', async (instance, options, message) => {
    const { registry, etcd } = setUp();
    await expect(registry.register({ ...WEB, ...instance }, options)).rejects.toThrow(message);
    expect(etcd.calls).toEqual([]);
  });
});
