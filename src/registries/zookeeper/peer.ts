/** The `node-zookeeper-client` package: an optional peer without types of its own, looked for at the first use. */
import { FairleadError } from '../../core/errors.js';

export interface Stat {
  /** Of its creation. */
  readonly czxid: Buffer;
  /** Of its last change. */
  readonly mzxid: Buffer;
  /** Changes of its data. */
  readonly version: number;
  /** Creations plus deletions of its children. */
  readonly cversion: number;
  /** The session that it ends with; zeros for a lasting node. */
  readonly ephemeralOwner: Buffer;
}

/** Types of events; there are 1, created, and 2, deleted, too. */
export const DATA_CHANGED = 3;
export const CHILDREN_CHANGED = 4;

export interface WatchEvent {
  getType(): number;
}

export type Watcher = (event: WatchEvent) => void;
type Done<T extends readonly unknown[]> = (error: unknown, ...results: T) => void;

export interface Transaction {
  create(path: string, data: Buffer, acls: readonly unknown[], mode: number): Transaction;
  setData(path: string, data: Buffer, version: number): Transaction;
  remove(path: string, version: number): Transaction;
  commit(done: Done<[results: unknown]>): void;
}

/** What is used of the package's client. */
export interface RawClient {
  connect(): void;
  close(): void;
  on(type: 'state', listener: (state: { getName(): string }) => void): unknown;
  removeListener(type: 'state', listener: (state: { getName(): string }) => void): unknown;
  getState(): { getName(): string };
  getSessionId(): Buffer;
  getSessionTimeout(): number;
  addAuthInfo(scheme: string, auth: Buffer): void;
  exists(path: string, watcher: Watcher | undefined, done: Done<[stat: Stat | null]>): void;
  getChildren(path: string, watcher: Watcher | undefined, done: Done<[names: string[], stat: Stat]>): void;
  getData(path: string, watcher: Watcher | undefined, done: Done<[data: Buffer | undefined, stat: Stat]>): void;
  create(path: string, data: Buffer, acls: readonly unknown[], mode: number, done: Done<[path: string]>): void;
  remove(path: string, version: number, done: Done<[]>): void;
  transaction(): Transaction;
}

/** What is used of the package. */
export interface Peer {
  createClient(servers: string, options: { sessionTimeout: number; spinDelay: number; retries: number }): RawClient;
  readonly ACL: new (permissions: number, id: unknown) => object;
  readonly Id: new (scheme: string, id: string) => object;
}

export const PERSISTENT = 0;
export const EPHEMERAL = 1;

/** Rejects with MISSING_PEER when `load` does not find the package. */
export const loadPeer = async (load: () => Promise<unknown>): Promise<Peer> => {
  const module = await load().catch((cause: unknown) => {
    const code = (cause as { code?: unknown } | null)?.code;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    const message =
      'zookeeperRegistry needs the package node-zookeeper-client, version 1: npm install node-zookeeper-client';
    throw new FairleadError('MISSING_PEER', message, { cause });
  });
  const peer = ((module as { default?: unknown }).default ?? module) as Partial<Peer>;
  if (typeof peer.createClient !== 'function' || typeof peer.ACL !== 'function')
    throw new FairleadError(
      'MISSING_PEER',
      'the package node-zookeeper-client is not version 1: npm install node-zookeeper-client@1',
    );
  return peer as Peer;
};
