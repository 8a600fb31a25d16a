import { describe, expect, it } from 'vitest';
import { toInstance } from '../../../src/core/instance.js';
import { nodeName, readValue, writeValue } from '../../../src/registries/zookeeper/value.js';

const stat = { czxid: Buffer.from('000000000000002a', 'hex') } as never;
const read = (text: string, name = 'n') => readValue({ service: 'web', name, data: Buffer.from(text), stat });

describe('the value of a node', () => {
  it('holds all of an instance', () => {
    const instance = toInstance({
      ...{ id: 'a', service: 'web', address: '::1', port: 1, protocol: 'https', weight: 0, zone: 'z', version: '1' },
      ...{ tags: ['t'], metadata: { k: 'v' }, status: 'warning', incarnation: '0x2a' },
    });
    expect(readValue({ service: 'web', name: 'a', data: writeValue(instance), stat })).toEqual(instance);
  });

  it.each([
    ['10.0.0.1:80', { address: '10.0.0.1', port: 80 }],
    ['host.example:80\n', { address: 'host.example', port: 80 }],
    ['[::1]:80', { address: '::1', port: 80 }],
    ['{"address":"a","port":1,"weight":null,"tags":null,"other":{}}', { address: 'a', port: 1, weight: 1, tags: [] }],
    ['{"address":"a","port":1,"id":"not mine"}', { id: 'n' }],
  ])('may be %s', (text, expected) => {
    expect(read(text)).toMatchObject({ id: 'n', service: 'web', incarnation: '0x2a', status: 'passing', ...expected });
  });

  it.each([
    ['', /neither a JSON object nor host:port/],
    ['<html>', /neither/],
    ['user:pass@host:80', /neither/],
    ['::1:80', /neither/],
    ['{"address":', /not JSON$/],
    ['[]', /neither/],
    ['null', /neither/],
    ['a:0', /port 0/],
    ['a:70000', /port 70000/],
    ['{"port":1}', /address undefined/],
    ['{"address":"a","port":"80"}', /port "80"/],
    ['{"address":"a","port":1,"tags":{}}', /tags is not an array/],
    ['{"address":"a","port":1,"protocol":5}', /protocol is not a string/],
    ['{"address":"a","port":1,"weight":"x"}', /weight/],
    ['{"address":"a","port":1,"status":"up"}', /status/],
    ['{"address":"a","port":1,"metadata":{"__proto__":1}}', /__proto__/],
    [`{"address":"${'a'.repeat(70_000)}"}`, /has 70014 bytes, more than 65536/],
  ])('is refused when it is %s', (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });
});

it.each([
  ['web-1', 'web-1'],
  ['a.b:c~d é雪', 'a.b:c~d é雪'],
  ['50%', '50%25'],
  ['😀', '%F0%9F%98%80'],
  ['\ue000\u0085', '%EE%80%80%C2%85'],
])('the name of the node for %s', (id, name) => {
  expect(nodeName(id)).toBe(name);
  expect(read(JSON.stringify({ id, address: 'a', port: 1 }), name).id).toBe(id);
});
