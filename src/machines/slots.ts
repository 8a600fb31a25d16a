const FIRST_SIZE = 64;

/**
 * Start times of what is in flight, by ticket: a gate is told no duration when work ends. A table that doubles when it is
 * full, and a list of its free places: nothing is allocated for a call. As large as the most that were ever in flight.
 */
export class Slots {
  #startedAt = new Float64Array(FIRST_SIZE);
  #free = new Int32Array(FIRST_SIZE);
  #freeCount = 0;
  #used = 0;

  /** How many are taken. */
  get size(): number {
    return this.#used - this.#freeCount;
  }

  /** A ticket >= 0. */
  take(now: number): number {
    if (this.#freeCount === 0 && this.#used === this.#startedAt.length) this.#grow();
    const ticket = this.#freeCount > 0 ? this.#free[(this.#freeCount -= 1)]! : this.#used++;
    this.#startedAt[ticket] = now;
    return ticket;
  }

  /** When it was taken; NaN for a ticket that is not out: left twice, or none of ours. */
  leave(ticket: number): number {
    const startedAt = this.#startedAt[ticket] ?? NaN;
    if (ticket >= this.#used || Number.isNaN(startedAt)) return NaN;
    this.#startedAt[ticket] = NaN;
    this.#free[this.#freeCount++] = ticket;
    return startedAt;
  }

  #grow(): void {
    const startedAt = new Float64Array(this.#startedAt.length * 2);
    startedAt.set(this.#startedAt);
    this.#startedAt = startedAt;
    const free = new Int32Array(this.#free.length * 2);
    free.set(this.#free);
    this.#free = free;
  }
}
