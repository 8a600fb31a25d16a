import type { Cancellation } from '../core/cancellation.js';
import type { Endpoint } from '../core/endpoint.js';
import { originOf } from '../core/instance.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import type { OutboundRequest, Transport, TransportContext } from '../core/transport.js';
import { FetchAbort } from './fetch-abort.js';
import { followRedirects, isRedirect, type RedirectPolicy } from './redirects.js';

/** Node's fetch wants it said that a stream is sent while the answer may already come. */
type FetchInit = RequestInit & { duplex?: 'half' };
/** What Node's fetch asks of one is `dispatch` alone. */
type Dispatcher = NonNullable<RequestInit['dispatcher']>;

interface TransportOptions extends TransportContext {
  readonly transport?: Transport | undefined;
  readonly coalesce: unknown;
  readonly layers: {
    readonly call?: readonly unknown[] | undefined;
    readonly attempt?: readonly unknown[] | undefined;
  };
}

/** The user's, or the default one. */
export const transportOf = (options: TransportOptions): Transport => {
  const { service, runtime, redirects, transport, coalesce, layers } = options;
  transport?.attach?.({ service, runtime, redirects });
  // Who joins a call of another may abort its body, and so may a user's layer.
  const bodiesAreCallers = !coalesce && !layers.call?.length && !layers.attempt?.length;
  return transport ?? new FetchTransport({ runtime, redirects: { mode: redirects, service }, bodiesAreCallers });
};

interface FetchParts {
  readonly runtime: Runtime;
  readonly redirects: RedirectPolicy;
  /** A body that was handed out is aborted by its caller's signal alone. */
  readonly bodiesAreCallers: boolean;
}

/** So often is a fetch asked to send through us: one that is replaced by a stub does not. */
const MOST_DOUBTS = 3;

/** The default transport: `runtime.fetch`, so the platform's connections, TLS and decompression. */
class FetchTransport implements Transport {
  readonly #parts: FetchParts;
  /** Requests in a row that were not sent through us; 1 before the first. 0: the fetch at hand can do without a signal. */
  #doubts: number;

  constructor(parts: FetchParts) {
    this.#parts = parts;
    this.#doubts = parts.bodiesAreCallers && parts.runtime.fetch === systemRuntime.fetch ? 1 : Infinity;
  }

  send(request: OutboundRequest, endpoint: Endpoint, signal?: AbortSignal): Promise<Response> {
    const init = initOf(request);
    // Ours stands for the caller's, so that no listener of ours is left on theirs.
    if (signal !== undefined) init.signal = signal;
    return this.#fetch(request, endpoint, init);
  }

  sendCancellable(request: OutboundRequest, endpoint: Endpoint, cancellation: Cancellation): Promise<Response> {
    if (this.#doubts > MOST_DOUBTS || !FetchAbort.isPossible || !isPlain(request))
      return this.send(request, endpoint, cancellation.signal);
    const init = initOf(request);
    const abort = new FetchAbort();
    init.dispatcher = abort as unknown as Dispatcher;
    if (this.#doubts === 0) cancellation.tellOnCancel(abort);
    else init.signal = cancellation.signal;
    const answer = this.#fetch(request, endpoint, init);
    this.#doubts = abort.dispatched ? 0 : this.#doubts + 1;
    return answer;
  }

  #fetch(request: OutboundRequest, endpoint: Endpoint, init: FetchInit): Promise<Response> {
    const { runtime, redirects } = this.#parts;
    const url = originOf(endpoint.instance) + request.path;
    return runtime.fetch(url, init).then(response => {
      // fetch's own errors for `redirect: 'error'` and responses for 'manual' are as they should be.
      if (!isRedirect(response) || (request.init?.redirect ?? 'follow') !== 'follow') return response;
      const fetch = (target: URL, next: RequestInit): Promise<Response> => runtime.fetch(target.href, next);
      return followRedirects({ url: new URL(url), init, response }, { fetch, redirects });
    });
  }
}

const initOf = ({ method, headers, body, init }: OutboundRequest): FetchInit => {
  const wanted = init?.redirect ?? 'follow';
  const redirect = wanted === 'follow' ? 'manual' : wanted;
  const sent = (init === undefined ? { method, redirect } : { ...init, method, redirect, signal: null }) as FetchInit;
  if (headers !== undefined) sent.headers = headers;
  if (body != null) sent.body = body;
  if (body != null && typeof body === 'object') sent.duplex = 'half';
  return sent;
};

/** Nothing of it but the request itself has to be ended, and nobody but us ends it. */
const isPlain = ({ body, init }: OutboundRequest): boolean =>
  (body == null || typeof body === 'string' || ArrayBuffer.isView(body)) &&
  (init === undefined || (init.signal == null && !('dispatcher' in init)));
