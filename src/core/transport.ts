import type { Cancellation } from './cancellation.js';
import type { Endpoint } from './endpoint.js';
import type { Runtime } from './runtime.js';

/** One HTTP request, without the instance it goes to. */
export interface OutboundRequest {
  /** Upper case where fetch would upper-case it. */
  readonly method: string;
  /** Path and query, starting with `/`: it can never name another host. */
  readonly path: string;
  readonly headers: Headers | Record<string, string> | [string, string][] | undefined;
  readonly body: RequestInit['body'];
  /** What the caller gave besides, as for `fetch`. */
  readonly init: RequestInit | undefined;
}

/** What a client tells its transport. */
export interface TransportContext {
  readonly service: string;
  readonly runtime: Runtime;
  /** Whether a redirect may leave its instance: the option of the client. */
  readonly redirects: 'same-origin' | 'any';
}

/**
 * How bytes travel. The default one calls `runtime.fetch`. A response whose transport knows when its body ends says so by
 * `WATCH_BODY`: its attempt is in flight until then.
 */
export interface Transport {
  /** The client that was given this transport is being built. */
  attach?(context: TransportContext): void;
  /**
   * Sends one attempt and resolves at the headers. `signal` aborts when the caller aborts (until the body ends) or when
   * one of our timers ends (until the headers only).
   */
  send(request: OutboundRequest, endpoint: Endpoint, signal?: AbortSignal): Promise<Response>;
  /**
   * The same, for a transport that does without an AbortSignal, which costs more to make than all that fairlead
   * does for a call. Where it is given, `send` is not called.
   */
  sendCancellable?(request: OutboundRequest, endpoint: Endpoint, cancellation: Cancellation): Promise<Response>;
  /** The endpoint left the service: its connections can be closed once they are idle. */
  left?(endpoint: Endpoint): void;
  close?(): Promise<void>;
}
