import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FairleadError, isFairleadError } from 'fairlead';
import { harmless, harmlessEvent } from '../../../src/core/harmless.js';
import { withoutSecrets } from '../../../src/core/secrets.js';

describe('withoutSecrets', () => {
  it.each([
    ['GET http://me:hunter2@consul:8500/v1', 'GET http://***@consul:8500/v1'],
    ['GET http://hunter2@consul:8500/v1', 'GET http://***@consul:8500/v1'],
    ['postgres://u:p@ss:w@rd@db/x', 'postgres://***@db/x'],
    ['GET http://consul/v1?dc=1&token=hunter2&wait=5s', 'GET http://consul/v1?dc=1&token=***&wait=5s'],
    ['/a?X-Amz-Signature=hunter2#top', '/a?X-Amz-Signature=***'],
    ['/a?api_key=hunter2', '/a?api_key=***'],
    ['/a?apiKey=hunter2', '/a?apiKey=***'],
    ['/a?sig=hunter2&x=1', '/a?sig=***&x=1'],
    ['Authorization: Bearer hunter2', 'Authorization: ***'],
    ['sent Bearer hunter2.abc-def, got 403', 'sent Bearer ***, got 403'],
    ['Basic aHVudGVyMg==', 'Basic ***'],
    ['cookie: a=hunter2; b=hunter2', 'cookie: ***'],
    ["{ 'x-consul-token': 'hunter2', a: 1 }", "{ 'x-consul-token': '***', a: 1 }"],
    ['{"password":"hunter2","port":1}', '{"password":"***","port":1}'],
    ['db_password = hunter2', 'db_password = ***'],
  ])('%s', (text, expected) => {
    expect(withoutSecrets(text)).toBe(expected);
  });

  it.each([
    'users: no instances, all 3 are out, retry in 1200 ms',
    'connect ECONNREFUSED 127.0.0.1:8500',
    'orders: circuit open, retry in 1200 ms (12 of 20 attempts failed in 10 s)',
    'Unexpected token < in JSON at position 0',
    'GET http://consul:8500/v1/health/service/users?passing=1&index=7',
    'mail to someone@example.com',
    'key=/services/users, author=me, design=new',
  ])('leaves alone: %s', text => {
    expect(withoutSecrets(text)).toBe(text);
  });

  it('takes time in proportion to a text that is made to be slow', () => {
    for (const part of ['a', 'token', 'token ', '://', 'cookie', 'bearer ', 'api_', '-', '=', '"'])
      expect(withoutSecrets(part.repeat(100_000 / part.length)).length).toBeGreaterThan(0);
  });
});

describe('harmless', () => {
  it('gives an error without secrets back as it is', () => {
    const error = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') });
    expect(harmless(error)).toBe(error);
  });

  it('gives a copy of the same kind without them, however deep they are, and leaves the error alone', () => {
    const cause = Object.assign(new Error('GET http://me:hunter2@consul/'), {
      url: 'http://consul/?token=hunter2',
      config: { headers: { authorization: 'hunter2' } },
      password: 'hunter2',
      code: 'ECONNRESET',
    });
    const error = new AggregateError([cause, 'token=hunter2'], 'all failed', { cause });
    const copy = harmless(error) as AggregateError;
    expect(copy).toBeInstanceOf(AggregateError);
    expect(inspect(copy, { depth: 9, showHidden: true })).not.toContain('hunter2');
    expect(copy.stack).toContain('all failed');
    expect(copy.cause).toMatchObject({ message: 'GET http://***@consul/', code: 'ECONNRESET', password: '***' });
    expect(error.cause).toBe(cause);
    expect(cause.message).toContain('hunter2');
  });

  it('what is too large or too deep to be looked at is not passed on', () => {
    const error = Object.assign(new Error('broken'), {
      socket: Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`f${n}`, n])),
    });
    expect(harmless(error)).toMatchObject({ message: 'broken', socket: undefined });
    const ring = Object.assign(new Error('round'), { ring: {} });
    ring.ring = ring;
    expect(harmless(ring)).toMatchObject({ message: 'round' });
  });

  it('does not run the getters of an error', () => {
    const error = Object.defineProperty(new Error('trap'), 'config', {
      get: () => {
        throw new Error('sprung');
      },
    });
    expect(harmless(error)).toBe(error);
  });

  it('cleans the error and the problem of an event, and copies none that has nothing to clean', () => {
    const event = { type: 'call.ended', status: 200, error: undefined };
    expect(harmlessEvent(event)).toBe(event);
    const cause = new Error('token=hunter2');
    const problem = { kind: 'other', message: 'token=hunter2', cause };
    expect(inspect(harmlessEvent({ type: 'registry.problem', problem }))).not.toContain('hunter2');
    expect(inspect(harmlessEvent({ type: 'registration.lost', cause }))).not.toContain('hunter2');
  });

  it('an error of fairlead keeps no secret of its cause', () => {
    const cause = new FairleadError('REGISTRY_UNAVAILABLE', 'http://me:hunter2@consul/');
    const error = new FairleadError('REGISTRY_UNAVAILABLE', 'down', { cause });
    expect(inspect(error)).not.toContain('hunter2');
    expect(isFairleadError(error.cause, 'REGISTRY_UNAVAILABLE')).toBe(true);
  });
});
