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

/** The caller's, and those of fetch that the caller has none of. As with fetch, `Host` is the instance's. */
export const headersWith = (given: Headers | undefined, besides: Besides): readonly string[] => {
  const { contentType, cache, secure } = besides;
  const all: string[] = [];
  given?.forEach((value, name) => {
    if (name !== 'host') all.push(name, value);
  });
  const add = ([name, value]: readonly [string, string]): void => {
    if (given?.has(name) !== true) all.push(name, value);
  };
  if (contentType !== undefined) add(['content-type', contentType]);
  if (cache !== undefined) CACHE_HEADERS[cache]?.forEach(add);
  DEFAULTS.forEach(add);
  // A part of what is coded cannot be decoded.
  if (given?.has('range') === true) add(['accept-encoding', 'identity']);
  else add(secure ? SECURE_CODINGS : CODINGS);
  return all;
};
