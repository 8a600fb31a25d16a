/** What fetch sends of itself, in its order. Servers see the same client, whichever transport it uses. */
const DEFAULTS: readonly (readonly [string, string])[] = [
  ['accept', '*/*'],
  ['accept-language', '*'],
  ['sec-fetch-mode', 'cors'],
  ['user-agent', 'node'],
];
/** As fetch: what stands between may not know Brotli, and cannot stand between where there is TLS. */
const CODINGS = ['accept-encoding', 'gzip, deflate'] as const;
const SECURE_CODINGS = ['accept-encoding', 'br, gzip, deflate'] as const;

/** Of a request that was given none. One array for all of them: undici only reads it. */
const PLAIN: readonly string[] = Object.freeze([...DEFAULTS.flat(), ...CODINGS]);
const SECURE: readonly string[] = Object.freeze([...DEFAULTS.flat(), ...SECURE_CODINGS]);

export const defaultHeaders = (secure: boolean): readonly string[] => (secure ? SECURE : PLAIN);

/** What fetch asks of caches on the way, by the `cache` of its options. */
const CACHE_HEADERS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'no-store': [
    ['pragma', 'no-cache'],
    ['cache-control', 'no-cache'],
  ],
  reload: [
    ['pragma', 'no-cache'],
    ['cache-control', 'no-cache'],
  ],
  'no-cache': [['cache-control', 'max-age=0']],
};

export interface Besides {
  readonly contentType: string | undefined;
  readonly cache: string | undefined;
  readonly secure: boolean;
}

/** Headers as they go over the wire: names in lower case, no two the same, values without blanks around them. */
export type WireHeaders = Headers | Readonly<Record<string, string>>;

const NAME = /^[a-z0-9-]+$/;
const VALUE = /^[!-~](?:[ -~]*[!-~])?$/;

/** An object that holds what Headers would make of it is taken as it is: such are those that tracing adds. */
export const toWire = (given: NonNullable<RequestInit['headers']>): WireHeaders =>
  given instanceof Headers || isOnWire(given) ? given : new Headers(given);

const isOnWire = (given: object): given is Record<string, string> => {
  if (Object.getPrototypeOf(given) !== Object.prototype) return false;
  for (const name in given) {
    const value: unknown = (given as Record<string, unknown>)[name];
    if (typeof value !== 'string' || !NAME.test(name) || !VALUE.test(value) || !Object.hasOwn(given, name))
      return false;
  }
  return true;
};

/** The caller's, and those of fetch that the caller has none of. As with fetch, `Host` is the instance's. */
export const headersWith = (given: WireHeaders | undefined, besides: Besides): readonly string[] => {
  const { contentType, cache, secure } = besides;
  const all: string[] = [];
  const take = (value: string, name: string): void => {
    if (name !== 'host') all.push(name, value);
  };
  const has = (name: string): boolean =>
    given !== undefined && (given instanceof Headers ? given.has(name) : Object.hasOwn(given, name));
  const add = ([name, value]: readonly [string, string]): void => {
    if (!has(name)) all.push(name, value);
  };
  if (given instanceof Headers) given.forEach(take);
  else if (given !== undefined) for (const name of Object.keys(given)) take(given[name]!, name);
  if (contentType !== undefined) add(['content-type', contentType]);
  if (cache !== undefined) CACHE_HEADERS[cache]?.forEach(add);
  DEFAULTS.forEach(add);
  // A part of what is coded cannot be decoded.
  if (has('range')) add(['accept-encoding', 'identity']);
  else add(secure ? SECURE_CODINGS : CODINGS);
  return all;
};
