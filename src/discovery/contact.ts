interface Outage {
  readonly since: number;
  readonly error: unknown;
}

/**
 * When was the registry last heard? While a watch is up that is now, however long nothing changed: noticing that a
 * connection is half open is the adapter's business. Pure: time is an argument.
 */
export class Contact {
  #connected = false;
  #at: number | undefined;
  #outage: Outage | undefined;

  get connected(): boolean {
    return this.#connected;
  }

  /** Monotonic ms; -Infinity before the first. */
  get at(): number {
    return this.#at ?? -Infinity;
  }

  /** What the watch ended with, while it is down. */
  get outage(): Outage | undefined {
    return this.#outage;
  }

  /** In ms; `undefined` before the first. */
  ageMs(now: number): number | undefined {
    if (this.#connected) return 0;
    return this.#at === undefined ? undefined : now - this.#at;
  }

  /** The watch gave a set. Returns how long it had been lost, in ms, if it had. */
  restored(now: number): number | undefined {
    const outage = this.#outage;
    this.#connected = true;
    this.#at = now;
    this.#outage = undefined;
    return outage && now - outage.since;
  }

  /** Of an earlier process, as it left it on disk. */
  remembered(at: number): void {
    this.#at = at;
  }

  /** A single read was answered, whatever the watch does. */
  heard(now: number): void {
    this.#at = now;
  }

  /** The watch ended or could not begin. True for the first time of an outage. */
  lost(error: unknown, now: number): boolean {
    if (this.#connected) this.#at = now;
    this.#connected = false;
    const first = this.#outage === undefined;
    this.#outage = { since: this.#outage?.since ?? now, error };
    return first;
  }
}
