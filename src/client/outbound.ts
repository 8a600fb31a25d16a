import type { CallSeed } from './logical-call.js';
import { isPlainPath, parseTarget } from './target.js';

/** RFC 9110 §9.2.2, and QUERY of its draft. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);
/** Those that fetch writes in upper case; others are sent as given. */
const NORMALISED = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);

/** Reads the arguments of fetch. Throws the TypeErrors that fetch would reject with, before anything is sent. */
export const toOutbound = (input: string | URL | Request, init: RequestInit | undefined, service: string): CallSeed =>
  init === undefined && typeof input === 'string' && isPlainPath(input) ? plain(input) : read(input, init, service);

/** The usual call: nothing but a path. */
const plain = (path: string): CallSeed => ({
  request: { method: 'GET', path, headers: undefined, body: undefined, init: undefined },
  protocol: undefined,
  idempotent: true,
  replayable: true,
  signal: undefined,
  work: undefined,
  fallback: undefined,
});

const read = (input: string | URL | Request, init: RequestInit | undefined, service: string): CallSeed => {
  const given = input instanceof Request ? input : undefined;
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
  const { path, protocol } = parseTarget(url, service);
  const method = methodOf(init?.method ?? given?.method);
  const headers = headersOf(init?.headers ?? given?.headers, service);
  const body = init?.body !== undefined ? init.body : given?.body;
  if (body != null && (method === 'GET' || method === 'HEAD'))
    throw new TypeError(`${service}: a ${method} request cannot have a body`);
  const signal = (init?.signal === undefined ? given?.signal : init.signal) ?? undefined;
  return {
    request: {
      method,
      path,
      headers,
      body,
      init: given ? { ...settingsOf(given), ...init, signal: signal ?? null } : init,
    },
    protocol,
    idempotent: IDEMPOTENT.has(method) || headers?.has('idempotency-key') === true,
    replayable: body == null || isReplayable(body),
    signal,
    work: undefined,
    fallback: undefined,
  };
};

const methodOf = (method = 'GET'): string => {
  if (method === 'GET') return method;
  const upper = method.toUpperCase();
  return NORMALISED.has(upper) ? upper : method;
};

type Given = NonNullable<RequestInit['headers']>;

/** A copy, so that layers may add to it; refuses line breaks and the like as fetch does, which quotes the value. */
const headersOf = (given: Given | undefined, service: string): Headers | undefined => {
  if (given === undefined) return undefined;
  try {
    return new Headers(given);
  } catch (error) {
    const name = nameOfBad(given);
    if (name === undefined) throw error;
    throw new TypeError(`${service}: header ${JSON.stringify(name)}: its name or its value holds what HTTP forbids`);
  }
};

const nameOfBad = (given: Given): string | undefined => {
  const pairs = Array.isArray(given) ? given : Object.entries(given);
  const bad = pairs.find(pair => {
    try {
      return new Headers([pair as [string, string]]) === undefined;
    } catch {
      return true;
    }
  });
  return bad?.[0];
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
