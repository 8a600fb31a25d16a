import { Resolver as CallbackResolver } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { describe, expect, it } from 'vitest';
import { dnsRegistry } from '../../../src/registries/dns.js';
import { resolveDnsOptions } from '../../../src/registries/dns/options.js';

describe('the options of dnsRegistry', () => {
  it.each([
    ['users.example', TypeError, /expected options such as/],
    [{ host: 'x' }, TypeError, /host: no such option; there are name, type/],
    [{ name: '' }, TypeError, /name: expected a non-empty string/],
    [{ name: '{service}..example' }, TypeError, /is no DNS name.*got ""/],
    [{ name: '{service}.{namespace}.svc' }, TypeError, /is no DNS name.*got "\{namespace\}"/],
    [{ name: 'http://{service}.example' }, TypeError, /is no DNS name/],
    [{ type: 'CNAME' }, TypeError, /type: expected SRV, A, AAAA, A\+AAAA, got "CNAME"/],
    [{ port: 80 }, TypeError, /port: SRV records tell the port/],
    [{ type: 'A' }, TypeError, /port: expected 1–65535, since A records/],
    [{ type: 'A', port: 0 }, RangeError, /port: expected 1–65535, got 0/],
    [{ type: 'A', port: 70_000 }, RangeError, /port: expected 1–65535, got 70000/],
    [{ type: 'A', port: '80' }, TypeError, /port: expected a number, got "80"/],
    [{ type: 'A', port: 80.5 }, RangeError, /whole number/],
    [{ protocol: 'http://' }, TypeError, /protocol: expected a URL scheme/],
    [{ servers: [] }, TypeError, /servers: expected one or more.*got none/],
    [{ servers: '127.0.0.1' }, TypeError, /servers: expected one or more.*got "127\.0\.0\.1"/],
    [{ servers: ['dns.example'] }, TypeError, /servers\[0\]: expected.*got "dns\.example"/],
    [{ servers: ['127.0.0.1', '127.0.0.1:70000'] }, TypeError, /servers\[1\]/],
    [{ resolver: {} }, TypeError, /resolver: expected a Resolver of node:dns\/promises/],
    [{ resolver: new CallbackResolver() }, TypeError, /resolver: expected a Resolver of node:dns\/promises/],
    [{ resolver: new Resolver(), servers: ['127.0.0.1'] }, TypeError, /resolver: comes instead of servers/],
    [{ targets: 'ip' }, TypeError, /targets: expected 'name' or 'address'/],
    [{ minRefreshMs: 999 }, RangeError, /minRefreshMs: expected 1000–3600000/],
    [{ minRefreshMs: 10_000, maxRefreshMs: 9_000 }, RangeError, /maxRefreshMs: expected 10000–3600000, got 9000/],
    [{ assumedTtlMs: NaN }, RangeError, /assumedTtlMs/],
    [{ timeoutMs: '5s' }, TypeError, /timeoutMs: expected a number, got "5s"/],
  ])('refuse %j when the registry is made', (options, kind, message) => {
    expect(() => dnsRegistry(options as never)).toThrow(kind);
    expect(() => dnsRegistry(options as never)).toThrow(message);
  });

  it.each(['', 'a/b', '..', 'a..b', '.', 'a b', 'grün', 'a\0b', 'x'.repeat(64), `${'abcdefg.'.repeat(40)}x`])(
    'refuse the service %j where it is named',
    async service => {
      const registry = dnsRegistry({ name: '{service}.example' });
      const context = { signal: new AbortController().signal, runtime: {} as never, report: () => undefined };
      expect(() => registry.watch(service, context)).toThrow(TypeError);
      await expect(registry.discover(service)).rejects.toThrow(TypeError);
    },
  );

  it('make the name', () => {
    expect(resolveDnsOptions().nameOf('users.example.')).toBe('users.example');
    const { nameOf } = resolveDnsOptions({ name: '_{service}._tcp.{service}.svc.cluster.local.' });
    expect(nameOf('users')).toBe('_users._tcp.users.svc.cluster.local');
  });

  it('leave target names as they are, unless others are asked than the system would ask', () => {
    expect(resolveDnsOptions({ servers: undefined }).targets).toBe('name');
    expect(resolveDnsOptions({ servers: ['127.0.0.1:8600', '::1', '[::1]:53', '10.0.0.2'] }).targets).toBe('address');
    expect(resolveDnsOptions({ resolver: new Resolver() }).targets).toBe('address');
    expect(resolveDnsOptions({ resolver: new Resolver(), targets: 'name' }).targets).toBe('name');
  });
});
