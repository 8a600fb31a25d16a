import { followRedirects, isRedirect } from '../../client/redirects.js';
import { Cancellation } from '../../core/cancellation.js';
import type { Endpoint } from '../../core/endpoint.js';
import { originOf } from '../../core/instance.js';
import { systemRuntime } from '../../core/runtime.js';
import type { OutboundRequest, Transport, TransportContext } from '../../core/transport.js';
import { isWatched, WATCH_BODY } from '../../core/watched-body.js';
import { Connections } from './connections.js';
import { opener } from './connector.js';
import { Exchange, failedFetch, type Line, type Sent } from './exchange.js';
import { resolveOptions, type UndiciPolicy, type UndiciTransportOptions } from './options.js';
import { toOutgoing } from './outgoing.js';
import { loadUndici, type UndiciPeer } from './peer.js';

/**
 * A transport several times as fast as the platform's fetch, with the same behaviour: `createServiceClient({ service,
 * registry, transport: undiciTransport() })`. It keeps connections to each instance and closes those of instances that left;
 * it knows TLS with names and certificates of your own, and Unix sockets. HTTP/1.1. Each client needs one of its own.
 *
 * Throws a TypeError or RangeError that names a wrong option, and MISSING_PEER where the package `undici` is not installed.
 */
export const undiciTransport = (options?: UndiciTransportOptions): Transport =>
  new UndiciTransport(resolveOptions(options), loadUndici());

/** What has arrived is read before. */
// eslint-disable-next-line no-restricted-globals -- no clock, but a place in the turn of the event loop that reads sockets
const afterReading = (look: () => void): unknown => setImmediate(look);

/** Used by itself, not by a client. */
const ALONE: TransportContext = { service: 'undiciTransport', runtime: systemRuntime, redirects: 'same-origin' };

class UndiciTransport implements Transport {
  readonly #policy: UndiciPolicy;
  readonly #undici: UndiciPeer;
  /** Goes with its endpoint; `#open` is for `close()`. */
  readonly #lines = new WeakMap<Endpoint, Line>();
  readonly #open = new Set<Connections>();
  #context: TransportContext | undefined = undefined;
  #closed = false;

  constructor(policy: UndiciPolicy, undici: UndiciPeer) {
    this.#policy = policy;
    this.#undici = undici;
  }

  attach(context: TransportContext): void {
    if (this.#context !== undefined)
      throw new TypeError(
        `${context.service}: this undiciTransport() belongs to the client of ${this.#context.service}; make one for each client`,
      );
    this.#context = context;
  }

  send(request: OutboundRequest, endpoint: Endpoint, signal?: AbortSignal): Promise<Response> {
    if (signal === undefined) return this.#send(request, endpoint, undefined);
    if (signal.aborted) return Promise.reject(signal.reason);
    const cancellation = new Cancellation();
    const abort = (): void => cancellation.cancel(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const sending = this.#send(request, endpoint, cancellation);
    return untilEnd(sending, () => signal.removeEventListener('abort', abort));
  }

  sendCancellable(request: OutboundRequest, endpoint: Endpoint, cancellation: Cancellation): Promise<Response> {
    return this.#send(request, endpoint, cancellation);
  }

  left(endpoint: Endpoint): void {
    this.#lines.get(endpoint)?.connections.retire();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#open];
    this.#open.clear();
    await Promise.all(all.map(connections => connections.destroy(new Error('the transport was closed'))));
  }

  #send(request: OutboundRequest, endpoint: Endpoint, cancellation: Cancellation | undefined): Promise<Response> {
    try {
      const line = this.#lines.get(endpoint) ?? this.#connect(endpoint);
      const outgoing = toOutgoing(request, line);
      return new Exchange({ line, request, outgoing, cancellation }).start();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readonly #random = (): number => (this.#context ?? ALONE).runtime.random();

  #connect(endpoint: Endpoint): Line {
    const { instance } = endpoint;
    if (this.#closed) throw failedFetch(new Error('the transport was closed'));
    if (instance.protocol !== 'http' && instance.protocol !== 'https')
      throw failedFetch(new Error(`unknown scheme ${instance.protocol}`));
    const { origin } = new URL(originOf(instance));
    const connections: Connections = new Connections({
      most: this.#policy.connections,
      open: opener(instance, { origin, policy: this.#policy, undici: this.#undici, ...(this.#context ?? ALONE) }),
      gone: () => this.#open.delete(connections),
      afterReading,
    });
    const line = {
      endpoint,
      origin,
      secure: instance.protocol === 'https',
      random: this.#random,
      connections,
      redirect: this.#redirect,
    };
    this.#lines.set(endpoint, line);
    this.#open.add(connections);
    return line;
  }

  /** What an answer that may be a redirect comes to. */
  readonly #redirect = async (response: Response, sent: Sent): Promise<Response> => {
    const { init, method, headers, body } = sent.request;
    const wanted = init?.redirect ?? 'follow';
    if (wanted === 'manual' || !isRedirect(response)) return response;
    if (wanted === 'error') {
      await response.body?.cancel();
      throw failedFetch(new Error('unexpected redirect'));
    }
    const { service, redirects: mode } = this.#context ?? ALONE;
    return followRedirects(
      { url: new URL(response.url), init: { method, headers, body } as RequestInit, response },
      { redirects: { service, mode }, fetch: (url, next) => this.#follow(url, { next, sent }) },
    );
  };

  /** The same instance over its connections; another host, which the client allowed, as the platform reaches it. */
  #follow(url: URL, { next, sent }: { next: RequestInit; sent: Sent }): Promise<Response> {
    const { line, cancellation, request } = sent;
    // The body is the next request's, if it has one; the caller's signal is followed once for all of them.
    const { body: _body, signal: _signal, ...given } = request.init ?? {};
    const init: RequestInit = { ...given, ...next, redirect: 'manual' };
    if (url.origin === line.origin) {
      const path = url.pathname + url.search;
      const { method = 'GET', headers, body } = next;
      return this.#send({ method, path, headers: headers as Headers, body, init }, line.endpoint, cancellation);
    }
    const { runtime } = this.#context ?? ALONE;
    return runtime.fetch(url.href, cancellation === undefined ? init : { ...init, signal: cancellation.signal });
  }
}

/** The listener goes with the body. */
const untilEnd = async (sending: Promise<Response>, letGo: () => void): Promise<Response> => {
  try {
    const response = await sending;
    if (!isWatched(response) || !response[WATCH_BODY](() => ({ ended: letGo, failed: letGo }))) letGo();
    return response;
  } catch (error) {
    letGo();
    throw error;
  }
};
