import { describe, expect, it } from 'vitest';
import { dnsRegistry, type DnsRegistryOptions } from '../../../src/registries/dns.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';
import { at, contextOn, dnsError, fakeResolver, srv, type Zone } from './dns-fake.js';

const setUp = (zone: Zone, options: DnsRegistryOptions = {}) => {
  const resolver = fakeResolver(zone);
  const registry = dnsRegistry({ resolver, ...options });
  const context = contextOn(testRuntime());
  return { resolver, context, problems: context.problems, read: () => registry.discover('users', context) };
};
/** host:port=weight of each, by host. */
const shown = (set: readonly { address: string; port: number; weight: number }[]): string[] =>
  set.map(({ address, port, weight }) => `${address}:${port}=${weight}`).sort();
const A = { one: [at('10.0.0.1')], two: [at('10.0.0.2')], three: [at('10.0.0.3')] };

describe('SRV records', () => {
  it('become instances with port, weight and address, and an id that the target makes', async () => {
    const { read } = setUp({ srv: { users: [srv('One.', { port: 8080, weight: 7 })] }, a: A }, { protocol: 'https' });
    expect(await read()).toMatchObject([
      { id: 'one:8080', service: 'users', address: '10.0.0.1', port: 8080, weight: 7, protocol: 'https' },
    ]);
  });

  it('keep the name of the target when it is to be looked up by whoever calls it', async () => {
    const { read, resolver } = setUp({ srv: { users: [srv('one', { port: 8080 })] } }, { targets: 'name' });
    expect(await read()).toMatchObject([{ id: 'one:8080', address: 'one', port: 8080 }]);
    expect(resolver.queries).toEqual(['SRV users']);
  });

  it.each([
    ['the lowest priority serves', [srv('one', { priority: 5 }), srv('two', { priority: 10 })], ['10.0.0.1:80=1']],
    [
      'all of the lowest priority serve',
      [srv('three', { priority: 20 }), srv('one', { priority: 5 }), srv('two', { priority: 5, weight: 3 })],
      ['10.0.0.1:80=1', '10.0.0.2:80=3'],
    ],
    [
      'the next one serves when the lowest has nobody',
      [srv('gone', { priority: 0 }), srv('two', { priority: 10 })],
      ['10.0.0.2:80=1'],
    ],
    [
      'the next one serves when the lowest cannot be used',
      [srv('one', { priority: 0, port: 0 }), srv('two', { priority: 10 })],
      ['10.0.0.2:80=1'],
    ],
    [
      'weight 0 is a small share beside others',
      [srv('one', { weight: 0 }), srv('two', { weight: 10 })],
      ['10.0.0.1:80=0.1', '10.0.0.2:80=10'],
    ],
    [
      'weight 0 of all is no choice',
      [srv('one', { weight: 0 }), srv('two', { weight: 0 })],
      ['10.0.0.1:80=1', '10.0.0.2:80=1'],
    ],
    ['the root alone is nobody', [srv('')], []],
    ['the root, written out, is nobody', [srv('.')], []],
    ['the root beside others is not counted', [srv('.'), srv('two')], ['10.0.0.2:80=1']],
    ['a target may be an address', [srv('10.9.9.9')], ['10.9.9.9:80=1']],
    [
      'what cannot be used hides nobody',
      [srv('one', { port: 70_000 }), srv('user@host'), null, 'x', { port: 1 }, srv('two')],
      ['10.0.0.2:80=1'],
    ],
  ])('%s', async (_, records, expected) => {
    const { read } = setUp({ srv: { users: records }, a: A });
    expect(shown(await read())).toEqual(expected);
  });

  it('share the weight of a host among its addresses, and take IPv6 where there is nothing else', async () => {
    const { read } = setUp({
      srv: { users: [srv('both', { weight: 4 }), srv('six')] },
      a: { both: [at('10.0.0.1'), at('10.0.0.2'), at('10.0.0.1')], six: dnsError('ENODATA') },
      aaaa: { both: [at('fd00::1')], six: [at('fd00::2')] },
    });
    expect((await read()).map(({ id, address, weight }) => [id, address, weight])).toEqual([
      ['both:80@10.0.0.1', '10.0.0.1', 2],
      ['both:80@10.0.0.2', '10.0.0.2', 2],
      ['six:80', 'fd00::2', 1],
    ]);
  });

  it('are told when they are skipped, a thousand of them as a number', async () => {
    const bad = Array.from({ length: 1_000 }, (_, n) => srv('one', { port: 70_000 + n }));
    const { read, problems } = setUp({ srv: { users: [...bad, srv('gone'), srv('two')] }, a: A });
    expect(shown(await read())).toEqual(['10.0.0.2:80=1']);
    expect(problems).toHaveLength(21);
    expect(problems[0]).toMatchObject({
      kind: 'bad-entry',
      entry: 'gone',
      message: expect.stringMatching(/no such name \(ENOTFOUND\)/),
    });
    expect(problems[1]).toMatchObject({
      kind: 'bad-entry',
      entry: 'one:70000',
      message: expect.stringMatching(/port 70000 is not 1–65535/),
    });
    expect(problems[20]?.message).toBe('dns: 981 more records of users were skipped');
  });

  it('of a thousand targets ask for 32 at a time', async () => {
    const hosts = Array.from({ length: 1_000 }, (_, n) => `h${n}`);
    const { read, resolver } = setUp({
      srv: { users: hosts.map(host => srv(host)) },
      a: Object.fromEntries(hosts.map((host, n) => [host, [at(`10.0.${n >> 8}.${n & 255}`)]])),
    });
    expect(await read()).toHaveLength(1_000);
    expect(resolver.most).toBe(32);
  });

  it('know a target that nobody can tell now from the last time, but not one that is gone', async () => {
    const { read, resolver, problems } = setUp({ srv: { users: [srv('one'), srv('two')] }, a: { ...A } });
    const context = contextOn(testRuntime());
    const registry = dnsRegistry({ resolver });
    const sets = registry.watch('users', context)[Symbol.asyncIterator]();
    await sets.next();
    resolver.zone.a = { one: dnsError('ESERVFAIL'), two: dnsError('ESERVFAIL') };
    expect(shown(await registry.discover('users', context))).toEqual(['10.0.0.1:80=1', '10.0.0.2:80=1']);
    resolver.zone.a = { one: dnsError('ESERVFAIL') };
    expect(shown(await registry.discover('users', context))).toEqual(['10.0.0.1:80=1']);
    // Who knew nothing before cannot say.
    await expect(read()).rejects.toThrow(/the server failed \(ESERVFAIL\)/);
    expect(problems).toEqual([]);
    context.abort();
  });
});

describe('addresses', () => {
  it.each([
    ['A', ['10.0.0.1:80', '10.0.0.2:80']],
    ['AAAA', ['[fd00::1]:80']],
    ['A+AAAA', ['10.0.0.1:80', '10.0.0.2:80', '[fd00::1]:80']],
  ] as const)('%s become instances on the given port', async (type, ids) => {
    const zone = { a: { users: [at('10.0.0.2'), at('10.0.0.1')] }, aaaa: { users: [at('fd00::1')] } };
    const { read } = setUp(zone, { type, port: 80 });
    expect((await read()).map(({ id }) => id)).toEqual(ids);
  });

  it('of one family are enough, but not if the other could not be told', async () => {
    const found = { users: [at('10.0.0.1')] };
    const both = { type: 'A+AAAA', port: 80 } as const;
    expect(await setUp({ a: found, aaaa: { users: dnsError('ENODATA') } }, both).read()).toHaveLength(1);
    expect(await setUp({ a: { users: dnsError('ENODATA') }, aaaa: found }, both).read()).toHaveLength(1);
    await expect(setUp({ a: found, aaaa: { users: dnsError('ESERVFAIL') } }, both).read()).rejects.toThrow(/ESERVFAIL/);
  });
});

describe('no answer is an error, never an empty set', () => {
  it.each([
    ['ENOTFOUND', /^dns: users \(SRV\): there is no such name \(ENOTFOUND\)$/],
    ['ENODATA', /the name has no such records \(ENODATA\)$/],
    ['ESERVFAIL', /the server failed \(ESERVFAIL\)$/],
    ['EREFUSED', /the server refused \(EREFUSED\)$/],
    ['ETIMEOUT', /no server answered in time \(ETIMEOUT\)$/],
    ['ECONNREFUSED', /no server could be reached \(ECONNREFUSED\)$/],
    ['EBADRESP', /queryEBADRESP$/],
  ])('%s', async (code, message) => {
    const { read } = setUp({ srv: { users: dnsError(code) } });
    await expect(read()).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE', service: 'users', cause: { code } });
    await expect(read()).rejects.toThrow(message);
    const addresses = setUp({ a: { users: dnsError(code) } }, { type: 'A', port: 80 });
    await expect(addresses.read()).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });

  it.each([
    ['an empty answer', []],
    ['something that is no answer', 'users'],
    ['targets that are all gone', [srv('gone'), srv('away')]],
    ['records that cannot be used', [srv('one', { port: 0 })]],
    ['nothing but junk', [null, 7, {}]],
  ])('%s', async (_, records) => {
    const { read } = setUp({ srv: { users: records }, a: A });
    await expect(read()).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });
});
