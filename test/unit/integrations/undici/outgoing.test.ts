import { describe, expect, it } from 'vitest';
import type { OutboundRequest } from '../../../../src/core/transport.js';
import { toOutgoing } from '../../../../src/integrations/undici/outgoing.js';
import { strictPath } from '../../../../src/integrations/undici/outgoing-path.js';

const ORIGIN = 'http://127.0.0.1:8080';

/** As fetch would ask for it. */
const byUrl = (path: string): string => {
  const { pathname, search } = new URL(ORIGIN + path);
  return pathname + search;
};

/** Numbers in [0, 1) from a seed (mulberry32). */
const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
};

describe('the path that is asked for', () => {
  it('is the one that a URL would have, whatever it is made of (seed 42)', () => {
    const random = seeded(42);
    const pieces = [
      '/',
      '.',
      '..',
      '%2e',
      '%2E',
      '?',
      'a',
      '~',
      "'",
      '"',
      ' ',
      '\\',
      'é',
      '雪',
      '{',
      '%',
      '%zz',
      '[',
      '^',
      '|',
      ':',
      '@',
      ';',
      '=',
    ];
    for (let nth = 0; nth < 20_000; nth += 1) {
      const length = 1 + Math.floor(random() * 8);
      const rest = Array.from({ length }, () => pieces[Math.floor(random() * pieces.length)]).join('');
      // An empty query keeps its question mark here, where a URL drops it.
      const path = `/x${rest}`.replace(/\?+$/, '');
      expect(strictPath(path, ORIGIN)).toBe(byUrl(path));
    }
  });

  it.each(['/users/42', '/a.b/c-d_e~f?x=1&y=%20', '/', '/?', '/a?'])('is %s as it is', path => {
    expect(strictPath(path, ORIGIN)).toBe(path);
  });

  it.each(['@evil/', '.evil/', ':80@evil/'])('never leaves the instance by %s', path => {
    expect(() => strictPath(path, ORIGIN)).toThrow(TypeError);
  });
});

describe('a request that is not of the usual kind', () => {
  const outgoing = (request: Partial<OutboundRequest>, origin = ORIGIN) =>
    toOutgoing(
      { method: 'GET', path: '/', headers: undefined, body: undefined, init: undefined, ...request },
      { origin, secure: origin.startsWith('https:'), random: () => 0.5 },
    );

  it('takes headers in every form', () => {
    for (const headers of [{ 'X-A': '1' }, [['X-A', '1']] as [string, string][], new Headers({ 'X-A': '1' })])
      expect(outgoing({ headers }).headers.slice(0, 2)).toEqual(['x-a', '1']);
  });

  it.each<[string, Record<string, unknown>]>([
    [
      'as tracing adds them',
      { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', baggage: 'a=1' },
    ],
    ['in place of those that fetch adds', { accept: 'text/html', 'user-agent': 'me', range: 'bytes=0-1' }],
    ['with a host', { host: 'evil', 'x-a': '1' }],
    ['with blanks around', { 'x-a': ' 1\t' }],
    ['empty', { 'x-a': '' }],
    ['of one letter', { 'x-a': 'b' }],
    ['not of ASCII', { 'x-a': 'Zo\u00eb' }],
    ['a number', { 'x-a': 1 }],
    ['in upper case', { ACCEPT: 'text/html' }],
    ['named as a method of all objects', { constructor: 'x', __proto__: null }],
  ])('sends an object’s headers as Headers would: %s', (_name, headers) => {
    const pairs = (given: OutboundRequest['headers']): string[] => {
      const all = outgoing({ headers: given }).headers;
      return all.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : [])).sort();
    };
    expect(pairs(headers as Record<string, string>)).toEqual(pairs(new Headers(headers as Record<string, string>)));
  });

  it.each([{ 'x-a': 'line\nbreak' }, { 'x-a': 'nul\0' }, { 'x-a': '\u2603' }, { '': '1' }, { 'x:a': '1' }])(
    'refuses %j as Headers does',
    headers => expect(() => outgoing({ headers: headers })).toThrow(TypeError),
  );

  it('refuses a body by GET, headers that are none, and methods that fetch refuses', () => {
    expect(() => outgoing({ body: 'x' })).toThrow('cannot have body');
    expect(() => outgoing({ headers: { 'a b': '1' } })).toThrow(TypeError);
    expect(() => outgoing({ method: 'TRACE' })).toThrow("'TRACE' HTTP method is unsupported.");
    expect(() => outgoing({ method: 'GET /' })).toThrow('is not a valid HTTP method');
  });

  it('offers Brotli where nobody stands between', () => {
    expect(outgoing({}).headers.slice(-2)).toEqual(['accept-encoding', 'gzip, deflate']);
    expect(outgoing({}, 'https://127.0.0.1:8080').headers.slice(-2)).toEqual(['accept-encoding', 'br, gzip, deflate']);
  });

  it('sends the bytes as they were when it was asked to', () => {
    const body = new Uint8Array([1, 2, 3]);
    const sent = outgoing({ method: 'POST', body }).body as Uint8Array;
    body[0] = 9;
    expect([...sent]).toEqual([1, 2, 3]);
  });
});
