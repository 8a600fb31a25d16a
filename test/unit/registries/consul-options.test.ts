import { Agent as HttpsAgent } from 'node:https';
import { describe, expect, it } from 'vitest';
import { consulRegistry } from '../../../src/registries/consul/index.js';
import { resolveOptions } from '../../../src/registries/consul/options.js';
import { fakeClient } from './consul-fake.js';

describe('the options of consulRegistry', () => {
  it.each([
    [{ url: '127.0.0.1:8500' }, TypeError, /url: expected an http or https URL.*got "127\.0\.0\.1:8500"/],
    [{ url: 'localhost:8500' }, TypeError, /url: expected/],
    [{ url: 'tcp://localhost:8500' }, TypeError, /url: expected/],
    [{ url: '' }, TypeError, /url: expected/],
    [{ url: 8500 }, TypeError, /url: expected.*got 8500/],
    [{ url: 'http://localhost:8500/v1' }, TypeError, /\/v1 is added/],
    [{ url: 'http://localhost:8500?dc=a' }, TypeError, /without \? and #/],
    [{ urls: [] }, TypeError, /urls: expected one or more URLs, got an array/],
    [{ urls: 'http://a:1' }, TypeError, /urls: expected one or more URLs, got "http:\/\/a:1"/],
    [{ urls: ['http://a:1', 'a:2'] }, TypeError, /urls\[1\]: expected an http or https URL.*got "a:2"/],
    [{ urls: ['http://a:1', 'http://A:1/'] }, TypeError, /urls: http:\/\/a:1 is there twice/],
    [{ urls: ['http://a:1'], url: 'http://b:1' }, TypeError, /urls: comes instead of url/],
    [{ urls: ['https://a:1', 'http://b:1'], agent: new HttpsAgent() }, TypeError, /agent: is for "https:"/],
    [{ taggedAddress: '' }, TypeError, /taggedAddress: expected a non-empty string/],
    [{ token: 'a\r\nb' }, TypeError, /token: expected/],
    [{ waitMs: 999 }, RangeError, /waitMs: expected 1000–600000, got 999/],
    [{ waitMs: '30s' }, TypeError, /waitMs: expected a number, got "30s"/],
    [{ requestTimeoutMs: NaN }, RangeError, /requestTimeoutMs/],
    [{ consistency: 'strong' }, TypeError, /consistency: expected default, stale or consistent/],
    [{ tags: 'blue' }, TypeError, /tags: expected an array/],
    [{ tags: ['blue', ''] }, TypeError, /tags\[1\]: expected/],
    [{ passingOnly: 'yes' }, TypeError, /passingOnly: expected a boolean/],
    [{ host: 'localhost' }, TypeError, /host: no such option; use url/],
    [{ includeWarning: true }, TypeError, /includeWarning of createServiceClient/],
    [{ bogus: 1 }, TypeError, /bogus: no such option; there are url, urls, token/],
    [{ client: {} }, TypeError, /client: expected new Consul/],
    [{ client: fakeClient(() => ({})), url: 'http://localhost:8500' }, TypeError, /instead of url/],
    [{ agent: {} }, TypeError, /agent: expected an http\.Agent/],
    [{ agent: new HttpsAgent() }, TypeError, /agent: is for "https:", the url for "http:"/],
    ['http://localhost:8500', TypeError, /expected options such as/],
  ])('refuse %j when the registry is made', (options, kind, message) => {
    expect(() => consulRegistry(options as never)).toThrow(kind);
    expect(() => consulRegistry(options as never)).toThrow(message);
  });

  it.each(['http://root:hunter2@localhost:8500', 'root:hunter2@localhost:8500', 'http://root:hunter2@'])(
    'do not repeat the password of %s',
    url => {
      expect(() => consulRegistry({ url })).toThrow(TypeError);
      expect(() => consulRegistry({ url })).not.toThrow(/hunter2/);
    },
  );

  it('do not repeat a token that is no token', () => {
    expect(() => consulRegistry({ token: 'hunter 2' })).not.toThrow(/hunter/);
    expect(() => consulRegistry({ token: 'hunter 2' })).toThrow(/token: expected/);
  });

  it('have defaults, and become the query of every read', () => {
    expect(resolveOptions()).toMatchObject({
      ...{ urls: ['http://127.0.0.1:8500'], waitMs: 30_000, requestTimeoutMs: 5_000, query: {} },
    });
    const all = { datacenter: 'dc2', namespace: 'team', near: '_agent', tags: ['a', 'b'], passingOnly: true } as const;
    expect(resolveOptions({ ...all, consistency: 'stale' }).query).toEqual({
      ...{ dc: 'dc2', ns: 'team', near: '_agent', tag: ['a', 'b'], passing: '1', stale: '1' },
    });
    expect(resolveOptions({ url: 'https://proxy.example/consul/' }).urls).toEqual(['https://proxy.example/consul']);
    expect(resolveOptions({ url: undefined, token: undefined }).urls).toEqual(['http://127.0.0.1:8500']);
  });
});
