import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  consistentHash,
  withClientIp,
  withDeadline,
  type ConsistentHashOptions,
  type HashKey,
  type OutboundRequest,
} from 'fairlead';
import { testCall, testCandidates } from 'fairlead/testing';
import { build, equals, idOf } from './support.js';

const from = testCandidates(equals(50));
/** Where a key goes. */
const homeOf = (hashKey: string): string => idOf(build(consistentHash()).pick(from, testCall({ hashKey })));
const pickFor = (key: HashKey | undefined, request?: Partial<OutboundRequest>, hashKey?: string): string =>
  idOf(build(consistentHash({ key })).pick(from, testCall({ request, hashKey })));

describe('the key of a call', () => {
  const headers = { 'X-User': 'anna', Cookie: 'theme=dark; session=s%201 ; sessionid=other' };
  it.each<[string, HashKey, Partial<OutboundRequest>, string]>([
    ['a function', call => call.request?.method, { method: 'GET' }, 'GET'],
    ['a header', { header: 'x-user' }, { headers }, 'anna'],
    ['a header of a Headers', { header: 'X-USER' }, { headers: new Headers(headers) }, 'anna'],
    ['a header of pairs', { header: 'x-user' }, { headers: Object.entries(headers) }, 'anna'],
    ['a cookie, as it is sent', { cookie: 'session' }, { headers }, 's%201'],
    ['a cookie of a Headers', { cookie: 'theme' }, { headers: new Headers(headers) }, 'dark'],
    ['the first segment', { path: 0 }, { path: '/users/42?x=/9/9' }, 'users'],
    ['the second segment', { path: 1 }, { path: '/users/42?x=1' }, '42'],
  ])('%s', (_name, key, request, expected) => {
    expect(pickFor(key, request)).toBe(homeOf(expected));
  });

  it('the address of the client that is being served, however deep', async () => {
    const key: HashKey = { clientIp: true };
    await withClientIp('10.1.2.3', async () => {
      expect(pickFor(key)).toBe(homeOf('10.1.2.3'));
      await Promise.resolve();
      expect(withDeadline(1_000, () => pickFor(key))).toBe(homeOf('10.1.2.3'));
      expect(withClientIp('10.9.9.9', () => pickFor(key))).toBe(homeOf('10.9.9.9'));
      expect(pickFor(key, undefined, 'own')).toBe(homeOf('own'));
    });
    expect(() => withClientIp(42 as never, () => undefined)).toThrow('withClientIp: expected an address');
  });

  it('of the call itself goes first', () => {
    expect(pickFor({ header: 'x-user' }, { headers: { 'x-user': 'anna' } }, 'own')).toBe(homeOf('own'));
    expect(pickFor(() => 'anna', undefined, 'own')).toBe(homeOf('own'));
  });

  it.each<[string, HashKey | undefined, Partial<OutboundRequest> | undefined]>([
    ['no option', undefined, { path: '/' }],
    ['an empty string', () => '', undefined],
    ['no such header', { header: 'x-user' }, { headers: {} }],
    ['no headers', { header: 'x-user' }, {}],
    ['no such cookie', { cookie: 'session' }, { headers: { cookie: 'a=b; session; =c' } }],
    ['an empty cookie', { cookie: 'session' }, { headers: { cookie: 'session=' } }],
    ['no such segment', { path: 5 }, { path: '/users/42' }],
    ['a path that ends there', { path: 1 }, { path: '/users/?x' }],
    ['no request, as in call()', { path: 0 }, undefined],
    ['nobody is being served', { clientIp: true }, undefined],
  ])('that has none is balanced by p2c: %s', (_name, key, request) => {
    const balancer = build(consistentHash({ key }));
    const picked = new Set(Array.from({ length: 400 }, () => balancer.pick(from, testCall({ request }))));
    expect(picked.size).toBeGreaterThan(30);
  });
});

describe('a key function with a fault', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('no session');
      },
      /key threw: Error: no session/,
    ],
    ['gives nothing', () => undefined, /key gave undefined, not a string/],
    ['gives a number', () => 42, /key gave number, not a string/],
    ['rejects', () => Promise.reject(new Error('late')), /key gave object, not a string/],
  ])('that %s fails no call, and is warned of once', (_name, key, message) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const factory = consistentHash({ key: key as HashKey });
    for (const balancer of [build(factory), build(factory)]) {
      const picked = new Set(Array.from({ length: 200 }, () => balancer.pick(from, testCall())));
      expect(picked.size).toBeGreaterThan(30);
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toMatch(message);
  });
});

describe('options that make no sense', () => {
  it.each<[unknown, RegExp]>([
    ['ring', /^consistentHash: options: expected an object, got "ring"$/],
    [null, /options: expected an object, got null/],
    [{ hashKey: 'x' }, /hashKey: no such option; there are key, algorithm, replicas, maxLoadRatio/],
    [
      { key: 'x-user' },
      /key: expected a function, \{ header \}, \{ cookie \}, \{ path \} or \{ clientIp: true \}, got "x-user"/,
    ],
    [{ key: {} }, /key: expected a function/],
    [{ key: { header: 'a', cookie: 'b' } }, /key: expected a function/],
    [{ key: { ip: true } }, /key: expected a function/],
    [{ key: { header: '' } }, /key\.header: expected a name, got ""/],
    [{ key: { clientIp: 'yes' } }, /key\.clientIp: expected true, got "yes"/],
    [{ key: { path: -1 } }, /key\.path: expected a whole number >= 0, got -1/],
    [{ key: { path: 'users' } }, /key\.path: expected a whole number >= 0, got "users"/],
    [{ algorithm: 'ketama' }, /algorithm: expected 'ring' or 'maglev', got "ketama"/],
    [{ replicas: 0 }, /replicas: expected a whole number, 1–10 000, got 0/],
    [{ replicas: 1.5 }, /replicas/],
    [{ replicas: NaN }, /replicas/],
    [
      { maxLoadRatio: 125 },
      /maxLoadRatio: expected a number, 1–10 \(1\.25 is 25 % above the mean\), or false, got 125/,
    ],
    [{ maxLoadRatio: 0.5 }, /maxLoadRatio/],
    [{ maxLoadRatio: '1.25' }, /maxLoadRatio/],
  ])('%j', (options, message) => {
    expect(() => consistentHash(options as ConsistentHashOptions)).toThrow(message);
  });

  it('are not those that say the default', () => {
    const options = { key: undefined, algorithm: undefined, replicas: undefined, maxLoadRatio: undefined };
    expect(idOf(build(consistentHash(options)).pick(from, testCall({ hashKey: 'a' })))).toBe(homeOf('a'));
    expect(() => consistentHash({ maxLoadRatio: false })).not.toThrow();
  });
});
