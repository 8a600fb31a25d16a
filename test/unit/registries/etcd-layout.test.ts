import { describe, expect, it } from 'vitest';
import { toInstance } from '../../../src/core/instance.js';
import { endOf, instanceOf, prefixOf, valueOf } from '../../../src/registries/etcd/layout.js';

const read = (value: string | Buffer, id = 'a') =>
  instanceOf(
    { key: Buffer.from(`/s/web/${id}`), value: Buffer.from(value), create_revision: '7', lease: '0' },
    'web',
    id,
  );

describe('a value in etcd', () => {
  it('is read as it was written', () => {
    const input = {
      id: 'a',
      service: 'web',
      address: '::1',
      port: 80,
      protocol: 'grpc',
      weight: 0,
      zone: 'z',
      version: '2',
    };
    const whole = toInstance({ ...input, tags: ['blue'], metadata: { k: 'v' }, status: 'warning', incarnation: '7' });
    expect(read(valueOf(whole))).toEqual(whole);
    expect(JSON.parse(String(valueOf(whole)))).toEqual({
      ...{ address: '::1', port: 80, protocol: 'grpc', weight: 0, zone: 'z', version: '2', tags: ['blue'] },
      ...{ metadata: { k: 'v' }, status: 'warning' },
    });
  });

  it.each([
    ['10.0.0.1:8080', { address: '10.0.0.1', port: 8080, protocol: 'http', weight: 1, status: 'passing' }],
    ['host.example:80\n', { address: 'host.example', port: 80 }],
    ['[::1]:80', { address: '::1', port: 80 }],
    ['{"address":"h","port":1}', { address: 'h', port: 1, weight: 1, tags: [] }],
    ['{"address":"h","port":1,"metadata":{"weight":"3"},"extra":{"deep":[1]}}', { weight: 3 }],
    [
      '{"address":"h","port":1,"id":"other","service":"other","incarnation":"9"}',
      { id: 'a', service: 'web', incarnation: '7' },
    ],
  ])('%s is an instance', (value, expected) => {
    expect(read(value)).toMatchObject(expected);
  });

  it.each([
    ['', /neither a JSON object nor host:port/],
    ['nonsense', /neither/],
    ['<html>no</html>', /neither/],
    ['::1:80', /neither/],
    ['[1]', /neither/],
    ['host:0', /port 0/],
    ['host:70000', /port 70000/],
    ['user@host:80', /address "user@host"/],
    ['{"address":"h"', /^its value is not JSON$/],
    ['{"port":1}', /address/],
    ['{"address":"h","port":"1"}', /port/],
    ['{"address":"h","port":1,"tags":"a"}', /./],
    ['{"address":"h","port":1,"metadata":[]}', /metadata/],
    ['{"address":"h","port":1,"metadata":{"__proto__":"x"}}', /__proto__/],
    ['{"address":"h","port":1,"weight":"NaN"}', /weight/],
    ['{"address":"h","port":1,"status":"up"}', /status/],
    [`{"address":"h","port":1,"pad":"${'x'.repeat(1_000_000)}"}`, /bytes, more than 65536/],
  ])('%.60s is not', (value, message) => {
    expect(() => read(value)).toThrow(message);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it.each(['', 'a/b'])('below the key %j is nobody', id => {
    expect(() => read('h:1', id)).toThrow(/key is not/);
  });

  it('is not written when it could not be read', () => {
    const huge = toInstance({ service: 'web', address: 'h', port: 1, metadata: { k: 'x'.repeat(70_000) } });
    expect(() => valueOf(huge)).toThrow(/more than 65536; expected less metadata/);
  });
});

it('the keys of a service end before those of one whose name begins with its own', () => {
  const start = prefixOf('/services/', 'a');
  const inside = (key: string): boolean => key >= start && Buffer.compare(Buffer.from(key), endOf(start)) < 0;
  expect(['/services/a/1', '/services/a/ü', '/services/a/￿'].map(inside)).toEqual([true, true, true]);
  expect(['/services/ab/1', '/services/a', '/services/a0', '/services/b/1'].map(inside)).toEqual(Array(4).fill(false));
});
