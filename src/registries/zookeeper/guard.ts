/**
 * What the package's connection leaves open, closed on the one object that it has for it. Without that object, in a later
 * version, these do nothing and our own deadlines remain.
 */
import type { RawClient } from './peer.js';

interface Manager {
  socket?: { destroy(error?: Error): void; readonly destroyed: boolean } | undefined;
  /** Bytes of an answer that is not whole yet. */
  pendingBuffer: Buffer | null;
  connectTimeoutHandler?: { unref?(): void } | null;
  findNextServer(found: (server: unknown) => void): void;
  onSocketData(data: Buffer): void;
  onSocketClosed(hadError: boolean): void;
}

export interface Grip {
  /** Cuts the connection: the package then connects to the next server, within the same session. */
  cut(why: string): void;
  /** Tells the server that the session ends; it answers by closing the connection. */
  close(): void;
  /** Ends the client for good, whether the server listens or not. Nothing of it holds the process after that. */
  destroy(): void;
}

/** Some 200 000 names of children. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** To be called before `connect()`. */
export const gripOf = (client: RawClient): Grip => {
  const manager = (client as { connectionManager?: Manager }).connectionManager;
  const nothing = (): void => undefined;
  if (typeof manager?.findNextServer !== 'function')
    return { cut: nothing, close: () => client.close(), destroy: nothing };
  let ended = false;
  const cut = (why: string): void => manager.socket?.destroy(new Error(why));
  closeHoles(manager, cut);
  const find = manager.findNextServer.bind(manager);
  manager.findNextServer = found => {
    // It may be between two tries, in a timer: then there would be a connection after the end.
    if (!ended) find(server => void (ended || found(server)));
  };
  const close = (): void => {
    if (ended) return;
    ended = true;
    try {
      client.close();
    } catch {
      // It was told to connect in this very moment, and has no socket yet.
    }
  };
  const destroy = (): void => {
    close();
    manager.connectTimeoutHandler?.unref?.();
    cut('the client was closed');
  };
  return { cut, close, destroy };
};

const closeHoles = (manager: Manager, cut: (why: string) => void): void => {
  const read = manager.onSocketData.bind(manager);
  manager.onSocketData = data => {
    try {
      read(data);
      // The package waits for ever for an answer that claims a wrong length.
      if ((manager.pendingBuffer?.length ?? 0) > MAX_ANSWER_BYTES) cut('an answer is too long');
    } catch (error) {
      // Codes and events that it does not know are thrown, in a listener of the socket: that would end the process.
      cut(`an answer could not be read: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  };
  const closed = manager.onSocketClosed.bind(manager);
  manager.onSocketClosed = hadError => {
    // What the last connection left unread would be taken for the beginning of the next one's.
    manager.pendingBuffer = null;
    closed(hadError);
  };
};
