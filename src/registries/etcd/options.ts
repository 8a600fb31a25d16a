import { createSecureContext } from 'node:tls';
import { describe } from '../../core/errors.js';
import { systemRuntime, type Runtime } from '../../core/runtime.js';
import { requireNumber, requireText, shown, unknownKey } from '../shared/checks.js';

/** A client made by the `etcd3` package, version 1: `new Etcd3(…)`. */
export interface EtcdClient {
  readonly kv: object;
  readonly leaseClient: object;
  readonly watchClient: object;
}

/** PEM texts. */
export interface EtcdTls {
  /** Who signed the servers' certificates. @default the CAs that Node trusts */
  readonly ca?: string | Buffer | undefined;
  /** The client's certificate, together with `key`. */
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
}

export interface EtcdRegistryOptions {
  /**
   * Where the members answer: `'http://HOST:PORT'`, `'https://HOST:PORT'` or `'HOST:PORT'`, all with TLS or none. Any of
   * them may be down. @default 'http://127.0.0.1:2379'
   */
  readonly endpoints?: string | readonly string[] | undefined;
  /** Together with `password`. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Turns TLS on, and says whom to trust. @default for https endpoints: the CAs that Node trusts */
  readonly tls?: EtcdTls | undefined;
  /** Your own client of the `etcd3` package, instead of all of the above, with its own fault handling. It is never closed here. */
  readonly client?: EtcdClient | undefined;
  /** Instances are at `PREFIX/SERVICE/ID`. @default '/services/' */
  readonly prefix?: string | undefined;
  /** How long etcd may take to answer, in ms, whatever the number of endpoints tried, 100–60 000. @default 5_000 */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * How often the member of a watch that keeps silent is asked whether it still serves, in ms, 1 000–600 000. A connection
   * that is half open is noticed after this and `requestTimeoutMs`. @default 10_000
   */
  readonly watchdogMs?: number | undefined;
  /** Time and chance of registrations; watches use their reader's. @default the system's */
  readonly runtime?: Runtime | undefined;
}

/** Options with defaults filled in, checked once. */
export interface Settings {
  /** As `etcd3` takes them, with their scheme. One, whatever it says, for a client of the caller's. */
  readonly endpoints: readonly string[];
  readonly user: { readonly name: string; readonly password: string } | undefined;
  readonly tls: EtcdTls | undefined;
  readonly client: EtcdClient | undefined;
  /** Ends with a slash. */
  readonly prefix: string;
  readonly requestTimeoutMs: number;
  readonly watchdogMs: number;
  readonly runtime: Runtime;
}

const DEFAULT_ENDPOINT = 'http://127.0.0.1:2379';
const KNOWN: Record<keyof EtcdRegistryOptions, true> = {
  ...{ endpoints: true, username: true, password: true, tls: true, client: true },
  ...{ prefix: true, requestTimeoutMs: true, watchdogMs: true, runtime: true },
};
const TLS_KNOWN: Record<keyof EtcdTls, true> = { ca: true, cert: true, key: true };
const HINTS: Record<string, string> = {
  hosts: "endpoints: ['http://HOST:PORT']",
  host: "endpoints: ['http://HOST:PORT']",
  url: "endpoints: ['http://HOST:PORT']",
  urls: "endpoints: ['http://HOST:PORT']",
  auth: 'username and password',
  user: 'username',
  credentials: 'tls: { ca, cert, key }',
  namespace: "prefix: '/NAMESPACE/services/'",
  ttlMs: 'register(instance, { ttlMs })',
  ttl: 'register(instance, { ttlMs })',
};

export const resolveOptions = (options: EtcdRegistryOptions = {}): Settings => {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(
      `etcdRegistry: expected options such as { endpoints: '${DEFAULT_ENDPOINT}' }, got ${shown(options)}`,
    );
  const unknown = unknownKey(options, KNOWN);
  if (unknown !== undefined) {
    const hint = HINTS[unknown];
    const right = hint === undefined ? `there are ${Object.keys(KNOWN).join(', ')}` : `use ${hint}`;
    throw new TypeError(`etcdRegistry: ${unknown}: no such option; ${right}`);
  }
  const { client, tls, prefix = '/services/', requestTimeoutMs = 5_000, watchdogMs = 10_000 } = options;
  requireNumber('etcdRegistry: requestTimeoutMs', requestTimeoutMs, { min: 100, max: 60_000 });
  requireNumber('etcdRegistry: watchdogMs', watchdogMs, { min: 1_000, max: 600_000 });
  requireText('etcdRegistry: prefix', prefix);
  if (client !== undefined) requireClient(options);
  if (tls !== undefined) requireTls(tls);
  return {
    endpoints: endpointsOf(options),
    user: userOf(options),
    tls,
    client,
    prefix: prefix.endsWith('/') ? prefix : `${prefix}/`,
    requestTimeoutMs,
    watchdogMs,
    runtime: options.runtime ?? systemRuntime,
  };
};

const endpointsOf = ({ endpoints = DEFAULT_ENDPOINT, tls }: EtcdRegistryOptions): readonly string[] => {
  const list: readonly unknown[] = Array.isArray(endpoints) ? endpoints : [endpoints];
  if (list.length === 0) throw new TypeError('etcdRegistry: endpoints: expected at least one');
  const found = list.map((endpoint, at) =>
    endpointOf(endpoint, Array.isArray(endpoints) ? `endpoints[${at}]` : 'endpoints', tls !== undefined),
  );
  const secure = found.filter(endpoint => endpoint.startsWith('https:')).length;
  if (secure > 0 && secure < found.length)
    throw new TypeError('etcdRegistry: endpoints: expected all with https or all with http');
  return [...new Set(found)];
};

const endpointOf = (given: unknown, path: string, secure: boolean): string => {
  const expected = `expected a URL such as ${DEFAULT_ENDPOINT}, or HOST:PORT`;
  // What is not a URL may hold a password all the same: such a value is not repeated.
  const told = typeof given === 'string' && given.includes('@') ? 'one with a user name' : shown(given);
  const url = typeof given !== 'string' || given.includes('://') ? given : `${secure ? 'https' : 'http'}://${given}`;
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol))
    throw new TypeError(`etcdRegistry: ${path}: ${expected}, got ${told}`);
  if (parsed.username !== '' || parsed.password !== '')
    throw new TypeError(`etcdRegistry: ${path}: give user name and password as username and password`);
  if (parsed.pathname !== '/' || parsed.search !== '' || parsed.hash !== '')
    throw new TypeError(`etcdRegistry: ${path}: ${expected}, without a path, got ${told}`);
  if (secure && parsed.protocol === 'http:')
    throw new TypeError(`etcdRegistry: ${path}: expected https, for tls is given, got ${told}`);
  // gRPC needs the port that a URL leaves out.
  return `${parsed.protocol}//${parsed.hostname}:${parsed.port || (parsed.protocol === 'https:' ? '443' : '80')}`;
};

const userOf = ({ username, password }: EtcdRegistryOptions): Settings['user'] => {
  if (username === undefined && password === undefined) return undefined;
  requireText('etcdRegistry: username', username);
  if (typeof password !== 'string' || password === '')
    throw new TypeError('etcdRegistry: password: expected a non-empty string, together with username');
  return { name: username!, password };
};

const requireClient = ({ client, endpoints, username, password, tls }: EtcdRegistryOptions): void => {
  const raw = client as unknown as Record<string, { range?: unknown } | undefined> | null;
  if (typeof raw !== 'object' || typeof raw?.['kv']?.range !== 'function' || raw['watchClient'] === undefined)
    throw new TypeError(`etcdRegistry: client: expected new Etcd3(…) of the etcd3 package 1, got ${shown(client)}`);
  if ([endpoints, username, password, tls].some(option => option !== undefined))
    throw new TypeError('etcdRegistry: client: comes instead of endpoints, username, password and tls');
};

const requireTls = (tls: EtcdTls): void => {
  if (typeof tls !== 'object' || tls === null)
    throw new TypeError(`etcdRegistry: tls: expected { ca, cert, key }, got ${shown(tls)}`);
  const unknown = unknownKey(tls, TLS_KNOWN);
  if (unknown !== undefined)
    throw new TypeError(`etcdRegistry: tls.${unknown}: no such option; there are ${Object.keys(TLS_KNOWN).join(', ')}`);
  const { ca, cert, key } = tls;
  if ((cert === undefined) !== (key === undefined))
    throw new TypeError('etcdRegistry: tls: expected cert and key together');
  for (const [name, value] of Object.entries(tls))
    if (value !== undefined && (typeof value === 'string' ? value === '' : !Buffer.isBuffer(value)))
      throw new TypeError(`etcdRegistry: tls.${name}: expected a PEM text as a string or a Buffer`);
  try {
    createSecureContext({ ca, cert, key });
  } catch (error) {
    throw new TypeError(`etcdRegistry: tls: expected certificates and a key in PEM: ${describe(error)}`);
  }
};
