import { describe, expect, it } from 'vitest';
import { etcdRegistry } from '../../../src/registries/etcd/index.js';
import { Connection } from '../../../src/registries/etcd/connection.js';
import { resolveOptions } from '../../../src/registries/etcd/options.js';
import { FakeEtcd } from './etcd-fake.js';

describe('the options of etcdRegistry', () => {
  it.each<[object | string, RegExp]>([
    ['http://localhost:2379', /expected options such as/],
    [{ endpoints: [] }, /endpoints: expected at least one/],
    [{ endpoints: '' }, /endpoints: expected a URL such as http:\/\/127\.0\.0\.1:2379, or HOST:PORT, got ""/],
    [{ endpoints: 2379 }, /endpoints: expected.*got 2379/],
    [{ endpoints: ['http://a:1', 'ftp://b:1'] }, /endpoints\[1\]: expected.*got "ftp:\/\/b:1"/],
    [{ endpoints: ['http://a:1', 'https://b:1'] }, /all with https or all with http/],
    [{ endpoints: 'http://a:1/v3' }, /without a path/],
    [{ endpoints: 'http://a:1', tls: {} }, /expected https, for tls is given/],
    [{ username: 'root' }, /password: expected a non-empty string, together with username/],
    [{ password: 'x' }, /username: expected/],
    [{ tls: 'ca' }, /tls: expected \{ ca, cert, key \}/],
    [{ tls: { rootCertificate: 'x' } }, /tls\.rootCertificate: no such option; there are ca, cert, key/],
    [{ tls: { cert: 'x' } }, /expected cert and key together/],
    [{ tls: { ca: 7 } }, /tls\.ca: expected a PEM text/],
    [{ tls: { cert: 'x', key: 'y' } }, /tls: expected certificates and a key in PEM/],
    [{ prefix: '' }, /prefix: expected/],
    [{ prefix: 7 }, /prefix: expected/],
    [{ requestTimeoutMs: 99 }, /requestTimeoutMs: expected 100–60000, got 99/],
    [{ watchdogMs: '10s' }, /watchdogMs: expected a number, got "10s"/],
    [{ client: {} }, /client: expected new Etcd3/],
    [{ client: new FakeEtcd(), username: 'a', password: 'b' }, /client: comes instead of/],
    [{ hosts: 'a:1' }, /hosts: no such option; use endpoints/],
    [{ auth: {} }, /auth: no such option; use username and password/],
    [{ credentials: {} }, /credentials: no such option; use tls/],
    [{ bogus: 1 }, /bogus: no such option; there are endpoints, username/],
  ])('refuse %j when the registry is made', (options, message) => {
    expect(() => etcdRegistry(options as never)).toThrow(message);
  });

  it.each(['http://root:hunter2@a:2379', 'root:hunter2@a:2379', 'x://root:hunter2@'])(
    'do not repeat the password of %s',
    endpoints => {
      expect(() => etcdRegistry({ endpoints })).toThrow(TypeError);
      expect(() => etcdRegistry({ endpoints })).not.toThrow(/hunter2/);
    },
  );

  it.each([
    [{}, ['http://127.0.0.1:2379'], '/services/'],
    [{ endpoints: 'a:1', prefix: '/x' }, ['http://a:1'], '/x/'],
    [{ endpoints: ['https://a', 'https://[::1]:7/'], prefix: 'x/' }, ['https://a:443', 'https://[::1]:7'], 'x/'],
    [{ endpoints: ['a:1', 'http://a:1', 'b:2'], tls: undefined }, ['http://a:1', 'http://b:2'], '/services/'],
    [{ endpoints: 'a:1', tls: {} }, ['https://a:1'], '/services/'],
  ])('%j ask at %j, below %s', (options, endpoints, prefix) => {
    expect(resolveOptions(options)).toMatchObject({ endpoints, prefix });
  });

  it('ask nobody when the registry is made, and name the package that is missing when it is used', async () => {
    const missing = Object.assign(new Error("Cannot find package 'etcd3'"), { code: 'ERR_MODULE_NOT_FOUND' });
    const read = (load: () => Promise<unknown>): Promise<unknown> => {
      const connection = new Connection(resolveOptions(), load);
      const { runtime } = connection.settings;
      return connection.ask({ what: 'a read', runtime, send: client => client.kv.range({}, { interceptors: [] }) });
    };
    await expect(read(() => Promise.reject(missing))).rejects.toMatchObject({
      code: 'MISSING_PEER',
      message: 'etcdRegistry needs the package etcd3, version 1: npm install etcd3',
    });
    await expect(read(async () => ({ Etcd: 1 }))).rejects.toMatchObject({ code: 'MISSING_PEER' });
  });
});
