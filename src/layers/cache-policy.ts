import CachePolicy from 'http-cache-semantics';
import type { OutboundRequest } from '../core/transport.js';

/** Is a stored response fresh, for this request? RFC 9111, by http-cache-semantics, on a clock of ours. */
export interface Freshness {
  /** May be kept and served to others. */
  readonly storable: boolean;
  /** How long it has been stale, in ms; negative while it is fresh. */
  readonly staleMs: number;
  /** May it be served when it is stale because its server fails? In ms since it became stale; `undefined`: as the client says. */
  readonly staleIfErrorMs: number | undefined;
  /** Does it answer this request, by method and `Vary`? */
  matches(request: OutboundRequest): boolean;
  /** The same, and it need not be asked for again. */
  isFresh(request: OutboundRequest): boolean;
  /** What is sent to ask whether it changed. */
  validators(request: OutboundRequest): Record<string, string>;
  /** As it is handed out: with its age, without what concerned the connection. */
  headers(): Headers;
  /** After a 304: the same answer, fresh again. */
  renewed(request: OutboundRequest, response: Response): Freshness;
}

export interface FreshnessOptions {
  /** Answers go to many users: `private` ones, and those to requests with credentials, are not kept. */
  readonly shared: boolean;
  /** Milliseconds since the epoch. */
  readonly wallNow: () => number;
}

export type JudgeFreshness = (request: OutboundRequest, response: Response) => Freshness;

export const freshnessJudge = ({ shared, wallNow }: FreshnessOptions): JudgeFreshness => {
  // The library asks its own `now()` for the time.
  class Policy extends CachePolicy {
    now(): number {
      return wallNow();
    }
  }
  return (request, response) => freshnessOf(new Policy(asked(request), answered(response), { shared }));
};

const freshnessOf = (policy: CachePolicy): Freshness => ({
  storable: policy.storable(),
  get staleMs() {
    return (policy.age() - policy.maxAge()) * 1_000;
  },
  staleIfErrorMs: staleIfErrorMs(policy),
  // With no limit to its staleness, only what the request is decides.
  matches: request =>
    policy.satisfiesWithoutRevalidation({ ...asked(request), headers: { ...plain(request.headers), ...ANY_AGE } }),
  isFresh: request => policy.evaluateRequest(asked(request)).revalidation === undefined,
  validators: request => textual(policy.revalidationHeaders(asked(request))),
  headers: () => new Headers(textual(policy.responseHeaders())),
  renewed: (request, response) => freshnessOf(policy.revalidatedPolicy(asked(request), answered(response)).policy),
});

const ANY_AGE = { 'cache-control': 'max-stale' };

const staleIfErrorMs = (policy: CachePolicy): number | undefined => {
  const { rescc } = policy.toObject();
  if ('must-revalidate' in rescc || 'proxy-revalidate' in rescc || 'no-cache' in rescc) return 0;
  const seconds = Number(rescc['stale-if-error']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
};

const asked = ({ method, path, headers }: OutboundRequest): CachePolicy.HttpRequest => ({
  method,
  url: path,
  headers: plain(headers),
});

const answered = ({ status, headers }: Response): CachePolicy.HttpResponse => ({ status, headers: plain(headers) });

const plain = (headers: OutboundRequest['headers']): Record<string, string> =>
  Object.fromEntries(new Headers(headers).entries());

const textual = (headers: CachePolicy.Headers): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
