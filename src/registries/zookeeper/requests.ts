/** The requests that are made of ZooKeeper, as promises. Each rejects as Link.ask does. */
import { codeOf, NO_NODE } from './failure.js';
import type { Link } from './link.js';
import { EPHEMERAL, PERSISTENT, type Stat, type Transaction } from './peer.js';

export interface Reading {
  readonly signal?: AbortSignal | undefined;
  /** Arms a watch: `link.onEvent` tells of the next event. */
  readonly watched?: boolean | undefined;
}

export const exists = (link: Link, path: string, { signal, watched = false }: Reading = {}): Promise<Stat | null> =>
  link.ask<Stat | null>({ what: `exists ${path}`, signal }, (client, done) =>
    client.exists(path, watched ? link.watcherOf(path) : undefined, done),
  );

/** Undefined when there is no such node: then no watch is armed. */
export const childrenOf = (
  link: Link,
  path: string,
  { signal, watched = false }: Reading,
): Promise<{ readonly names: readonly string[]; readonly stat: Stat } | undefined> =>
  orNone(
    link.ask<{ names: readonly string[]; stat: Stat }>({ what: `getChildren ${path}`, signal }, (client, done) =>
      client.getChildren(path, watched ? link.watcherOf(path) : undefined, (error, names, stat) =>
        done(error, { names, stat }),
      ),
    ),
  );

/** Undefined when there is no such node: then no watch is armed. */
export const dataOf = (
  link: Link,
  path: string,
  { signal, watched = false }: Reading,
): Promise<{ readonly data: Buffer; readonly stat: Stat } | undefined> =>
  orNone(
    link.ask<{ data: Buffer; stat: Stat }>({ what: `getData ${path}`, signal }, (client, done) =>
      client.getData(path, watched ? link.watcherOf(path) : undefined, (error, data = NO_DATA, stat) =>
        done(error, { data, stat }),
      ),
    ),
  );

export interface NewNode {
  readonly path: string;
  readonly data: Buffer;
  readonly acls: readonly object[];
  readonly signal?: AbortSignal | undefined;
}

/** It ends with the session. */
export const createEphemeral = (link: Link, { path, data, acls, signal }: NewNode): Promise<unknown> =>
  link.ask<string>({ what: `create ${path}`, signal }, (client, done) =>
    client.create(path, data, acls, EPHEMERAL, done),
  );

/** It stays. */
export const createParent = (link: Link, { path, data, acls, signal }: NewNode): Promise<unknown> =>
  link.ask<string>({ what: `create ${path}`, signal }, (client, done) =>
    client.create(path, data, acls, PERSISTENT, done),
  );

/** Removes a node if it is of a session that `isOurs` knows. Resolves with true, then or when it was not there. */
export const removeOwn = async (link: Link, path: string, isOurs: (owner: string) => boolean): Promise<true> => {
  const stat = await exists(link, path);
  if (stat === null || !isOurs(ownerOf(stat))) return true;
  const removal = link.ask<void>({ what: `remove ${path}` }, (client, done) => client.remove(path, stat.version, done));
  await orNone(removal);
  return true;
};

export const ownerOf = (stat: Stat): string => stat.ephemeralOwner.toString('hex');

/** All of it or nothing. */
export const commit = (link: Link, what: string, steps: (transaction: Transaction) => Transaction): Promise<unknown> =>
  link.ask<unknown>({ what }, (client, done) => steps(client.transaction()).commit(done));

const NO_DATA = Buffer.alloc(0);

const orNone = <T>(asked: Promise<T>): Promise<T | undefined> =>
  asked.catch((error: unknown) => {
    if (codeOf(error) === NO_NODE) return undefined;
    throw error;
  });
