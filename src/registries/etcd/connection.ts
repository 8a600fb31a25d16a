/**
 * The conversation with etcd, by whichever member answers. Each has a client of its own, so that a watch stays with the
 * member it was listed from, and one dead endpoint costs one try and not every second one.
 */
import { setMaxListeners } from 'node:events';
import { FairleadError } from '../../core/errors.js';
import { mayBeElsewhere } from './failure.js';
import { Member, type Ask } from './member.js';
import type { Settings } from './options.js';

export interface Question<T> extends Omit<Ask<T>, 'closing' | 'timeoutMs'> {
  /** Is sent even after `close()`: the removal of what was written. */
  readonly farewell?: boolean | undefined;
}

export class Connection {
  readonly settings: Settings;
  readonly #members: readonly Member[];
  readonly #closing = new AbortController();
  /** Who is asked first: the last one that answered. */
  #first: number;
  #holders = 0;

  /** @param load finds the `etcd3` package */
  constructor(settings: Settings, load: () => Promise<unknown> = () => import('etcd3')) {
    const { endpoints, runtime } = settings;
    this.settings = settings;
    this.#members = endpoints.map(endpoint => new Member(endpoint, settings, load));
    this.#first = Math.floor(runtime.random() * endpoints.length);
    // One listener for each call that is under way.
    setMaxListeners(0, this.#closing.signal);
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Aborts with the registry's end. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Keeps the connections until the returned function was called by all who hold. */
  hold(): () => void {
    let held = true;
    this.#holders += 1;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.disconnect();
    };
  }

  async ask<T>(question: Question<T>): Promise<T> {
    return (await this.askAny(question)).answer;
  }

  /** All members in turn until one answers, within `requestTimeoutMs`. Rejects with the last one's error, see Member. */
  async askAny<T>(question: Question<T>): Promise<{ readonly answer: T; readonly member: Member }> {
    const { signal, runtime, farewell = false } = question;
    signal?.throwIfAborted();
    if (!farewell) this.refuseWhenClosed();
    const release = this.hold();
    const endsAt = runtime.now() + this.settings.requestTimeoutMs;
    const from = this.#first;
    const count = this.#members.length;
    try {
      for (let nth = 0; ; nth += 1) {
        const at = (from + nth) % count;
        const member = this.#members[at]!;
        const timeoutMs = Math.max(1, (endsAt - runtime.now()) / (count - nth));
        try {
          const answer = await member.ask({ ...question, timeoutMs, closing: farewell ? undefined : this.closing });
          this.#first = at;
          return { answer, member };
        } catch (error) {
          const over = signal?.aborted === true || (this.closed && !farewell);
          if (over || nth === count - 1 || !mayBeElsewhere(error)) throw error;
        }
      }
    } finally {
      release();
    }
  }

  /** A stream of this member broke: the next one who asks begins with another. */
  avoid(member: Member): void {
    const at = this.#members.indexOf(member);
    if (at === this.#first) this.#first = (at + 1) % this.#members.length;
  }

  refuseWhenClosed(): void {
    if (this.closed) throw this.#unavailable('the registry is closed');
  }

  /** Ends all calls and streams at once but those that say farewell; later ones are refused. */
  close(): void {
    this.#closing.abort(this.#unavailable('the registry was closed'));
  }

  /** Closes all connections, whoever still holds. */
  disconnect(): void {
    for (const member of this.#members) member.disconnect();
  }

  #unavailable(what: string): FairleadError {
    return new FairleadError('REGISTRY_UNAVAILABLE', `etcd: ${what}`);
  }
}
