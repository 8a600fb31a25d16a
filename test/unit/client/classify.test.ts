import { describe, expect, it } from 'vitest';
import { classifyError, classifyFetchError, classifyResponse } from '../../../src/client/classify.js';
import { connectionRefused, connectionReset, testRuntime } from 'fairlead/testing';

const runtime = testRuntime();
const respond = (status: number, retryAfter?: string): Response =>
  new Response(null, { status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } });

describe('classifyResponse', () => {
  it.each([
    [200, undefined, { outcome: 'success', retryable: false }],
    [404, undefined, { outcome: 'success', retryable: false }],
    [408, undefined, { outcome: 'overload', retryable: true }],
    [429, undefined, { outcome: 'overload', retryable: true }],
    [429, '2', { outcome: 'overload', retryable: true, retryAfterMs: 2_000, retryAfterScope: 'service' }],
    [500, undefined, { outcome: 'failure', retryable: false, ratioOnly: true }],
    [501, undefined, { outcome: 'failure', retryable: false, ratioOnly: true }],
    [502, undefined, { outcome: 'failure', retryable: true }],
    [503, undefined, { outcome: 'failure', retryable: true }],
    [503, 'soon', { outcome: 'failure', retryable: true }],
    [503, '-1', { outcome: 'failure', retryable: true }],
    [503, '0', { outcome: 'overload', retryable: 'always' }],
    [503, '60', { outcome: 'overload', retryable: true, retryAfterMs: 60_000, retryAfterScope: 'instance' }],
    [
      503,
      'Thu, 01 Jan 2026 00:00:05 GMT',
      { outcome: 'overload', retryable: true, retryAfterMs: 5_000, retryAfterScope: 'instance' },
    ],
    [504, undefined, { outcome: 'failure', retryable: true }],
  ])('%i with Retry-After %s', (status, retryAfter, verdict) => {
    expect(classifyResponse(respond(status, retryAfter), status, runtime)).toEqual(verdict);
  });
});

describe('classifyFetchError', () => {
  const withCode = (code: string, more: object = {}): TypeError =>
    new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code, ...more }) });

  it.each([
    ['a refused connection', connectionRefused(), { retryable: 'always', unsent: true }],
    ['an unknown name', withCode('ENOTFOUND'), { retryable: 'always', unsent: true }],
    ['a connect that timed out', withCode('ETIMEDOUT', { syscall: 'connect' }), { retryable: 'always', unsent: true }],
    [
      'all addresses of a name refused',
      new TypeError('fetch failed', {
        cause: new AggregateError([withCode('ECONNREFUSED').cause, withCode('EHOSTUNREACH').cause]),
      }),
      { retryable: 'always', unsent: true },
    ],
    ['a reset', connectionReset(), { outcome: 'failure', retryable: true }],
    ['a read that timed out', withCode('ETIMEDOUT', { syscall: 'read' }), { outcome: 'failure', retryable: true }],
    [
      'our own ports used up',
      withCode('EADDRNOTAVAIL', { syscall: 'connect' }),
      { outcome: 'ignored', retryable: 'always' },
    ],
    ['a bad argument', new TypeError('Invalid header'), { outcome: 'ignored', retryable: false }],
    ['a bad argument found by undici', withCode('UND_ERR_INVALID_ARG'), { outcome: 'ignored', retryable: false }],
    ['an "expect" header, which undici does not send', withCode('UND_ERR_NOT_SUPPORTED'), { outcome: 'ignored' }],
    ['a wrong content-length', withCode('UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'), { outcome: 'ignored' }],
  ])('%s', (_name, error, verdict) => {
    expect(classifyFetchError(error)).toMatchObject(verdict);
  });

  it('takes a TypeError of call() for a failure: there it is not an argument of ours', () => {
    expect(classifyError(new TypeError('x is not a function'))).toEqual({ outcome: 'failure', retryable: true });
    expect(classifyError('a string')).toEqual({ outcome: 'failure', retryable: true });
  });
});
