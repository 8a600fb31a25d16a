import type { Client } from 'undici';

/** A request that may have to wait for a connection. */
export interface Traveller {
  next: Traveller | undefined;
  previous: Traveller | undefined;
  waits: boolean;
  go(client: Client): void;
  /** There is no connection any more, and will be none. */
  fail(error: unknown): void;
}

export interface ConnectionsParts {
  readonly most: number;
  readonly open: () => Client;
  /** The instance left, and so did its last connection. */
  readonly gone: () => void;
  /** Runs `look` once the answers that are here have been read. */
  readonly afterReading: (look: () => void) => void;
}

/** With so many requests under way, an answer is read in most turns of the event loop. */
const SEVERAL = 4;

const noop = (): void => undefined;

/**
 * The connections to one instance. Each carries one request at a time. The one used last is used next: it is the least
 * likely to be closed by the other side, and the ones that a peak left over fall idle and end.
 *
 * A connection that fell idle is looked at by undici before it is used again, at the end of the turn. So with several
 * requests under way a new one waits that long, too, for one whose answer ends meanwhile, which needs no such look: less
 * work, and no later. Where none ends, it goes a turn later.
 */
export class Connections {
  readonly #parts: ConnectionsParts;
  readonly #all = new Set<Client>();
  readonly #idle: Client[] = [];
  #first: Traveller | undefined = undefined;
  #last: Traveller | undefined = undefined;
  #looks = false;
  #retired = false;
  #closed: Error | undefined = undefined;

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
  }

  /** Connections that are open or being opened. */
  get size(): number {
    return this.#all.size;
  }

  /** Sends it now or, with all connections busy, after those that came before it. */
  carry(traveller: Traveller): void {
    if (this.#closed !== undefined) return traveller.fail(this.#closed);
    if (this.#all.size - this.#idle.length >= SEVERAL) return this.#lookLater(traveller);
    const client = this.#idle.pop() ?? this.#another();
    if (client === undefined) this.#queue(traveller);
    else traveller.go(client);
  }

  /** It waits no longer. */
  withdraw(traveller: Traveller): void {
    if (!traveller.waits) return;
    const { previous, next } = traveller;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    traveller.previous = traveller.next = undefined;
    traveller.waits = false;
  }

  /** Its request ended as it should: it may carry the next. */
  free(client: Client): void {
    const next = this.#first;
    if (next !== undefined) {
      this.withdraw(next);
      next.go(client);
    } else if (this.#retired) this.#drop(client);
    else this.#idle.push(client);
  }

  /** Its request failed: whatever state it is in, the next one gets another. */
  broken(client: Client): void {
    this.#drop(client);
    const next = this.#first;
    if (next === undefined) return;
    this.withdraw(next);
    // Later, since it may fail at once, and so may the one after it.
    queueMicrotask(() => this.carry(next));
  }

  /** The instance left: idle connections are closed now, the others with what they carry. */
  retire(): void {
    this.#look();
    this.#retired = true;
    for (const client of this.#idle.splice(0)) this.#drop(client);
    if (this.#all.size === 0) this.#parts.gone();
  }

  /** Ends all of them, with what they carry and who waits. */
  async destroy(error: Error): Promise<void> {
    this.#retired = true;
    this.#closed = error;
    this.#idle.length = 0;
    for (let next = this.#first; next !== undefined; next = this.#first) {
      this.withdraw(next);
      next.fail(error);
    }
    const all = [...this.#all];
    this.#all.clear();
    await Promise.all(all.map(client => client.destroy()));
  }

  #another(): Client | undefined {
    if (this.#all.size >= this.#parts.most) return undefined;
    const client = this.#parts.open();
    client.on('disconnect', this.#disconnected);
    this.#all.add(client);
    return client;
  }

  #lookLater(traveller: Traveller): void {
    this.#queue(traveller);
    if (this.#looks || (this.#idle.length === 0 && this.#all.size >= this.#parts.most)) return;
    this.#looks = true;
    this.#parts.afterReading(this.#look);
  }

  /** Those that still wait take what there is. */
  readonly #look = (): void => {
    this.#looks = false;
    for (let next = this.#first; next !== undefined; next = this.#first) {
      const client = this.#idle.pop() ?? this.#another();
      if (client === undefined) return;
      this.withdraw(next);
      next.go(client);
    }
  };

  #queue(traveller: Traveller): void {
    traveller.waits = true;
    traveller.previous = this.#last;
    if (this.#last === undefined) this.#first = traveller;
    else this.#last.next = traveller;
    this.#last = traveller;
  }

  /** The other side closed it, or its time was up. A busy one is told by its request. */
  readonly #disconnected = (_origin: URL, [client]: readonly unknown[]): void => {
    const at = this.#idle.indexOf(client as Client);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    this.#drop(client as Client);
  };

  #drop(client: Client): void {
    if (!this.#all.delete(client)) return;
    // Who waits gets another, with which it will be asked again.
    if (this.#retired && this.#all.size === 0 && this.#first === undefined) this.#parts.gone();
    client.off('disconnect', this.#disconnected);
    // Not in the midst of what it tells.
    queueMicrotask(() => client.destroy(null, noop));
  }
}
