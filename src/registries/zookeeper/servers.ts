/** What may be given as `servers`, as the package's connection string wants it. */
import { requireNumber, shown } from '../shared/checks.js';

const EXPECTED = "zookeeperRegistry: servers: expected 'host:port', several with commas or in an array";
const SERVER = /^([A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}))(?::(\d{1,10}))?$/;
const SEGMENTS = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f]+)*$/; // eslint-disable-line no-control-regex -- looked for

/** @returns each as `host:port`, and the path behind them, if any */
export const serversOf = (given: unknown = '127.0.0.1:2181'): { servers: readonly string[]; chroot: string } => {
  if (Array.isArray(given)) return { servers: checked(given), chroot: '' };
  if (typeof given !== 'string') throw new TypeError(`${EXPECTED}, got ${shown(given)}`);
  // Else the rest of a URL would be taken for a path, and its scheme for a host.
  if (given.includes('://')) throw new TypeError(`${EXPECTED}, without a scheme, got ${safe(given)}`);
  const slash = given.indexOf('/');
  const list = slash < 0 ? given : given.slice(0, slash);
  const chroot = slash < 0 ? '' : given.slice(slash).replace(/\/$/, '');
  if (!SEGMENTS.test(chroot)) throw new TypeError(`${EXPECTED}, perhaps with a chroot path, got ${safe(given)}`);
  return { servers: checked(list.split(',')), chroot };
};

const checked = (list: readonly unknown[]): readonly string[] => {
  if (list.length === 0) throw new TypeError(`${EXPECTED}, got none`);
  return list.map(function check(server) {
    const text = typeof server === 'string' ? server.trim() : '';
    if (text.includes('://')) throw new TypeError(`${EXPECTED}, without a scheme, got ${safe(text)}`);
    if (text.includes('[') || text.split(':').length > 2)
      throw new TypeError(
        `zookeeperRegistry: servers: node-zookeeper-client cannot read an IPv6 literal, give a host name, got ${safe(text)}`,
      );
    const [, host, port = '2181'] = SERVER.exec(text) ?? [];
    if (host === undefined) throw new TypeError(`${EXPECTED}, got ${safe(server)}`);
    requireNumber('zookeeperRegistry: servers: port', Number(port), { min: 1, max: 65_535 });
    return `${host}:${port}`;
  });
};

/** What is no address may hold a password all the same. */
const safe = (given: unknown): string =>
  typeof given === 'string' && given.includes('@') ? 'one with a user name' : shown(given);
