import { describe, expect, it } from 'vitest';
import { readEntries } from '../../../src/registries/consul/entries.js';
import { entry } from './consul-fake.js';

const only = (given: unknown) => readEntries([given], { service: 'web' }).instances[0];

describe('an entry of Consul', () => {
  it('becomes an instance with all that Consul knows of it', () => {
    const Meta = { version: '2.1', zone: 'a', colour: 'blue' };
    const found = only(entry('web-1', { Tags: ['t'], Meta, Weights: { Passing: 7, Warning: 2 } }));
    expect(found).toMatchObject({
      ...{ id: 'web-1', service: 'web', address: '10.0.0.1', port: 80, protocol: 'http', weight: 7, status: 'passing' },
      ...{ version: '2.1', zone: 'a', tags: ['t'], metadata: Meta, incarnation: '7' },
    });
  });

  it('without an address is where its node is', () => {
    expect(only(entry('web-1', { Address: '' }))?.address).toBe('10.0.0.9');
    expect(only(entry('web-1', { Address: '::1' }))?.address).toBe('::1');
  });

  it.each([
    [['passing', 'passing'], 'passing', 7],
    [[], 'passing', 7],
    [['passing', 'warning'], 'warning', 2],
    [['warning', 'critical'], 'critical', 7],
    [['passing', 'something new'], 'critical', 7],
  ])('whose checks, the node’s included, are %j is %s with weight %d', (checks, status, weight) => {
    const found = only(entry('web-1', { Weights: { Passing: 7, Warning: 2 } }, checks));
    expect(found).toMatchObject({ status, weight });
  });

  it.each([
    [{ Meta: { weight: '5' } }, 5],
    [{ Meta: { weight: '0.5' }, Weights: { Passing: 1, Warning: 1 } }, 0.5],
    [{ Meta: { weight: '5' }, Weights: { Passing: 3, Warning: 1 } }, 3],
    [{ Weights: null }, 1],
  ])('with %j weighs %d', (service, weight) => expect(only(entry('web-1', service))?.weight).toBe(weight));

  it.each([
    [{}, 'http'],
    [{ secure: 'false' }, 'http'],
    [{ secure: 'true' }, 'https'],
    [{ scheme: 'https' }, 'https'],
    [{ protocol: 'grpc', secure: 'true' }, 'grpc'],
  ])('with metadata %j speaks %s', (Meta, protocol) => expect(only(entry('web-1', { Meta }))?.protocol).toBe(protocol));

  it.each([
    ['port 0', entry('bad', { Port: 0 })],
    ['port 70000', entry('bad', { Port: 70_000 })],
    ['a user name in the address', entry('bad', { Address: 'user@host' })],
    ['a path in the address', entry('bad', { Address: 'host/path' })],
    ['a space in the address', entry('bad', { Address: 'two hosts' })],
    ['no address at all', { ...entry('bad', { Address: '' }), Node: null }],
    ['no id', entry('', {})],
    ['metadata that would change prototypes', entry('bad', { Meta: JSON.parse('{"__proto__":"x"}') as object })],
    ['metadata that is a list', entry('bad', { Meta: ['x'] })],
    ['a negative weight', entry('bad', { Weights: { Passing: -1 } })],
    ['checks that are no list', { ...entry('bad'), Checks: 'passing' }],
    ['tags that cannot be text', entry('bad', { Tags: [{ toString: 1 }] })],
    ['nothing in it', {}],
    ['null', null],
    ['text', 'web-1'],
  ])('with %s is skipped and told, and the good ones are there', (_, bad) => {
    const { instances, problems } = readEntries([entry('web-1'), bad, entry('web-2')], { service: 'web' });
    expect(instances.map(({ id }) => id)).toEqual(['web-1', 'web-2']);
    expect(problems).toEqual([expect.objectContaining({ kind: 'bad-entry' })]);
    expect(problems[0]?.message).toMatch(/^consul: an entry of web .*was skipped: ./);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('is told with its id, and no more than 20 are told one by one', () => {
    expect(readEntries([entry('web-9', { Port: 0 })], { service: 'web' }).problems[0]).toMatchObject({
      entry: 'web-9',
      message: 'consul: an entry of web (web-9) was skipped: port 0 is not 1–65535',
    });
    const { problems } = readEntries(Array<unknown>(5_000).fill(null), { service: 'web' });
    expect(problems).toHaveLength(21);
    expect(problems[20]?.message).toBe('consul: 4980 more entries of web were skipped');
  });

  it.each([
    ['wan', '198.51.100.1', 8443],
    ['lan', '10.0.0.1', 80],
    ['odd', '10.0.0.1', 80],
    ['__proto__', '10.0.0.1', 80],
    ['toString', '10.0.0.1', 80],
    [undefined, '10.0.0.1', 80],
  ])('is reached at its address tagged %s, or at its plain one', (taggedAddress, address, port) => {
    const TaggedAddresses = { wan: { Address: '198.51.100.1', Port: 8443 }, odd: 'here' };
    const found = readEntries([entry('web-1', { TaggedAddresses })], { service: 'web', taggedAddress });
    expect(found.instances).toMatchObject([{ address, port }]);
  });

  it('without an address has the tagged ones of its node', () => {
    const Node = { Address: '10.0.0.9', TaggedAddresses: { wan: '198.51.100.9' } };
    const given = { ...entry('web-1', { Address: '' }), Node };
    for (const [taggedAddress, address] of [
      ['wan', '198.51.100.9'],
      ['lan_ipv6', '10.0.0.9'],
    ] as const)
      expect(readEntries([given], { service: 'web', taggedAddress }).instances).toMatchObject([{ address, port: 80 }]);
  });

  it('of one process on two agents counts once: in the better state, else the later', () => {
    const [early, late] = [{ CreateIndex: 7 }, { CreateIndex: 20 }];
    const read = (...entries: object[]) =>
      readEntries(entries, { service: 'web' }).instances.map(({ status, incarnation }) => [status, incarnation]);
    expect(read(entry('web-1', early), entry('web-1', late, ['critical']))).toEqual([['passing', '7']]);
    expect(read(entry('web-1', early, ['critical']), entry('web-1', late))).toEqual([['passing', '20']]);
    expect(read(entry('web-1', late), entry('web-1', early))).toEqual([['passing', '20']]);
    expect(read(entry('web-1', early), entry('web-1', { ...late, Port: 81 }))).toHaveLength(2);
  });
});
