import type { OutboundRequest } from '../../core/transport.js';
import { encodeBody, type EncodedBody } from './outgoing-body.js';
import { defaultHeaders, headersWith, toWire } from './outgoing-headers.js';
import { strictPath } from './outgoing-path.js';

/** What undici's `dispatch` takes. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: EncodedBody;
  /** Lets go of a source that is not sent to its end. */
  readonly cancel: ((reason: unknown) => void) | undefined;
}

const USUAL_METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']);
/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/;
const FORBIDDEN_METHOD = /^(?:connect|trace|track)$/i;

/** Where a request goes. */
export interface Destination {
  readonly origin: string;
  readonly secure: boolean;
  /** Chance, for the boundaries of forms. */
  readonly random: () => number;
}

/**
 * A request as it goes over the wire, with the headers that fetch adds. Throws the TypeErrors that fetch rejects with,
 * before anything is sent.
 */
export const toOutgoing = (
  { method, path, headers, body, init }: OutboundRequest,
  { origin, secure, random }: Destination,
): Outgoing => {
  if (method !== 'GET' && !USUAL_METHODS.has(method)) refuseMethod(method);
  const strict = strictPath(path, origin);
  const cache = (init as { cache?: string } | undefined)?.cache;
  if (init?.integrity) throw new TypeError('undiciTransport does not check integrity; the fetch transport does');
  if (body == null && headers === undefined && cache === undefined)
    return { method, path: strict, headers: defaultHeaders(secure), body: null, cancel: undefined };
  if (body != null && (method === 'GET' || method === 'HEAD'))
    throw new TypeError('Request with GET/HEAD method cannot have body.');
  const { contentType, body: encoded, cancel } = encodeBody(body, random);
  const given = headers === undefined ? undefined : toWire(headers);
  return { method, path: strict, headers: headersWith(given, { contentType, cache, secure }), body: encoded, cancel };
};

const refuseMethod = (method: string): void => {
  if (!TOKEN.test(method)) throw new TypeError(`${JSON.stringify(method.slice(0, 80))} is not a valid HTTP method.`);
  if (FORBIDDEN_METHOD.test(method)) throw new TypeError(`'${method}' HTTP method is unsupported.`);
};
