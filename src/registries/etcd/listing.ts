import type { Runtime } from '../../core/runtime.js';
import type { Connection, Question } from './connection.js';
import { isTooLarge } from './failure.js';
import { endOf, prefixOf } from './layout.js';
import type { Member } from './member.js';
import type { KeyValue, RangeAnswer } from './peer.js';

export interface Listing {
  /** Who said so. */
  readonly member: Member;
  /** All of it is as of this revision. */
  readonly revision: bigint;
  readonly entries: readonly KeyValue[];
}

/** Keys: of the largest values that are read, so many are an answer that our own clients take (64 MB). */
const PAGE = 1_000;
/** The same for a client of the caller's: 4 MB. Its breaker might not forgive an answer that is too large. */
const CALLERS_PAGE = 50;

/**
 * Everything of a service at one revision, page by page. A page that is too large, for what others wrote there, is asked
 * for again by halves.
 */
export const listService = async (
  connection: Connection,
  service: string,
  context: { readonly runtime: Runtime; readonly signal?: AbortSignal | undefined },
): Promise<Listing> => {
  const prefix = prefixOf(connection.settings.prefix, service);
  const range_end = endOf(prefix);
  const entries: KeyValue[] = [];
  let key = Buffer.from(prefix);
  let limit = connection.settings.client === undefined ? PAGE : CALLERS_PAGE;
  let first: { readonly member: Member; readonly revision: string } | undefined;
  for (;;) {
    const request = { key, range_end, limit, ...(first === undefined ? {} : { revision: first.revision }) };
    const question: Question<RangeAnswer> = {
      ...context,
      what: `a read of ${prefix}`,
      send: (client, options) => client.kv.range(request, options),
    };
    try {
      const { answer, member } = await connection.askAny(question);
      first ??= { member, revision: answer.header.revision };
      for (const entry of answer.kvs) entries.push(entry);
      const last = answer.kvs.at(-1);
      if (!answer.more || last === undefined)
        return { member: first.member, revision: BigInt(first.revision), entries };
      key = Buffer.concat([last.key, Buffer.alloc(1)]);
    } catch (error) {
      if (!isTooLarge(error) || limit === 1) throw error;
      limit = Math.ceil(limit / 2);
    }
  }
};
