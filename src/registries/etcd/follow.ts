import type { Latest } from '../../core/latest.js';
import type { Runtime } from '../../core/runtime.js';
import { bounded } from './bounded.js';
import type { Connection } from './connection.js';
import { endOf, prefixOf } from './layout.js';
import type { Member, OpenStream } from './member.js';
import type { Stream, WatchAnswer } from './peer.js';
import type { View } from './view.js';

export interface Following {
  readonly connection: Connection;
  readonly service: string;
  /** Who gave the list that it goes on from. */
  readonly member: Member;
  /** That of the list. */
  readonly revision: bigint;
  readonly view: View;
  /** Is told of each change of the view, and of the end. */
  readonly changes: Latest<true>;
  readonly runtime: Runtime;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

/** Resolves when the server has the watch; what happened since the list comes then. Whatever ends it fails `changes`. */
export const followService = async (following: Following): Promise<void> => {
  const { connection, member, changes, runtime, signal } = following;
  const timeoutMs = connection.settings.requestTimeoutMs;
  const late = (): unknown => member.failed(`a watch was not begun within ${timeoutMs} ms`);
  const fail = (error: unknown): void => {
    if (!signal.aborted) connection.avoid(member);
    changes.fail(error);
  };
  try {
    await bounded({ timeoutMs, runtime, signal }, late, () => new Follower(following, fail).begin());
  } catch (error) {
    fail(error);
    throw error;
  }
};

class Follower {
  readonly #parts: Following;
  readonly #fail: (error: unknown) => void;
  readonly #prefix: string;
  #revision: bigint;
  #heardAt = 0;
  #created: (() => void) | undefined;

  constructor(parts: Following, fail: (error: unknown) => void) {
    this.#parts = parts;
    this.#fail = fail;
    this.#prefix = prefixOf(parts.connection.settings.prefix, parts.service);
    this.#revision = parts.revision;
  }

  async begin(): Promise<void> {
    const { member, signal } = this.#parts;
    const what = `a watch of ${this.#prefix}`;
    const open = await member.open({
      what,
      send: (client, options) => client.watchClient.watch(options),
      signal,
    });
    const created = new Promise<void>((resolve, reject) => {
      this.#created = resolve;
      this.#listen(open, error => {
        reject(error);
        this.#fail(error);
      });
    });
    this.#request(open.stream);
    await created;
    this.#watchOver();
  }

  #request(stream: Stream<WatchAnswer>): void {
    const key = Buffer.from(this.#prefix);
    const start_revision = String(this.#revision + 1n);
    stream.write({ create_request: { key, range_end: endOf(this.#prefix), start_revision } });
  }

  #listen({ stream, failure }: OpenStream<WatchAnswer>, fail: (error: unknown) => void): void {
    const { signal, member } = this.#parts;
    stream.on('data', answer => {
      if (signal.aborted) return;
      try {
        this.#take(answer);
      } catch (error) {
        // What cannot be read makes all that follows doubtful.
        fail(error);
      }
    });
    stream.on('error', error => fail(failure(error)));
    stream.on('end', () => fail(member.failed(`the watch of ${this.#prefix} was ended by the server`)));
    // The package drops the connections of all when a stream fails that could still be written to.
    if (signal.aborted) stream.end();
    else signal.addEventListener('abort', () => stream.end(), { once: true });
  }

  #take(answer: WatchAnswer): void {
    const { runtime, view, changes, member } = this.#parts;
    this.#heardAt = runtime.now();
    if (answer.canceled) {
      const compacted = answer.compact_revision === '0' ? '' : `, compacted up to ${answer.compact_revision}`;
      const why = answer.cancel_reason === '' ? '' : `: ${answer.cancel_reason}`;
      throw member.failed(`the watch of ${this.#prefix} was cancelled${compacted}${why}`);
    }
    this.#advance(answer.header.revision);
    if (answer.created) this.#created?.();
    for (const { type, kv } of answer.events) {
      if (type === 'DELETE' || type === 'Delete') view.remove(kv.key);
      else view.put(kv);
    }
    if (answer.events.length > 0) changes.push(true);
  }

  /** A revision that goes back is a server that lost its data: what is known may be of another life. */
  #advance(header: string): void {
    const revision = BigInt(header);
    if (revision < this.#revision)
      throw this.#parts.member.failed(`its revision went back from ${this.#revision} to ${revision}`);
    this.#revision = revision;
  }

  /** A server that stands still keeps its connections: who keeps silent is asked, by a read that finds nothing. */
  #watchOver(): void {
    const { connection, runtime, signal, member } = this.#parts;
    const { watchdogMs, requestTimeoutMs: timeoutMs } = connection.settings;
    const key = Buffer.from(this.#prefix);
    const look = async (): Promise<void> => {
      if (signal.aborted) return;
      if (runtime.now() - this.#heardAt >= watchdogMs) {
        const { header } = await member.ask({
          what: `a look at ${this.#prefix}`,
          send: (client, options) => client.kv.range({ key, keys_only: true }, options),
          ...{ timeoutMs, runtime, signal },
        });
        if (BigInt(header.revision) < this.#revision) this.#advance(header.revision);
      }
      arm();
    };
    let cancel = (): void => undefined;
    const arm = (): void => {
      if (!signal.aborted) cancel = runtime.after(watchdogMs, () => void look().catch(this.#fail));
    };
    signal.addEventListener('abort', () => cancel(), { once: true });
    arm();
  }
}
