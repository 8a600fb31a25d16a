import { describe, expect, it } from 'vitest';
import { identityOf, originOf, toInstance, type InstanceInput } from '../../../src/core/instance.js';

const input = (own: Partial<InstanceInput> = {}): InstanceInput => ({
  service: 'users',
  address: '10.0.0.1',
  port: 80,
  ...own,
});

describe('toInstance', () => {
  it('fills in the defaults', () => {
    expect(toInstance(input())).toEqual({
      id: 'users-10.0.0.1-80',
      service: 'users',
      address: '10.0.0.1',
      port: 80,
      protocol: 'http',
      weight: 1,
      tags: [],
      metadata: {},
      status: 'passing',
    });
  });

  it('reads weight, zone and version from metadata, where they are not given', () => {
    const metadata = { weight: '2.5', zone: 'z1', version: '2', other: 'x' };
    expect(toInstance(input({ metadata }))).toMatchObject({ weight: 2.5, zone: 'z1', version: '2' });
    expect(toInstance(input({ metadata, weight: 0, zone: 'z2', version: '3' }))).toMatchObject({
      weight: 0,
      zone: 'z2',
      version: '3',
    });
  });

  it.each<[string, object, RegExp]>([
    ['port 0', { port: 0 }, /port 0 is not 1–65535/],
    ['port 70000', { port: 70_000 }, /port 70000/],
    ['port as text', { port: '80' }, /port "80"/],
    ['a fractional port', { port: 80.5 }, /port 80.5/],
    ['no address', { address: '' }, /address "" is not a non-empty string/],
    ['a user name in the address', { address: 'user@host' }, /address "user@host" is not a host/],
    ['a path in the address', { address: 'host/path' }, /address "host\/path"/],
    ['a blank in the address', { address: 'a b' }, /address "a b"/],
    ['a query in the address', { address: 'host?x' }, /address/],
    ['a port in the address', { address: 'host:80' }, /address/],
    ['a line break in the id', { id: 'a\nb' }, /id .* control character/],
    ['a huge id', { id: 'x'.repeat(2_000) }, /id has 2000 characters/],
    ['__proto__ in metadata', { metadata: JSON.parse('{"__proto__":{"x":1}}') as never }, /__proto__/],
    ['metadata that is a list', { metadata: ['x'] as never }, /metadata/],
    ['a negative weight', { weight: -1 }, /weight -1/],
    ['a weight that is none', { metadata: { weight: 'heavy' } }, /weight "heavy"/],
    ['an endless weight', { weight: Infinity }, /weight Infinity/],
    ['an unknown status', { status: 'up' as never }, /status "up"/],
    ['a protocol that is none', { protocol: 'ht tp' }, /protocol "ht tp"/],
  ])('refuses %s', (_name, own, message) => {
    expect(() => toInstance(input(own as Partial<InstanceInput>))).toThrow(message);
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it.each([
    ['10.0.0.1', 'http://10.0.0.1:80'],
    ['::1', 'http://[::1]:80'],
    ['users.example', 'http://users.example:80'],
    ['web_1', 'http://web_1:80'],
  ])('address %s has the origin %s', (address, origin) => {
    expect(originOf(toInstance(input({ address })))).toBe(origin);
  });

  it('takes the same place under another id for another endpoint', () => {
    expect(identityOf(toInstance(input({ id: 'a' })))).not.toBe(identityOf(toInstance(input({ id: 'b' }))));
    expect(identityOf(toInstance(input({ weight: 2 })))).toBe(identityOf(toInstance(input({ weight: 3 }))));
  });
});
