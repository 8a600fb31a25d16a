/** Makes clients of the package, each for one session. */
import type { Runtime } from '../../core/runtime.js';
import { unavailable } from './failure.js';
import type { LinkParts } from './link.js';
import type { Settings, ZooKeeperAcl } from './options.js';
import { loadPeer, type Peer, type RawClient } from './peer.js';

/** The longest pause of the package after it tried all servers; it draws from 0 up to this. */
const SPIN_MS = 1_000;
const PERMISSIONS: Readonly<Record<string, number>> = { r: 1, w: 2, c: 4, d: 8, a: 16 };

export class Connector {
  readonly name: string;
  readonly #settings: Settings;
  readonly #load: () => Promise<unknown>;
  #acls: readonly object[] = [];

  /** @param load finds the `node-zookeeper-client` package */
  constructor(settings: Settings, load: () => Promise<unknown> = installed) {
    const { client, servers, chroot } = settings;
    this.#settings = settings;
    this.#load = load;
    this.name = client === undefined ? `zookeeper at ${servers.join(',')}${chroot}` : 'zookeeper';
  }

  get runtime(): Runtime {
    return this.#settings.runtime;
  }

  get requestTimeoutMs(): number {
    return this.#settings.requestTimeoutMs;
  }

  /** For nodes that are created; known as soon as there was a connection. */
  get acls(): readonly object[] {
    return this.#acls;
  }

  /** Rejects with MISSING_PEER, or with what the caller's function threw. */
  async connect(timeoutMs: number): Promise<Omit<LinkParts, 'connected' | 'ended'>> {
    const { runtime, requestTimeoutMs, client, servers, acl } = this.#settings;
    const peer = await loadPeer(this.#load);
    this.#acls = acl.map(entry => aclOf(peer, entry));
    const { name } = this;
    const common = { name, timeoutMs, requestTimeoutMs, runtime, servers: servers.length };
    if (client === undefined) return { ...common, client: this.#make(peer, timeoutMs), borrowed: false };
    if (typeof client === 'function')
      return { ...common, client: client(timeoutMs) as unknown as RawClient, borrowed: false };
    const lent = client as unknown as RawClient;
    if (['EXPIRED', 'AUTH_FAILED'].includes(lent.getState().getName()))
      throw unavailable(`${name}: the session of the given client has ended; give a function that makes clients`);
    return { ...common, client: lent, borrowed: true };
  }

  #make(peer: Peer, sessionTimeout: number): RawClient {
    const { servers, chroot, credentials } = this.#settings;
    const made = peer.createClient(servers.join(',') + chroot, { sessionTimeout, spinDelay: SPIN_MS, retries: 0 });
    // Before connect(): the package sends it ahead of all requests then.
    if (credentials !== undefined) made.addAuthInfo('digest', Buffer.from(credentials));
    return made;
  }
}

// @ts-expect-error -- the package has no types; what is used of it is in peer.ts
const installed = (): Promise<unknown> => import('node-zookeeper-client');

const aclOf = (peer: Peer, { scheme, id, permissions }: ZooKeeperAcl): object => {
  const bits = [...permissions].reduce((sum, letter) => sum | (PERMISSIONS[letter] ?? 0), 0);
  return new peer.ACL(bits, new peer.Id(scheme, id));
};
