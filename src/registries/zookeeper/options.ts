import { systemRuntime, type Runtime } from '../../core/runtime.js';
import { requireNumber, requireText, shown, unknownKey } from '../shared/checks.js';
import { serversOf } from './servers.js';

/** A client made by the `node-zookeeper-client` package, version 1. */
export interface ZooKeeperClient {
  connect(): void;
  close(): void;
  getSessionId(): Buffer;
}

/** Who may do what with the nodes that are created. */
export interface ZooKeeperAcl {
  /** Such as `'world'`, `'digest'` or `'ip'`. */
  readonly scheme: string;
  /** Such as `'anyone'`, or `'user:base64(sha1(user:password))'`. */
  readonly id: string;
  /** Some of `cdrwa`: create, delete, read, write, admin. */
  readonly permissions: string;
}

export interface ZooKeeperRegistryOptions {
  /**
   * The servers of the ensemble as `host` or `host:port` (2181), in an array or with commas between. In a string, a path
   * after them is the chroot. IPv6 needs a host name: the package cannot read a literal. @default '127.0.0.1:2181'
   */
  readonly servers?: string | readonly string[] | undefined;
  /** A path that is the root for all that is done here; it has to exist. @default none */
  readonly chroot?: string | undefined;
  /** Where services are: instances are at `PREFIX/SERVICE/ID`. @default '/services' */
  readonly prefix?: string | undefined;
  /** Who this is to ZooKeeper, by its digest scheme, with `password`; without ":". Both travel in clear text. @default nobody */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /**
   * Of all nodes made here, parents too. `'open'`: anyone may do anything; `'readable'`: this user may, anyone may read;
   * `'private'`: this user only. @default 'readable' with a user, else 'open'
   */
  readonly acl?: 'open' | 'readable' | 'private' | readonly ZooKeeperAcl[] | undefined;
  /**
   * How long the session, and with it what is registered, outlives a process that died, in ms, 1 000–3 600 000. The server
   * may set other bounds (2 and 20 of its ticks, by default 4–40 s). @default 15_000
   */
  readonly sessionTimeoutMs?: number | undefined;
  /** How long one request, or a wait for the connection, may take, in ms, 100–60 000. @default 5_000 */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * Your own client of the `node-zookeeper-client` package, instead of `servers`, `chroot` and the user. A function
   * makes one, not connected yet, for each session, and gives it away. One that is given as it is has to be connected by
   * you, is never closed here, and serves until its session ends: ZooKeeper's clients outlive no session.
   */
  readonly client?: ZooKeeperClient | ((sessionTimeoutMs: number) => ZooKeeperClient) | undefined;
  /** Time and chance of the session and the registrations. @default the system's */
  readonly runtime?: Runtime | undefined;
}

/** Options with defaults filled in, checked once. */
export interface Settings {
  readonly servers: readonly string[];
  /** Empty, or a path without a slash at its end. */
  readonly chroot: string;
  readonly prefix: string;
  /** `user:password` of the digest scheme. */
  readonly credentials: string | undefined;
  readonly acl: readonly ZooKeeperAcl[];
  readonly sessionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly client: ZooKeeperRegistryOptions['client'];
  readonly runtime: Runtime;
}

const KNOWN: Record<keyof ZooKeeperRegistryOptions, true> = {
  ...{ servers: true, chroot: true, prefix: true, username: true, password: true, acl: true, sessionTimeoutMs: true },
  ...{ requestTimeoutMs: true, client: true, runtime: true },
};
const SERVERS_HINT = "servers: 'HOST:PORT,HOST:PORT'";
const HINTS: Record<string, string> = {
  ...{ url: SERVERS_HINT, host: SERVERS_HINT, hosts: SERVERS_HINT, port: SERVERS_HINT, connectString: SERVERS_HINT },
  ...{ connectionString: SERVERS_HINT, server: SERVERS_HINT },
  ...{ sessionTimeout: 'sessionTimeoutMs', ttlMs: 'sessionTimeoutMs', basePath: 'prefix' },
  ...{ auth: 'username and password', credentials: 'username and password', user: 'username' },
  ...{ operationTimeoutMs: 'requestTimeoutMs' },
};
const ANYONE = { scheme: 'world', id: 'anyone' };
const CREATOR = { scheme: 'auth', id: '', permissions: 'cdrwa' };
const ACLS = {
  open: [{ ...ANYONE, permissions: 'cdrwa' }],
  readable: [CREATOR, { ...ANYONE, permissions: 'r' }],
  private: [CREATOR],
} as const;

export const resolveOptions = (options: ZooKeeperRegistryOptions = {}): Settings => {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(
      `zookeeperRegistry: expected options such as { servers: '127.0.0.1:2181' }, got ${shown(options)}`,
    );
  const unknown = unknownKey(options, KNOWN);
  if (unknown !== undefined) {
    const hint = HINTS[unknown];
    const right = hint === undefined ? `there are ${Object.keys(KNOWN).join(', ')}` : `use ${hint}`;
    throw new TypeError(`zookeeperRegistry: ${unknown}: no such option; ${right}`);
  }
  const { sessionTimeoutMs = 15_000, requestTimeoutMs = 5_000, client } = options;
  const { runtime = systemRuntime } = options;
  const prefix = withoutSlash(options.prefix ?? '/services');
  requireNumber('zookeeperRegistry: sessionTimeoutMs', sessionTimeoutMs, { min: 1_000, max: 3_600_000 });
  requireNumber('zookeeperRegistry: requestTimeoutMs', requestTimeoutMs, { min: 100, max: 60_000 });
  const credentials = credentialsOf(options);
  if (client !== undefined) requireClient(options);
  requirePath('prefix', prefix);
  const { servers, chroot } = serversOf(options.servers);
  if (options.chroot !== undefined) requirePath('chroot', options.chroot);
  if (options.chroot !== undefined && chroot !== '')
    throw new TypeError('zookeeperRegistry: chroot: is given in servers already');
  const acl = aclOf(options);
  const common = { credentials, acl, sessionTimeoutMs, requestTimeoutMs, client, runtime };
  return { ...common, servers, prefix, chroot: options.chroot ?? chroot };
};

const withoutSlash = (path: string): string => (typeof path === 'string' ? path.replace(/(?<=.)\/$/, '') : path);

const requirePath = (name: string, path: unknown): void => {
  requireText(`zookeeperRegistry: ${name}`, path);
  const segments = (path as string).split('/').slice(1);
  const good = (path as string).startsWith('/') && segments.every(part => part !== '' && part !== '.' && part !== '..');
  if (!good) throw new TypeError(`zookeeperRegistry: ${name}: expected a path such as "/services", got ${shown(path)}`);
};

/** What is wrong with them is not shown: it may be the password. */
const credentialsOf = ({ username, password }: ZooKeeperRegistryOptions): string | undefined => {
  if (username === undefined && password === undefined) return undefined;
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
  if (isText(username) && isText(password) && !username.includes(':')) return `${username}:${password}`;
  throw new TypeError(
    'zookeeperRegistry: username, password: expected both, as non-empty strings, the name without ":"',
  );
};

const requireClient = ({ client, servers, chroot, username, password }: ZooKeeperRegistryOptions): void => {
  const methods = ['connect', 'close', 'getSessionId', 'getChildren'];
  const isClient = methods.every(
    name => typeof (client as unknown as Record<string, unknown> | null)?.[name] === 'function',
  );
  if (typeof client !== 'function' && !isClient)
    throw new TypeError(
      `zookeeperRegistry: client: expected createClient(…) of node-zookeeper-client 1, or a function that makes one, got ${shown(client)}`,
    );
  if ([servers, chroot, username, password].some(option => option !== undefined))
    throw new TypeError(
      'zookeeperRegistry: client: comes instead of servers, chroot, username and password, which it has of its own',
    );
};

const aclOf = ({ acl, username, client }: ZooKeeperRegistryOptions): readonly ZooKeeperAcl[] => {
  const chosen: unknown = acl ?? (username === undefined ? 'open' : 'readable');
  const expected = "zookeeperRegistry: acl: expected 'open', 'readable', 'private' or [{ scheme, id, permissions }]";
  if (typeof chosen === 'string') {
    if (!Object.hasOwn(ACLS, chosen)) throw new TypeError(`${expected}, got ${shown(chosen)}`);
    if (chosen !== 'open' && username === undefined && client === undefined)
      throw new TypeError(`zookeeperRegistry: acl: ${shown(chosen)} needs username and password`);
    return ACLS[chosen as keyof typeof ACLS];
  }
  if (!Array.isArray(chosen) || chosen.length === 0) throw new TypeError(`${expected}, got ${shown(chosen)}`);
  for (const entry of chosen as readonly Partial<ZooKeeperAcl>[]) {
    const { scheme, id, permissions } = entry ?? {};
    const good = typeof scheme === 'string' && scheme !== '' && typeof id === 'string';
    if (!good || typeof permissions !== 'string' || !/^[cdrwa]{1,5}$/.test(permissions)) throw new TypeError(expected);
  }
  return chosen as readonly ZooKeeperAcl[];
};
