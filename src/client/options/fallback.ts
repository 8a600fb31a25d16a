import type { Failure, FallbackFunction } from '../../layers/fallback.js';

/**
 * What answers when a fetch failed: a Response (each call gets a copy), or a function that is told of the failure and
 * returns one, or `undefined` to leave the failure as it is.
 */
export type FetchFallback = Response | FallbackFunction<Response>;
/** The same for `call()`: a value, or a function that returns one. */
export type CallFallback<T> = T | ((failure: Failure<T>) => T | undefined | Promise<T | undefined>);

/** One form for both; `false` and `undefined` are none. */
export const resolveFetchFallback = (
  given: FetchFallback | false | undefined,
  path: string,
): FallbackFunction<Response> | undefined => {
  if (given === undefined || given === false) return undefined;
  if (typeof given === 'function') return async failure => checked(await given(failure), path);
  if (!(given instanceof Response))
    throw new TypeError(
      `${path}: expected a Response or a function; write Response.json({ … }) or () => Response.json({ … })`,
    );
  if (given.bodyUsed) throw new TypeError(`${path}: the body of this Response was already read`);
  return () => given.clone();
};

const checked = (result: Response | undefined, path: string): Response | undefined => {
  if (result === undefined || result instanceof Response) return result;
  throw new TypeError(`${path}: expected the function to return a Response or undefined`);
};

/** A call's own goes before the client's, and takes it away when it is `false`. */
export const withFallback = <S extends object>(seed: S, given: FetchFallback | false | undefined): S =>
  given === undefined ? seed : { ...seed, fallback: resolveFetchFallback(given, 'init.fairlead.fallback') ?? false };

/** Any value will do, `false` too. */
export const resolveCallFallback = (given: unknown): FallbackFunction<unknown> | undefined => {
  if (given === undefined) return undefined;
  return typeof given === 'function' ? (given as FallbackFunction<unknown>) : () => given;
};
