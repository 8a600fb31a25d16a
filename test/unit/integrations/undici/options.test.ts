import { describe, expect, it } from 'vitest';
import { FairleadError } from '../../../../src/core/errors.js';
import { resolveOptions, UNDICI_DEFAULTS } from '../../../../src/integrations/undici/options.js';
import { loadUndici } from '../../../../src/integrations/undici/peer.js';

describe('the options of undiciTransport', () => {
  it.each([
    [{ connections: 0 }, RangeError, 'undiciTransport.connections: expected a whole number >= 1 and <= 100000, got 0'],
    [{ connections: '64' }, TypeError, 'undiciTransport.connections'],
    [{ connectTimeoutMs: 0 }, RangeError, 'undiciTransport.connectTimeoutMs'],
    [{ connectTimeoutMs: Infinity }, RangeError, 'undiciTransport.connectTimeoutMs'],
    [{ keepAliveMs: 1.5 }, RangeError, 'undiciTransport.keepAliveMs'],
    [{ keepAliveMaxMs: -1 }, RangeError, 'undiciTransport.keepAliveMaxMs'],
    [{ requestsPerConnection: 0 }, RangeError, 'or false, got 0'],
    [{ headersTimeoutMs: 2 ** 31 }, RangeError, 'undiciTransport.headersTimeoutMs'],
    [{ bodyTimeoutMs: true }, TypeError, 'undiciTransport.bodyTimeoutMs'],
    [{ maxHeaderBytes: 10 }, RangeError, 'undiciTransport.maxHeaderBytes'],
    [{ tls: 'ca.pem' }, TypeError, 'undiciTransport.tls: expected an object'],
    [{ socketPath: 7 }, TypeError, 'undiciTransport.socketPath: expected a string'],
    [{ timeout: 7 }, TypeError, 'undiciTransport.timeout: no such option; there are connections'],
    [64, TypeError, 'write undiciTransport({ connections: 64 })'],
  ])('refuses %j, and says what is wrong', (given, kind, message) => {
    const resolve = (): unknown => resolveOptions(given as never);
    expect(resolve).toThrow(kind);
    expect(resolve).toThrow(message);
  });

  it.each([
    undefined,
    {},
    { connections: undefined, tls: undefined, socketPath: undefined },
    { connections: UNDICI_DEFAULTS.connections },
  ])('fills in the defaults of %j', given => {
    expect(resolveOptions(given)).toEqual(UNDICI_DEFAULTS);
  });

  it('takes what is given for each instance', () => {
    const tls = () => ({ servername: 'a' });
    expect(resolveOptions({ tls, bodyTimeoutMs: false })).toEqual({ ...UNDICI_DEFAULTS, tls, bodyTimeoutMs: false });
  });
});

describe('the package undici', () => {
  it('is asked for by what to install', () => {
    const load = (name: string, what: string): never => {
      throw new FairleadError('MISSING_PEER', `${name}: ${what}`);
    };
    expect(() => loadUndici(load)).toThrow(
      'undici: undiciTransport needs the package undici, version 7: npm install undici@7',
    );
  });

  it.each(['8.1.0', '6.24.1', '70.0.0', undefined])('is refused in version %s', version => {
    const load = (name: string) => (name === 'undici' ? {} : { version });
    expect(() => loadUndici(load)).toThrow(`npm install undici@7; installed is ${version}`);
  });

  it('is taken in version 7', () => {
    expect(loadUndici()).toHaveProperty('Client');
  });
});
