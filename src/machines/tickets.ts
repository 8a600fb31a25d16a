/** What `epochOf` says of a ticket that nobody holds. */
export const NOT_HELD = -1;

const FIRST_SIZE = 16;

/**
 * What a gate has to know of work that it admitted and that has not ended: the epoch in which it began, and when. A ticket
 * is the number of a slot, used again once it is released; the table doubles when it is full. For gates whose owners must
 * not keep anything but a number.
 */
export class Tickets {
  #epochs = new Float64Array(FIRST_SIZE).fill(NOT_HELD);
  #startedAt = new Float64Array(FIRST_SIZE);
  /** Slots that were released, the newest last. */
  #free = new Int32Array(FIRST_SIZE);
  #freeCount = 0;
  /** Slots that were ever used: those beyond have never been. */
  #used = 0;

  /** How many are held. */
  get held(): number {
    return this.#used - this.#freeCount;
  }

  take(epoch: number, now: number): number {
    const ticket = this.#freeCount > 0 ? this.#free[(this.#freeCount -= 1)]! : this.#fresh();
    this.#epochs[ticket] = epoch;
    this.#startedAt[ticket] = now;
    return ticket;
  }

  /** The epoch in which the work began; `NOT_HELD` where there is no such ticket, or no more. */
  epochOf(ticket: number): number {
    return this.#epochs[ticket] ?? NOT_HELD;
  }

  startedAt(ticket: number): number {
    return this.#startedAt[ticket]!;
  }

  /** Only for a ticket that is held. */
  release(ticket: number): void {
    this.#epochs[ticket] = NOT_HELD;
    this.#free[this.#freeCount] = ticket;
    this.#freeCount += 1;
  }

  #fresh(): number {
    if (this.#used === this.#epochs.length) this.#grow();
    this.#used += 1;
    return this.#used - 1;
  }

  #grow(): void {
    const size = this.#used * 2;
    const epochs = new Float64Array(size).fill(NOT_HELD);
    epochs.set(this.#epochs);
    this.#epochs = epochs;
    const startedAt = new Float64Array(size);
    startedAt.set(this.#startedAt);
    this.#startedAt = startedAt;
    // All slots are held when it grows: no free one is lost.
    this.#free = new Int32Array(size);
  }
}
