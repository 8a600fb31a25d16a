import { describe, expect, it } from 'vitest';
import type { InstanceInput } from '../../../src/core/instance.js';
import { consulRegistry, type ConsulRegisterOptions } from '../../../src/registries/consul/index.js';
import { testRuntime } from '../../../src/testing/index.js';
import { contextOn, fakeClient, unreachable, type FakeAnswer, type FakeRequest } from './consul-fake.js';

const WEB: InstanceInput = { id: 'web-1', service: 'web', address: '10.0.0.1', port: 8080 };
const REGISTER = '/agent/service/register';
const DEREGISTER = '/agent/service/deregister/web-1';
const PASS = '/agent/check/pass/service%3Aweb-1';

/** An agent that remembers, can be cut off, wiped, made to refuse and made to hang. */
const fakeAgent = () => {
  const runtime = testRuntime();
  const entries = new Map<string, Record<string, unknown>>();
  const agent = { runtime, entries, reach: true, refusal: undefined as FakeAnswer | undefined, hang: false };
  const answer = ({ path, body }: FakeRequest): FakeAnswer => {
    if (!agent.reach) return unreachable();
    if (agent.refusal !== undefined) return agent.refusal;
    if (path === REGISTER) {
      const definition = body as Record<string, unknown>;
      entries.set(String(definition['ID']), definition);
      return {};
    }
    const id = decodeURIComponent(path.split('/').at(-1) ?? '').replace(/^service:/, '');
    if (path.startsWith('/agent/service/deregister/')) {
      entries.delete(id);
      return {};
    }
    if (entries.has(id)) return {};
    return path.startsWith('/agent/check/') ? { statusCode: 500, body: 'no such check' } : { statusCode: 404 };
  };
  const client = fakeClient(request => (agent.hang ? new Promise<never>(() => undefined) : answer(request)));
  const registry = consulRegistry({ client, runtime });
  const paths = (from = 0): string[] => client.requests.slice(from).map(({ path }) => path);
  return Object.assign(agent, { client, registry, paths });
};

const registered = async (options?: ConsulRegisterOptions, input = WEB) => {
  const agent = fakeAgent();
  const registration = await agent.registry.register(input, options);
  const told: string[] = [];
  for (const type of ['lost', 'restored', 'error'] as const)
    registration.on(type, () => void told.push(`${Math.round(agent.runtime.now())} ${type}`));
  return { ...agent, agent, registration, told };
};

describe('what is written to Consul', () => {
  it('is by default an entry with a TTL check that passes', async () => {
    const { entries } = await registered();
    expect(entries.get('web-1')).toEqual({
      ...{ ID: 'web-1', Name: 'web', Address: '10.0.0.1', Port: 8080, Tags: [], Meta: {} },
      Weights: { Passing: 1, Warning: 1 },
      Check: {
        ...{ CheckID: 'service:web-1', TTL: '15000ms', Status: 'passing', DeregisterCriticalServiceAfter: '60000ms' },
      },
    });
  });

  it('has all of the instance', async () => {
    const rich = { ...WEB, tags: ['a'], version: '2', zone: 'z', weight: 7, metadata: { k: 'v' }, protocol: 'https' };
    const { entries } = await registered({}, rich);
    expect(entries.get('web-1')).toMatchObject({
      ...{ Tags: ['a'], Weights: { Passing: 7, Warning: 1 } },
      Meta: { k: 'v', version: '2', zone: 'z', protocol: 'https', secure: 'true' },
    });
  });

  it.each([
    [{ weight: 0.5 }, 1, '0.5'],
    [{ weight: 0 }, 1, '0'],
    [{ weight: 100_000 }, 1, '100000'],
    [{ weight: 3, metadata: { weight: '9' } }, 3, '3'],
    [{ metadata: { weight: '9' } }, 9, '9'],
    [{}, 1, undefined],
  ])('with %j has the weight %d, and %s in its metadata', async (more, weight, meta) => {
    const { entries } = await registered({}, { ...WEB, ...more });
    expect(entries.get('web-1')).toMatchObject({ Weights: { Passing: weight } });
    expect((entries.get('web-1')?.['Meta'] as Record<string, string>)['weight']).toBe(meta);
  });

  it.each<[ConsulRegisterOptions['check'], object]>([
    [{ http: '/health' }, { HTTP: 'http://10.0.0.1:8080/health', Interval: '10000ms', Timeout: '5000ms' }],
    [{ http: '/health' }, { DeregisterCriticalServiceAfter: '30000ms', Status: 'passing' }],
    [
      { http: 'https://other/h', tlsSkipVerify: true },
      { HTTP: 'https://other/h', TLSSkipVerify: true },
    ],
    [
      { http: '/', method: 'HEAD', headers: { a: ['b'] } },
      { Method: 'HEAD', Header: { a: ['b'] } },
    ],
    [
      { http: '/', intervalMs: 2_000, timeoutMs: 500, deregisterAfterMs: 90_000 },
      { Interval: '2000ms', Timeout: '500ms' },
    ],
    [
      { grpc: true, tls: true },
      { GRPC: '10.0.0.1:8080', GRPCUseTLS: true },
    ],
    [{ grpc: 'h:1/svc' }, { GRPC: 'h:1/svc', GRPCUseTLS: false }],
  ])('for the check %j is %j', async (check, expected) => {
    const { entries } = await registered({ check });
    expect(entries.get('web-1')?.['Check']).toMatchObject(expected);
  });

  it('brackets an IPv6 address where a URL wants it', async () => {
    const { entries } = await registered({ check: { http: '/h' } }, { ...WEB, address: '::1' });
    expect(entries.get('web-1')).toMatchObject({ Address: '::1', Check: { HTTP: 'http://[::1]:8080/h' } });
  });

  it.each<[object, object, RegExp]>([
    [{ port: 0 }, {}, /port 0/],
    [{ id: 'a/b' }, {}, /^id: expected a name without "\/" and "\.\.", got "a\/b"/],
    [{ id: '../x' }, {}, /^id: expected/],
    [{ id: '..' }, {}, /^id: expected/],
    [{ service: 'a/b' }, {}, /^service: expected/],
    [{}, { ttlMs: 999 }, /ttlMs: expected 1000–86400000, got 999/],
    [{}, { ttlMs: '15s' }, /ttlMs: expected a number, got "15s"/],
    [{}, { ttl: 15 }, /ttl: no such option/],
    [{}, { check: '/health' }, /check: expected \{ http/],
    [{}, { check: {} }, /check: expected one of http, grpc and ttl/],
    [{}, { check: { http: 'health' } }, /check\.http: expected a path/],
    [{}, { check: { http: '/h', interval: 10 } }, /check\.interval: no such option; with http there are intervalMs/],
    [{}, { check: { http: '/h', intervalMs: 10 } }, /check\.intervalMs: expected 1000–3600000, got 10/],
    [{}, { check: { grpc: '' } }, /check\.grpc: expected/],
    [{}, { check: { ttl: true, deregisterAfterMs: 0 } }, /check\.deregisterAfterMs: expected/],
  ])('is nothing for %j with %j', async (instance, options, message) => {
    const { registry, client } = fakeAgent();
    await expect(registry.register({ ...WEB, ...instance }, options)).rejects.toThrow(message);
    expect(client.requests).toEqual([]);
  });
});

describe('a registration', () => {
  it('says that it lives three times in each TTL', async () => {
    const { runtime, paths, told } = await registered({ ttlMs: 6_000 });
    await runtime.advance(10_500);
    expect(paths()).toEqual([REGISTER, PASS, ...Array<string>(5).fill(PASS)]);
    expect(told).toEqual([]);
  });

  it('is written again at once when the agent does not know it any more', async () => {
    const { runtime, entries, paths, told, registration } = await registered();
    entries.clear();
    await runtime.advance(5_000);
    expect(paths()).toEqual([REGISTER, PASS, PASS, REGISTER, PASS]);
    expect(entries.has('web-1')).toBe(true);
    expect(told).toEqual(['5000 lost', '5000 restored']);
    expect(registration.state).toBe('registered');
  });

  it('that Consul checks is looked up every 5 s, and written again when it is missing', async () => {
    const { runtime, entries, paths, told } = await registered({ check: { http: '/health' } });
    await runtime.advance(5_000);
    entries.clear();
    await runtime.advance(5_000);
    expect(paths()).toEqual([REGISTER, '/agent/service/web-1', '/agent/service/web-1', REGISTER]);
    expect(entries.get('web-1')).toMatchObject({ Check: { Status: 'passing' } });
    expect(told).toEqual(['10000 lost', '10000 restored']);
  });

  it('is lost after one TTL without a word, on time even while a request hangs, and restored', async () => {
    const { agent, runtime, told, registration } = await registered();
    await runtime.advance(5_000);
    agent.hang = true;
    await runtime.advance(14_999);
    expect(registration.state).toBe('registered');
    await runtime.advance(1);
    expect(registration.state).toBe('lost');
    expect(told.filter(line => line.endsWith('lost'))).toEqual(['20000 lost']);
    agent.hang = false;
    await runtime.advance(10_000);
    expect(registration.state).toBe('registered');
    expect(told.at(-1)).toMatch(/restored$/);
  });

  it('never gives up: an hour without Consul costs few requests, and it is back within one TTL', async () => {
    const { agent, runtime, entries, client, told } = await registered();
    agent.reach = false;
    entries.clear();
    await runtime.advance(3_600_000);
    const asked = client.requests.length;
    expect(asked).toBeGreaterThan(700);
    expect(asked).toBeLessThan(2_500);
    expect(told.filter(line => line.endsWith('lost'))).toHaveLength(1);
    agent.reach = true;
    await runtime.advance(5_000);
    expect(entries.has('web-1')).toBe(true);
  });

  it('waits longer and longer between tries, up to 10 s, and never in step with others', async () => {
    const { agent, runtime, client } = await registered({ ttlMs: 60_000 });
    agent.reach = false;
    const at: number[] = [];
    let known = client.requests.length;
    for (let second = 0; second < 4_000; second += 1) {
      await runtime.advance(100);
      if (client.requests.length > known) at.push(runtime.now());
      known = client.requests.length;
    }
    const gaps = at.slice(1).map((time, index) => time - at[index]!);
    expect(Math.max(...gaps.slice(0, 3))).toBeLessThanOrEqual(900);
    expect(Math.max(...gaps)).toBeGreaterThan(5_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_100);
    expect(new Set(gaps.slice(-8)).size).toBeGreaterThan(4);
  });

  it('goes on when a token is taken back, and tells each failure', async () => {
    const { agent, runtime, entries, told } = await registered();
    agent.refusal = { statusCode: 403, body: 'Permission denied' };
    entries.clear();
    await runtime.advance(30_000);
    expect(told[0]).toBe('5000 lost');
    expect(told.filter(line => line.endsWith('error')).length).toBeGreaterThan(3);
    agent.refusal = undefined;
    await runtime.advance(6_000);
    expect(entries.has('web-1')).toBe(true);
  });

  it('outlives a listener that throws', async () => {
    const { agent, runtime, entries, registration } = await registered();
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    const off = registration.on('lost', () => {
      throw new Error('listener broke');
    });
    agent.entries.clear();
    await runtime.advance(5_000);
    expect(entries.has('web-1')).toBe(true);
    off();
    entries.clear();
    await runtime.advance(5_000);
    process.off('warning', warned);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/listener of a registration threw: .*broke/),
    ]);
    expect(() => registration.on('gone' as never, () => undefined)).toThrow(/expected lost, restored or error/);
  });
});

describe('a first registration', () => {
  it('keeps trying while Consul is down, and resolves when the entry is there', async () => {
    const down = fakeAgent();
    down.reach = false;
    let done = false;
    const pending = down.registry.register(WEB).then(registration => ((done = true), registration));
    await down.runtime.advance(60_000);
    expect(done).toBe(false);
    expect(down.client.requests.length).toBeLessThan(60);
    down.reach = true;
    await down.runtime.advance(5_000);
    expect(done).toBe(true);
    expect((await pending).state).toBe('registered');
  });

  it.each([500, 503, 429])('keeps trying while Consul answers %d', async statusCode => {
    const agent = fakeAgent();
    agent.refusal = { statusCode };
    let done = false;
    void agent.registry.register(WEB).then(() => (done = true));
    await agent.runtime.advance(20_000);
    expect(done).toBe(false);
    agent.refusal = undefined;
    await agent.runtime.advance(5_000);
    expect(done).toBe(true);
  });

  it.each([400, 403, 404])('fails when Consul answers %d: trying again would not help', async statusCode => {
    const agent = fakeAgent();
    agent.refusal = { statusCode, body: 'Permission denied' };
    await expect(agent.registry.register(WEB)).rejects.toMatchObject({
      ...{ code: 'REGISTRATION_FAILED', service: 'web' },
      message: `consul: PUT /v1/agent/service/register was answered ${statusCode}: Permission denied`,
    });
    await agent.runtime.advance(60_000);
    expect(agent.client.requests).toHaveLength(1);
    expect(agent.runtime.pendingTimers).toBe(0);
  });

  it('rejects with the reason of an abort at once, and removes what may have been written', async () => {
    const agent = fakeAgent();
    agent.hang = true;
    const { signal, abort } = contextOn(agent.runtime);
    const pending = agent.registry.register(WEB, { signal });
    pending.catch(() => undefined);
    await agent.runtime.settle();
    agent.hang = false;
    abort();
    await expect(pending).rejects.toThrow('enough');
    await agent.runtime.settle();
    expect(agent.paths()).toEqual([REGISTER, DEREGISTER]);
    expect(agent.runtime.pendingTimers).toBe(0);
  });

  it('sends nothing when its signal was aborted before', async () => {
    const agent = fakeAgent();
    const { signal, abort } = contextOn(agent.runtime);
    abort();
    await expect(agent.registry.register(WEB, { signal })).rejects.toThrow('enough');
    await agent.runtime.settle();
    expect(agent.paths()).toEqual([]);
  });

  it('is ended by close()', async () => {
    const agent = fakeAgent();
    agent.reach = false;
    const pending = agent.registry.register(WEB);
    pending.catch(() => undefined);
    await agent.runtime.advance(1_000);
    await agent.registry.close();
    await expect(pending).rejects.toMatchObject({ code: 'REGISTRATION_FAILED' });
    await expect(agent.registry.register(WEB)).rejects.toThrow(/registry is closed/);
    expect(agent.runtime.pendingTimers).toBe(0);
  });
});

describe('an update', () => {
  it('writes the entry anew under its id, and is what is restored later', async () => {
    const { runtime, entries, registration, paths } = await registered(
      {},
      { ...WEB, metadata: { a: '1' }, tags: ['t'] },
    );
    await registration.update({ weight: 5, metadata: { b: '2' } });
    const expected = { Weights: { Passing: 5 }, Meta: { b: '2' }, Tags: ['t'] };
    expect(entries.get('web-1')).toMatchObject(expected);
    expect(entries.get('web-1')).not.toHaveProperty('Meta.a');
    entries.clear();
    await runtime.advance(5_000);
    expect(entries.get('web-1')).toMatchObject(expected);
    expect(paths()).toEqual([REGISTER, PASS, REGISTER, PASS, PASS, REGISTER, PASS]);
  });

  it('of the status changes what each pulse says', async () => {
    const { runtime, entries, registration, paths } = await registered();
    await registration.update({ status: 'warning' });
    expect(entries.get('web-1')).toMatchObject({ Check: { Status: 'warning' } });
    await runtime.advance(5_000);
    await registration.update({ status: 'critical' });
    await runtime.advance(5_000);
    const [WARN, FAIL] = ['/agent/check/warn/service%3Aweb-1', '/agent/check/fail/service%3Aweb-1'];
    expect(paths()).toEqual([REGISTER, PASS, REGISTER, WARN, WARN, REGISTER, FAIL, FAIL]);
  });

  it('leaves the status alone that Consul finds, and cannot set it', async () => {
    const { entries, registration } = await registered({ check: { http: '/health' } });
    await registration.update({ weight: 2 });
    expect(entries.get('web-1')?.['Check']).not.toHaveProperty('Status');
    await expect(registration.update({ status: 'critical' })).rejects.toThrow(/status: is what the check/);
  });

  it('that Consul refuses is forgotten', async () => {
    const { agent, registration, entries, runtime } = await registered();
    agent.refusal = { statusCode: 400, body: 'Invalid Service Meta' };
    await expect(registration.update({ metadata: { 'a b': 'c' } })).rejects.toMatchObject({
      code: 'REGISTRATION_FAILED',
      message: expect.stringMatching(/Invalid Service Meta/),
    });
    agent.refusal = undefined;
    entries.clear();
    await runtime.advance(5_000);
    expect(entries.get('web-1')).toMatchObject({ Meta: {} });
  });

  it('that did not get through is written as soon as Consul answers', async () => {
    const { agent, registration, entries, runtime } = await registered();
    agent.reach = false;
    await expect(registration.update({ weight: 9 })).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    agent.reach = true;
    await runtime.advance(5_000);
    expect(entries.get('web-1')).toMatchObject({ Weights: { Passing: 9 } });
  });

  it.each([
    [{ port: 9 }, /update: expected some of weight, zone.*got port/],
    [{ weight: -1 }, /weight -1 is not >= 0/],
    [null, /update: expected some of/],
  ])('with %j is refused, and changes nothing', async (patch, message) => {
    const { registration, client } = await registered();
    await expect(registration.update(patch as never)).rejects.toThrow(message);
    await expect(registration.update({ weight: 3 })).resolves.toBeUndefined();
    expect(client.requests).toHaveLength(4);
  });
});

describe('the end of a registration', () => {
  it('removes the entry and stops all timers at once; a second call is the same end', async () => {
    const { runtime, registration, entries, paths } = await registered();
    const first = registration.deregister();
    expect(registration.state).toBe('closed');
    expect(registration.deregister()).toBe(first);
    await first;
    expect(entries.size).toBe(0);
    expect(runtime.pendingTimers).toBe(0);
    await runtime.advance(60_000);
    expect(paths()).toEqual([REGISTER, PASS, DEREGISTER]);
    await expect(registration.update({ weight: 2 })).rejects.toMatchObject({ code: 'REGISTRATION_FAILED' });
  });

  it('never rejects and is bounded when Consul is down or hangs', async () => {
    const down = await registered();
    down.agent.reach = false;
    await down.registration.deregister();
    expect(down.told).toEqual(['0 error']);
    const hung = await registered();
    hung.agent.hang = true;
    const ending = hung.registration.deregister();
    await hung.runtime.advance(5_000);
    await ending;
    expect(hung.runtime.pendingTimers).toBe(0);
  });

  it('comes after a write that is under way: the entry does not come back', async () => {
    const { agent, registration, entries, runtime, paths } = await registered();
    agent.hang = true;
    const update = registration.update({ weight: 2 });
    update.catch(() => undefined);
    await runtime.settle();
    const ending = registration.deregister();
    await runtime.settle();
    expect(paths()).toEqual([REGISTER, PASS, REGISTER]);
    agent.hang = false;
    await runtime.advance(5_000);
    await ending;
    expect(paths()).toEqual([REGISTER, PASS, REGISTER, DEREGISTER]);
    expect(entries.size).toBe(0);
  });

  it('does not wait for a pulse that hangs', async () => {
    const { agent, registration, entries, runtime } = await registered();
    agent.hang = true;
    await runtime.advance(5_000);
    agent.hang = false;
    await registration.deregister();
    expect(entries.size).toBe(0);
    expect(runtime.pendingTimers).toBe(0);
  });

  it('keeps an entry that was found missing at the same moment from being written again', async () => {
    const { registration, entries, runtime, client, paths } = await registered();
    entries.clear();
    registration.on('lost', () => void registration.deregister());
    await runtime.advance(5_000);
    expect(paths()).toEqual([REGISTER, PASS, PASS, DEREGISTER]);
    expect(entries.size).toBe(0);
    await runtime.advance(60_000);
    expect(client.requests).toHaveLength(4);
  });

  it('by a second registration of its id leaves the entry to that one', async () => {
    const { registry, registration, entries, runtime, told, client } = await registered();
    const second = await registry.register({ ...WEB, weight: 4 });
    expect(registration.state).toBe('lost');
    expect(told).toEqual(['0 lost']);
    await registration.deregister();
    expect(entries.get('web-1')).toMatchObject({ Weights: { Passing: 4 } });
    const before = client.requests.length;
    await runtime.advance(5_000);
    expect(client.requests.length - before).toBe(1);
    await second.deregister();
    expect(entries.size).toBe(0);
  });

  it('of all registrations comes with close()', async () => {
    const { registry, registration, entries, runtime } = await registered();
    await registry.register({ ...WEB, id: 'web-2' });
    await Promise.all([registry.close(), registry.close()]);
    expect(entries.size).toBe(0);
    expect(registration.state).toBe('closed');
    expect(runtime.pendingTimers).toBe(0);
    await registry.close();
  });
});
