/** The `undici` package: an optional peer. Node's own copy of it cannot be imported, and has no way in below fetch. */
import type * as Undici from 'undici';
import { FairleadError } from '../../core/errors.js';
import { requirePeer } from '../shared/peer.js';

const WHAT = 'undiciTransport needs the package undici, version 7: npm install undici@7';

export type UndiciPeer = Pick<typeof Undici, 'Client' | 'buildConnector' | 'errors'>;

type Load = (name: string, what: string) => unknown;

/** Version 8 has other handlers, with which every call would fail. */
export const loadUndici = (load: Load = requirePeer): UndiciPeer => {
  const peer = load('undici', WHAT) as UndiciPeer;
  const { version } = load('undici/package.json', WHAT) as { version?: unknown };
  if (/^7\./.test(String(version))) return peer;
  throw new FairleadError('MISSING_PEER', `${WHAT}; installed is ${String(version)}`);
};
