import { FairleadError } from '../core/errors.js';
import { withoutSecrets } from '../core/secrets.js';
import type { OutboundRequest } from '../core/transport.js';
import { namesService } from './target.js';

export interface RedirectPolicy {
  /** `'same-origin'` refuses to leave the instance; `'any'` follows wherever a Location points. */
  readonly mode: 'same-origin' | 'any';
  readonly service: string;
}

interface Hop {
  readonly url: URL;
  readonly init: RequestInit;
  readonly response: Response;
}

/** As many as fetch follows. */
export const MAX_HOPS = 20;
/** What fetch leaves behind when a redirect leaves the origin. */
const CREDENTIALS = ['authorization', 'proxy-authorization', 'cookie', 'host'];
/** Headers that describe a body, dropped with it. */
const BODY_HEADERS = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];

/**
 * Follows the redirects of one instance, as fetch would, but never out of it unasked: a server must not steer a request,
 * with its credentials, to a host of its choice. One that names the service is handed back: it goes through the pool anew.
 */
export const followRedirects = async (
  first: Hop,
  { fetch, redirects }: { fetch: (url: URL, init: RequestInit) => Promise<Response>; redirects: RedirectPolicy },
): Promise<Response> => {
  const { origin } = first.url;
  let hop = first;
  for (let hops = 1; isRedirect(hop.response); hops += 1) {
    const target = targetOf(hop, redirects.service);
    if (namesService(target, redirects.service) && target.port === '') return hop.response;
    await hop.response.body?.cancel();
    if (hops > MAX_HOPS) throw new TypeError(`${redirects.service}: more than ${MAX_HOPS} redirects`);
    if (target.origin !== origin && redirects.mode === 'same-origin') throw refused(target, redirects.service);
    const init = nextInit(hop, target);
    hop = { url: target, init, response: await fetch(target, init) };
  }
  if (hop !== first) Object.defineProperty(hop.response, 'redirected', { value: true, configurable: true });
  return hop.response;
};

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Reads as little as it can: each property of a platform's response is a getter that checks whose it is. */
export const isRedirect = (response: Response): boolean => {
  const { status } = response;
  return status > 300 && status < 309 && REDIRECTS.has(status) && response.headers.has('location');
};

const targetOf = ({ url, response }: Hop, service: string): URL => {
  const location = response.headers.get('location') ?? '';
  if (!URL.canParse(location, url.href))
    throw new TypeError(
      `${service}: redirected to ${JSON.stringify(withoutSecrets(location).slice(0, 200))}, which is no URL`,
    );
  return new URL(location, url);
};

/** Method, body and headers of the next hop (Fetch standard, HTTP-redirect fetch). */
export const nextInit = ({ url, init, response: { status } }: Hop, target: URL): RequestInit => {
  const method = init.method ?? 'GET';
  const toGet = status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST';
  const headers = new Headers(init.headers);
  if (target.origin !== url.origin) CREDENTIALS.forEach(name => headers.delete(name));
  if (!toGet) {
    if (init.body instanceof ReadableStream)
      throw new TypeError(`a ${status} redirect asks for a body again that was a stream`);
    return { ...init, headers };
  }
  BODY_HEADERS.forEach(name => headers.delete(name));
  const { body: _body, ...rest } = init;
  return { ...rest, method: 'GET', headers };
};

/** What to send through the pool next, when a response redirects to the service by its name; else `undefined`. */
export const reentry = (request: OutboundRequest, response: Response, service: string): OutboundRequest | undefined => {
  if (!isRedirect(response) || (request.init?.redirect ?? 'follow') !== 'follow') return undefined;
  const location = response.headers.get('location')!;
  if (!URL.canParse(location)) return undefined;
  const target = new URL(location);
  if (!namesService(target, service) || target.port !== '') return undefined;
  const { method, headers, body } = request;
  const init = nextInit({ url: target, init: { method, headers, body } as RequestInit, response }, target);
  return {
    method: init.method!,
    path: target.pathname + target.search,
    headers: init.headers as Headers,
    body: init.body,
    init: request.init,
  };
};

const refused = (target: URL, service: string): FairleadError =>
  new FairleadError(
    'REDIRECT_REFUSED',
    `${service}: refused a redirect to ${target.origin}: it leaves the instance; redirects: 'any' would follow it`,
    { service },
  );
