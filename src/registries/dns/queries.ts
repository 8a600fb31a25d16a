/** Questions to a resolver. That there is nothing, and that nobody knows, are different answers. */
import type { RecordWithTtl } from 'node:dns';
import { describe } from '../../core/errors.js';
import type { DnsResolver } from './options.js';

export interface Records<T> {
  readonly records: readonly T[];
  /** Why there are none: the server's word for it. */
  readonly missing?: unknown;
}

/** NXDOMAIN, or a name without such records. */
export const isMissing = (error: unknown): boolean => ['ENOTFOUND', 'ENODATA'].includes(codeOf(error) as string);

/** Rejects when nobody could say. */
export const recordsOf = async <T>(ask: () => Promise<readonly T[]>): Promise<Records<T>> => {
  try {
    const records: unknown = await ask();
    if (!Array.isArray(records)) throw new TypeError('the resolver gave no array');
    return { records: (records as readonly T[]).filter(record => typeof record === 'object' && record !== null) };
  } catch (error) {
    if (!isMissing(error)) throw error;
    return { records: [], missing: error };
  }
};

export const addressesOf = async (
  resolver: DnsResolver,
  name: string,
  families: readonly ('A' | 'AAAA')[],
): Promise<Records<RecordWithTtl>> => {
  const ask = (family: 'A' | 'AAAA') => (): Promise<readonly RecordWithTtl[]> =>
    family === 'A' ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true });
  const found = await Promise.all(families.map(family => recordsOf(ask(family))));
  return { records: found.flatMap(({ records }) => records), missing: found[0]?.missing };
};

/** The shortest of the records', in ms; undefined when none tells one. */
export const ttlMsOf = (records: readonly RecordWithTtl[]): number | undefined => {
  const known = records.map(({ ttl }) => ttl).filter(ttl => Number.isFinite(ttl) && ttl >= 0);
  return known.length === 0 ? undefined : Math.min(...known) * 1_000;
};

/** What a failed question says of itself, in words. */
export const reasonOf = (error: unknown): string => {
  const code = codeOf(error);
  const words = typeof code === 'string' ? WORDS[code] : undefined;
  return words === undefined ? describe(error) : `${words} (${String(code)})`;
};

const WORDS: Readonly<Record<string, string | undefined>> = {
  ENOTFOUND: 'there is no such name',
  ENODATA: 'the name has no such records',
  ESERVFAIL: 'the server failed',
  EREFUSED: 'the server refused',
  ETIMEOUT: 'no server answered in time',
  ECONNREFUSED: 'no server could be reached',
};

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null | undefined)?.code;
