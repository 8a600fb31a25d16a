import { describe, expect, it } from 'vitest';
import { codingsOf } from '../../../../src/integrations/undici/content-coding.js';
import { rawHeader, toHeaders } from '../../../../src/integrations/undici/received-headers.js';
import { ReceivedResponse } from '../../../../src/integrations/undici/received-response.js';

const raw = (...texts: string[]): Buffer[] => texts.map(text => Buffer.from(text, 'latin1'));

describe('headers of an answer', () => {
  it('are read without Headers, whatever their case', () => {
    const headers = raw('Content-Encoding', 'gzip', 'X-A', '1', 'x-a', '2', 'content-encodinG', 'br');
    expect(rawHeader(headers, 'content-encoding')).toBe('gzip, br');
    expect(rawHeader(headers, 'x-a')).toBe('1, 2');
    expect(rawHeader(headers, 'x-b')).toBeUndefined();
  });

  it('lose what no header may be, and nothing else', () => {
    const headers = toHeaders(raw('x-a', '1', 'bad name', 'x', 'x-b', 'nul\0', 'x-c', 'Zoë'));
    expect([...headers]).toEqual([
      ['x-a', '1'],
      ['x-c', 'Zoë'],
    ]);
  });

  it('cannot turn into something else', () => {
    const headers = toHeaders(raw('__proto__', 'x', 'constructor', 'y'));
    expect(headers.get('__proto__')).toBe('x');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('what is to be undone of a body', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['gzip', ['gzip']],
    ['GZIP , br', ['br', 'gzip']],
    ['gzip, zebra', []],
    ['identity', []],
    ['__proto__', []],
    ['constructor', []],
  ])('of %j is %j', (header, codings) => expect(codingsOf(header)).toEqual(codings));

  it('has its bounds', () => {
    expect(() => codingsOf(Array(6).fill('gzip').join())).toThrow('too many content-encodings in response: 6');
  });
});

describe('a response without a body', () => {
  const of = (status: number): ReceivedResponse =>
    new ReceivedResponse({ status, statusText: 'x\u2603', raw: [], origin: 'http://a', path: '/' }, undefined);

  it.each([100, 200, 204, 304, 404, 599, 600, 999])('can have the status %d', status => {
    const response = of(status);
    expect([response.status, response.ok, response.statusText, response.body, response.url]).toEqual([
      ...[status, status >= 200 && status < 300, 'x\u2603', null, 'http://a/'],
    ]);
  });

  it('is one to the methods of the platform, too', () => {
    const status = Object.getOwnPropertyDescriptor(Response.prototype, 'status')!.get!;
    expect([status.call(of(404)), status.call(of(204))]).toEqual([404, 204]);
    expect(of(200) instanceof Response).toBe(true);
  });
});
