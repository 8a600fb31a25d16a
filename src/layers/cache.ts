import type { Call, Layer } from '../core/call.js';
import type { Emitter } from '../core/events.js';
import { SUCCESS } from '../core/outcome.js';
import type { OutboundRequest } from '../core/transport.js';
import { cacheMode } from './cache-mode.js';
import { freshnessJudge, type JudgeFreshness } from './cache-policy.js';
import type { CacheStore, Kept } from './cache-store.js';
import { keepError } from './earlier-errors.js';
import { isCallersAbort } from './fallback.js';
import { collectedBody } from './collected-body.js';
import { withBody } from './with-body.js';

export interface CachePolicy {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxBodyBytes: number;
  readonly staleIfErrorMs: number;
  readonly shared: boolean;
}

export interface CacheParts {
  readonly policy: CachePolicy;
  readonly store: CacheStore;
  readonly events: Emitter;
  /** Milliseconds since the epoch. */
  readonly wallNow: () => number;
}

/** What the server is asked itself says something about what is kept, or asks for a part of it. */
const PASSING = ['range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'];
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

/**
 * Answers a GET from what was answered before, as the server's `Cache-Control` allows (RFC 9111); asks with validators
 * where it must; and serves what is stale when the server fails. Other methods pass, and those that change something let
 * go of what is kept of their path.
 */
export const cache = (parts: CacheParts): Layer<Response> => {
  const { policy, store, wallNow } = parts;
  const keep = keeper({ policy, store, judge: freshnessJudge({ shared: policy.shared, wallNow }) });
  return next =>
    function caching(call) {
      const { request } = call;
      // Who says where it is to go does not ask for just any answer.
      if (request === undefined || call.route !== undefined || passes(request)) return next(call);
      if (!SAFE.has(request.method)) return next(call).then(response => forgetting(store, request, response));
      const mode = cacheMode(request);
      const asksAnew = mode === 'reload' || mode === 'no-cache';
      const fresh = asksAnew ? undefined : store.of(request.path).find(kept => kept.freshness.isFresh(request));
      if (fresh !== undefined) return Promise.resolve(serve(call, fresh, 'cache'));
      const asked = mode === 'reload' ? undefined : validated(store, request);
      if (asked !== undefined) call.request = { ...request, headers: asked.freshness.validators(request) };
      return next(call).then(
        response => {
          const instead = insteadOf(parts, call, { request, response });
          if (instead === undefined) return call.verdict.outcome === 'success' ? keep(request, response) : response;
          void response.body?.cancel().catch(() => undefined);
          return instead;
        },
        (error: unknown) => {
          const stale = isCallersAbort(call, error) ? undefined : staleFor(parts, call, request);
          if (stale === undefined) throw error;
          keepError(call.record, error);
          return stale;
        },
      );
    };
};

/** What was changed is not what is kept. */
const forgetting = (store: CacheStore, { path }: OutboundRequest, response: Response): Response => {
  if (response.status < 400) store.drop(path);
  return response;
};

interface Exchange {
  readonly request: OutboundRequest;
  readonly response: Response;
}

/** The kept answer, where the server says that it holds, or fails. */
const insteadOf = (parts: CacheParts, call: Call, { request, response }: Exchange): Response | undefined => {
  const held = response.status === 304 ? validated(parts.store, request) : undefined;
  if (held !== undefined) {
    held.freshness = held.freshness.renewed(request, response);
    return serve(call, held, 'cache');
  }
  const { outcome } = call.verdict;
  return outcome === 'failure' || outcome === 'overload' ? staleFor(parts, call, request) : undefined;
};

/** Old, but better than a failure: if neither the server nor its age forbids it. */
const staleFor = (
  { policy, store, events }: CacheParts,
  call: Call,
  request: OutboundRequest,
): Response | undefined => {
  const kept = store.of(request.path).find(({ freshness }) => {
    const { staleMs, staleIfErrorMs = policy.staleIfErrorMs } = freshness;
    return staleMs <= staleIfErrorMs && freshness.matches(request);
  });
  if (kept === undefined) return undefined;
  events.emit?.({ type: 'call.stale', staleMs: Math.max(0, kept.freshness.staleMs), status: call.record.status });
  return serve(call, kept, 'stale');
};

const serve = (call: Call, kept: Kept, from: 'cache' | 'stale'): Response => {
  call.record.servedFrom = from;
  // Where a stale copy is better than a failure, the record keeps what failed.
  if (from === 'cache') call.record.endedBy = 'success';
  call.record.status = kept.status;
  call.verdict = SUCCESS;
  return responseOf(kept);
};

const passes = (request: OutboundRequest): boolean => {
  const { method, body, headers } = request;
  if (!SAFE.has(method)) return false;
  if (method !== 'GET' || body != null || cacheMode(request) === 'no-store') return true;
  if (headers === undefined) return false;
  const given = new Headers(headers);
  return PASSING.some(name => given.has(name));
};

/** The kept answer that the server can be asked about. */
const validated = (store: CacheStore, request: OutboundRequest): Kept | undefined =>
  store.of(request.path).find(({ freshness }) => {
    const headers = freshness.validators(request);
    return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;
  });

interface Keeping {
  readonly policy: CachePolicy;
  readonly store: CacheStore;
  readonly judge: JudgeFreshness;
}

/** Gives the answer on, and keeps a copy once its body was read to the end, if it may. */
const keeper =
  ({ policy: { maxBodyBytes, shared }, store, judge }: Keeping) =>
  (request: OutboundRequest, response: Response): Response => {
    // A stranger's Response, or one that somebody began to read.
    if (!(response instanceof Response) || response.bodyUsed || response.redirected) return response;
    if (Number(response.headers.get('content-length') ?? 0) > maxBodyBytes) return response;
    if (shared && isPersonal(request, response)) return response;
    const freshness = judge(request, response);
    if (!freshness.storable) return response;
    const { status, statusText, url, body } = response;
    const collected = (whole: Uint8Array<ArrayBuffer>): void =>
      store.keep(request, { status, statusText, url, body: whole, freshness });
    if (body === null) {
      collected(new Uint8Array());
      return response;
    }
    return withBody(response, collectedBody(body, { maxBytes: maxBodyBytes, collected }));
  };

/** Cookies say who asks as `Authorization` does. */
const isPersonal = ({ headers }: OutboundRequest, response: Response): boolean => {
  if (response.headers.has('set-cookie')) return true;
  const isPublic = /\bpublic\b/i.test(response.headers.get('cache-control') ?? '');
  return !isPublic && new Headers(headers).has('cookie');
};

const BODILESS = new Set([204, 205, 304]);

const responseOf = ({ status, statusText, url, body, freshness }: Kept): Response => {
  const headers = freshness.headers();
  const response = new Response(BODILESS.has(status) ? null : body, { status, statusText, headers });
  Object.defineProperty(response, 'url', { value: url, configurable: true });
  return response;
};
