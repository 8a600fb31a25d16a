import type { CachePolicy } from '../../layers/cache.js';
import * as check from '../../core/check.js';

/** What `cache: {}` switches on: answers to GET, kept in memory as their `Cache-Control` allows (RFC 9111). */
export interface CacheOptions {
  /** Answers kept, >= 1; the least recently used goes first. @default 500 */
  readonly maxEntries?: number | undefined;
  /** … and bytes of them, >= 1. @default 16_777_216 */
  readonly maxBytes?: number | undefined;
  /** A longer body is not kept, in bytes, >= 1. @default 1_048_576 */
  readonly maxBodyBytes?: number | undefined;
  /**
   * So long after it became stale an answer still stands in for a failure, in ms, >= 0. A response's own
   * `stale-if-error` goes before, and `must-revalidate` and `no-cache` forbid it. @default 60_000
   */
  readonly staleIfErrorMs?: number | undefined;
  /**
   * Calls are made for many users: what is `private`, and what was asked for with `Authorization` or a cookie, is not
   * kept, unless its server says that it may. `false`: for one user only. @default true
   */
  readonly shared?: boolean | undefined;
}

export const CACHE_DEFAULTS: CachePolicy = Object.freeze({
  maxEntries: 500,
  maxBytes: 16 * 1_048_576,
  maxBodyBytes: 1_048_576,
  staleIfErrorMs: 60_000,
  shared: true,
});

export const resolveCache = (given: CacheOptions | false | undefined): CachePolicy | false => {
  if (given === undefined || given === false) return false;
  const hint = '; write {} for the defaults, or { maxEntries: 100 }';
  check.object('cache', given, { known: Object.keys(CACHE_DEFAULTS), hint });
  for (const key of ['maxEntries', 'maxBytes', 'maxBodyBytes'] as const)
    check.number(`cache.${key}`, given[key], { min: 1, integer: true });
  check.number('cache.staleIfErrorMs', given.staleIfErrorMs, { min: 0 });
  check.ofType('cache.shared', given.shared, 'boolean');
  return check.filled(CACHE_DEFAULTS, given);
};
