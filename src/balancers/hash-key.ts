import type { Call } from '../core/call.js';
import { shared } from '../core/shared.js';
import type { OutboundRequest } from '../core/transport.js';

/**
 * What calls have in common that are to go to the same instance: a function of the call; or the value of a request header,
 * of a cookie in the request, or of a segment of its path (0 is the first: `users` in `/users/42`); or the address of the
 * client whose request is being served, as the inbound context knows it.
 */
export type HashKey =
  | ((call: Call) => string | undefined)
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly path: number }
  | { readonly clientIp: true };

/** The key of a call; `undefined` or empty if it has none. */
export type KeyReader = (call: Call) => string | undefined;

/** What a function with a fault means to the calls. */
const P2C = 'consistentHash: calls have no key and are balanced by p2c';

export const keyReader = (key: HashKey | undefined, otherwise = P2C): KeyReader => {
  if (key === undefined) return () => undefined;
  if (typeof key === 'function') return guarded(key, otherwise);
  if ('clientIp' in key) return () => shared.context.getStore()?.clientIp;
  if ('header' in key) {
    const name = key.header.toLowerCase();
    return ({ request }) => headerOf(request, name);
  }
  if ('cookie' in key) {
    const { cookie } = key;
    return ({ request }) => cookieOf(headerOf(request, 'cookie'), cookie);
  }
  const { path } = key;
  return ({ request }) => segmentOf(request?.path, path);
};

/** A function with a fault must not fail calls: they go on as if they had no key, and one warning says why. */
const guarded = (key: (call: Call) => unknown, otherwise: string): KeyReader => {
  let warned = false;
  const warn = (what: string): undefined => {
    if (!warned) process.emitWarning(`${otherwise}: ${what}`, 'FairleadWarning');
    warned = true;
  };
  return function guardedKey(call) {
    try {
      const found = key(call);
      if (typeof found === 'string') return found;
      if (found instanceof Promise) found.catch(() => undefined);
      return warn(`key gave ${typeof found}, not a string`);
    } catch (error) {
      return warn(`key threw: ${error instanceof Error ? (error.stack ?? error.message) : 'something not an Error'}`);
    }
  };
};

const headerOf = (request: OutboundRequest | undefined, name: string): string | undefined => {
  const headers = request?.headers;
  if (headers === undefined) return undefined;
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  return pairs.find(([given]) => given.toLowerCase() === name)?.[1];
};

/** Its value as it was sent: RFC 6265 knows no decoding. */
const cookieOf = (cookies: string | undefined, name: string): string | undefined => {
  for (const cookie of cookies?.split(';') ?? []) {
    const end = cookie.indexOf('=');
    if (end >= 0 && cookie.slice(0, end).trim() === name) return cookie.slice(end + 1).trim();
  }
  return undefined;
};

const segmentOf = (path: string | undefined, wanted: number): string | undefined => {
  if (path === undefined) return undefined;
  const end = path.search(/[?#]/);
  return (end < 0 ? path : path.slice(0, end)).split('/')[wanted + 1];
};
