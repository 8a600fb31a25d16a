import type { Endpoint } from '../core/endpoint.js';
import { originOf } from '../core/instance.js';
import type { Runtime } from '../core/runtime.js';
import type { OutboundRequest, Transport, TransportContext } from '../core/transport.js';
import { followRedirects, isRedirect, type RedirectPolicy } from './redirects.js';

/** Node's fetch wants it said that a stream is sent while the answer may already come. */
type FetchInit = RequestInit & { duplex?: 'half' };

/** The user's, or the default one. */
export const transportOf = (options: TransportContext & { readonly transport?: Transport | undefined }): Transport => {
  const { service, runtime, redirects, transport } = options;
  transport?.attach?.({ service, runtime, redirects });
  return transport ?? fetchTransport(runtime, { mode: redirects, service });
};

/** The default transport: `runtime.fetch`, so the platform's connections, TLS and decompression. */
export const fetchTransport = (runtime: Runtime, redirects: RedirectPolicy): Transport => ({
  async send(request: OutboundRequest, endpoint: Endpoint, signal?: AbortSignal): Promise<Response> {
    const url = originOf(endpoint.instance) + request.path;
    const init = initOf(request, signal);
    const response = await runtime.fetch(url, init);
    const wanted = request.init?.redirect ?? 'follow';
    // fetch's own errors for `redirect: 'error'` and responses for 'manual' are as they should be.
    if (wanted !== 'follow' || !isRedirect(response)) return response;
    const fetch = (target: URL, next: RequestInit): Promise<Response> => runtime.fetch(target.href, next);
    return followRedirects({ url: new URL(url), init, response }, { fetch, redirects });
  },
});

const initOf = ({ method, headers, body, init }: OutboundRequest, signal: AbortSignal | undefined): FetchInit => {
  const wanted = init?.redirect ?? 'follow';
  const sent: FetchInit = { ...init, method, redirect: wanted === 'follow' ? 'manual' : wanted };
  if (headers !== undefined) sent.headers = headers;
  if (body != null) sent.body = body;
  if (body != null && typeof body === 'object') sent.duplex = 'half';
  // Ours stands for the caller's, so that no listener of ours is left on theirs.
  if (signal === undefined) delete sent.signal;
  else sent.signal = signal;
  return sent;
};
