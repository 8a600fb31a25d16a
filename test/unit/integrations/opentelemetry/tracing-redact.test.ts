import { describe, expect, it } from 'vitest';
import { errorType } from '../../../../src/integrations/opentelemetry/span-error.js';
import { redaction } from '../../../../src/integrations/opentelemetry/redact.js';
import { connectionRefused } from 'fairlead/testing';
import { FairleadError } from '../../../../src/core/errors.js';
import { traced } from './tracing-support.js';

const { url, text } = redaction(['My-Own']);

describe('what is a secret in a URL', () => {
  it.each([
    ['/a?x=1&y=2', '/a?x=1&y=2'],
    ['/a?token=s3cret&x=1', '/a?token=REDACTED&x=1'],
    ['/a?x=1&access_token=s3cret#top', '/a?x=1&access_token=REDACTED#top'],
    ['/a?AWSAccessKeyId=s3cret', '/a?AWSAccessKeyId=REDACTED'],
    [
      '/a?X-Amz-Signature=s3cret&X-Amz-Security-Token=s3cret',
      '/a?X-Amz-Signature=REDACTED&X-Amz-Security-Token=REDACTED',
    ],
    ['/a?sig=s3cret&Signature=s3cret', '/a?sig=REDACTED&Signature=REDACTED'],
    ['/a?X-Goog-Signature=s3cret', '/a?X-Goog-Signature=REDACTED'],
    ['/a?API-KEY=s3cret;code=s3cret', '/a?API-KEY=REDACTED;code=REDACTED'],
    ['/a?%74oken=s3cret', '/a?%74oken=REDACTED'],
    ['/a?clientSecret=s3cret=s3cret', '/a?clientSecret=REDACTED'],
    ['/a?my_own=s3cret', '/a?my_own=REDACTED'],
    ['/a?password=s3\'cre"t', '/a?password=REDACTED'],
    ['/a?keyboard=qwerty&coder=ann&monkey=1', '/a?keyboard=qwerty&coder=ann&monkey=1'],
    ['/a?%=1&token', '/a?%=1&token'],
    ['http://ann:s3cret@host/a', 'http://REDACTED:REDACTED@host/a'],
    ['http://s3cret@host/a?b=//ann:s3cret@host', 'http://REDACTED@host/a?b=//REDACTED:REDACTED@host'],
  ])('%s', (given, expected) => {
    expect(url(given)).toBe(expected);
  });

  it('takes the same, and credentials, out of messages', () => {
    expect(text('GET "http://ann:pw@x/?token=s3cret" failed: Bearer abc.def, basic YTpi=')).toBe(
      'GET "http://REDACTED:REDACTED@x/?token=REDACTED" failed: Bearer REDACTED, basic REDACTED',
    );
    expect(text('connect ECONNREFUSED 10.0.0.1:80')).toBe('connect ECONNREFUSED 10.0.0.1:80');
  });

  it('takes no more than linear time: else this one would not end', () => {
    const long = `/a?${'x=1&'.repeat(50_000)}${'token='.repeat(1_000)}${'/'.repeat(50_000)}${'?'.repeat(50_000)}`;
    expect(url(long)).toContain('token=REDACTED');
    expect(text(long)).toContain('token=REDACTED');
  });
});

describe('secrets of a call', () => {
  it('reach no span, whatever is thrown', async () => {
    const { client, spans } = await traced({
      tracing: { redact: ['tenant'] },
      client: { retry: { maxAttempts: 2, baseMs: 0, maxMs: 0 } },
      answer: request => {
        throw new TypeError('fetch failed', { cause: new Error(`no route to ${request.url}`) });
      },
    });
    const headers = { authorization: 'Bearer s3cret', cookie: 'sid=s3cret' };
    await client.fetch('/a?token=s3cret&tenant=s3cret', { headers }).catch(() => undefined);
    await client.call(() => Promise.reject(new Error('Basic s3cret'))).catch(() => undefined);
    const out = JSON.stringify(
      spans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    );
    expect(spans().length).toBeGreaterThan(3);
    expect(out).toContain('REDACTED');
    expect(out).not.toContain('s3cret');
  });
});

describe('error.type', () => {
  it.each([
    [new FairleadError('CIRCUIT_OPEN', ''), 'CIRCUIT_OPEN'],
    [connectionRefused(), 'ECONNREFUSED'],
    [Object.assign(new Error('x'), { code: 'ETIMEDOUT' }), 'ETIMEDOUT'],
    [new RangeError('x'), 'RangeError'],
    [new DOMException('x', 'AbortError'), 'AbortError'],
    [Object.assign(new Error('x'), { code: 14 }), '14'],
    [Object.assign(new Error('x'), { code: 'a sentence, with details' }), '_OTHER'],
    [new Error('x'), '_OTHER'],
    ['text', '_OTHER'],
    [undefined, '_OTHER'],
    [null, '_OTHER'],
  ])('of %s is %s', (error, expected) => {
    expect(errorType(error)).toBe(expected);
  });
});
