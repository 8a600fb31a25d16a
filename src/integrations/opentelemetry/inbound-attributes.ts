import type { Attributes } from '@opentelemetry/api';
import type { InboundRequest } from '../../client/inbound-headers.js';
import { headersOf, headerText } from './inbound-carrier.js';
import type { Redact } from './redact.js';
import { methodAttributes } from './span-http.js';

/** What requests of `node:http`, of frameworks on it, and of the web have in common; all of it may be missing. */
interface Described {
  readonly method?: unknown;
  readonly url?: unknown;
  /** Express keeps the whole path here, while a router sees the rest of it. */
  readonly originalUrl?: unknown;
  readonly httpVersion?: unknown;
  readonly socket?: { readonly remoteAddress?: unknown; readonly remotePort?: unknown; readonly encrypted?: unknown };
}

export const inboundMethod = (request: InboundRequest): string => textOf((request as Described).method) ?? 'GET';

/** By OpenTelemetry's stable conventions for HTTP servers. What a client says of itself is told as it says it. */
export const inboundAttributes = (request: InboundRequest, route: string | undefined, redact: Redact): Attributes => {
  const { httpVersion, socket } = request as Described;
  const headers = headersOf(request);
  const address = textOf(socket?.remoteAddress);
  const version = textOf(httpVersion);
  const agent = headerText(headers, 'user-agent');
  return {
    ...methodAttributes(inboundMethod(request)),
    ...urlAttributes(request, redact),
    ...(route !== undefined && { 'http.route': route }),
    ...(address !== undefined && { 'client.address': address, 'network.peer.address': address }),
    ...(typeof socket?.remotePort === 'number' && { 'network.peer.port': socket.remotePort }),
    ...(version !== undefined && {
      'network.protocol.version': version.replace(/\.0$/, zero => (version < '2' ? zero : '')),
    }),
    ...(agent !== undefined && { 'user_agent.original': agent }),
  };
};

const urlAttributes = (request: InboundRequest, redact: Redact): Attributes => {
  const { url, originalUrl, socket } = request as Described;
  const target = textOf(originalUrl) ?? textOf(url);
  if (target === undefined) return {};
  // The web gives a whole URL, node what stood in the request line: mostly a path, which may begin with two slashes.
  const isWhole = !target.startsWith('/') && URL.canParse(target);
  const { protocol, pathname, search } = isWhole ? new URL(target) : ofPath(target);
  const scheme = protocol ?? (socket?.encrypted === true ? 'https:' : 'http:');
  const host = isWhole ? new URL(target).host : headerText(headersOf(request), 'host');
  return {
    'url.scheme': scheme.slice(0, -1),
    'url.path': pathname,
    ...(search.length > 1 && { 'url.query': redact.url(search).slice(1) }),
    ...(host !== undefined && hostAttributes(`${scheme}//${host}`)),
  };
};

interface Target {
  readonly protocol?: string | undefined;
  readonly pathname: string;
  readonly search: string;
}

const ofPath = (target: string): Target => {
  const query = target.indexOf('?');
  return query < 0
    ? { pathname: target, search: '' }
    : { pathname: target.slice(0, query), search: target.slice(query) };
};

const hostAttributes = (origin: string): Attributes => {
  if (!URL.canParse(origin)) return {};
  const { hostname, port, protocol } = new URL(origin);
  return { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) };
};

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
