import type { Call } from '../core/call.js';
import { guard } from '../core/guard.js';
import type { OutboundRequest } from '../core/transport.js';

/** Which calls: all that is written has to hold. Plain data, but for `when`. An empty one matches all. */
export interface RouteMatch {
  /** Each of these request headers has this value, or one of these; `true`: is there; `false`: is not. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | boolean>> | undefined;
  /** The method is this, or one of these. */
  readonly method?: string | readonly string[] | undefined;
  /** The path begins with this, or with one of these. */
  readonly pathPrefix?: string | readonly string[] | undefined;
  /** The key of the call is one of these: testers, by name. */
  readonly keys?: readonly string[] | undefined;
  /** Your own condition; one that throws does not hold. */
  readonly when?: ((call: Call) => boolean) | undefined;
}

/** `keyOf` is asked only where it matters. */
export type Matcher = (call: Call, keyOf: (call: Call) => string | undefined) => boolean;

/** `undefined` matches all: there is nothing to ask. */
export const matcherOf = (match: RouteMatch | undefined): Matcher | undefined => {
  const matchers =
    match === undefined ? [] : [...headerMatchers(match), ...requestMatchers(match), ...ownMatchers(match)];
  if (matchers.length <= 1) return matchers[0];
  return (call, keyOf) => matchers.every(matches => matches(call, keyOf));
};

const headerMatchers = ({ headers = {} }: RouteMatch): Matcher[] =>
  Object.entries(headers).map(([given, wanted]) => {
    const name = given.toLowerCase();
    if (typeof wanted === 'boolean') return ({ request }) => (headerOf(request, name) !== undefined) === wanted;
    const values = [wanted].flat();
    return ({ request }) => isOneOf(values, headerOf(request, name));
  });

const requestMatchers = ({ method, pathPrefix }: RouteMatch): Matcher[] => {
  const methods = method === undefined ? undefined : [method].flat();
  const prefixes = pathPrefix === undefined ? undefined : [pathPrefix].flat();
  return [
    ...(methods ? [({ request }: Call) => isOneOf(methods, request?.method)] : []),
    ...(prefixes
      ? [({ request }: Call) => request !== undefined && prefixes.some(prefix => request.path.startsWith(prefix))]
      : []),
  ];
};

const ownMatchers = ({ keys, when }: RouteMatch): Matcher[] => {
  const chosen = keys && new Set(keys);
  const guarded = guard("a route's when");
  return [
    ...(chosen ? [((call, keyOf) => chosen.has(keyOf(call) ?? '')) satisfies Matcher] : []),
    ...(when ? [(call: Call) => guarded(() => when(call)) === true] : []),
  ];
};

const isOneOf = (values: readonly string[], value: string | undefined): boolean =>
  value !== undefined && values.includes(value);

/** Names are compared without regard to case, as in HTTP; several of one name count as one, with commas between. */
const headerOf = (request: OutboundRequest | undefined, name: string): string | undefined => {
  const headers = request?.headers;
  if (headers === undefined) return undefined;
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  const values = pairs.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(', ');
};
