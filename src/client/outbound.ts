import type { CallSeed } from './logical-call.js';
import { parseTarget } from './target.js';

/** RFC 9110 §9.2.2, and QUERY of its draft. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);
/** Those that fetch writes in upper case; others are sent as given. */
const NORMALISED = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);

/** Reads the arguments of fetch. Throws the TypeErrors that fetch would reject with, before anything is sent. */
export const toOutbound = (input: string | URL | Request, init: RequestInit | undefined, service: string): CallSeed => {
  const given = input instanceof Request ? input : undefined;
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
  const { path, protocol } = parseTarget(url, service);
  const method = methodOf(init?.method ?? given?.method);
  const headers = headersOf(init, given);
  const body = init?.body !== undefined ? init.body : given?.body;
  if (body != null && (method === 'GET' || method === 'HEAD'))
    throw new TypeError(`${service}: a ${method} request cannot have a body`);
  return {
    request: { method, path, headers, body, init: given ? { ...settingsOf(given), ...init } : init },
    protocol,
    idempotent: IDEMPOTENT.has(method) || headers?.has('idempotency-key') === true,
    replayable: body == null || isReplayable(body),
    signal: (init?.signal === undefined ? given?.signal : init.signal) ?? undefined,
    work: undefined,
  };
};

const methodOf = (method = 'GET'): string => {
  if (method === 'GET') return method;
  const upper = method.toUpperCase();
  return NORMALISED.has(upper) ? upper : method;
};

/** A copy, so that layers may add to it; refuses line breaks and the like as fetch does. */
const headersOf = (init: RequestInit | undefined, given: Request | undefined): Headers | undefined => {
  if (init?.headers !== undefined) return new Headers(init.headers);
  return given && new Headers(given.headers);
};

/** A Request's settings that matter outside a browser. */
const settingsOf = ({ redirect, referrer, referrerPolicy, integrity, keepalive }: Request): RequestInit => ({
  redirect,
  referrer,
  referrerPolicy,
  integrity,
  keepalive,
});

/** What can be sent a second time: everything but streams and iterables. */
const isReplayable = (body: NonNullable<RequestInit['body']>): boolean =>
  typeof body === 'string' ||
  ArrayBuffer.isView(body) ||
  body instanceof ArrayBuffer ||
  body instanceof URLSearchParams ||
  body instanceof FormData ||
  body instanceof Blob;
