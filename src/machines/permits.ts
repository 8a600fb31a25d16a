/**
 * At most `maxInFlight` holders, and a first-in-first-out queue of those that wait. Pure bookkeeping: who waits is told
 * by its own callback; nothing here knows promises or time.
 */
export class Permits {
  readonly maxInFlight: number;
  readonly maxQueue: number;
  #inFlight = 0;
  /** A Set keeps the order of arrival and gives up any waiter in O(1). */
  readonly #waiting = new Set<() => void>();

  constructor(maxInFlight: number, maxQueue: number) {
    this.maxInFlight = maxInFlight;
    this.maxQueue = maxQueue;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** Takes a place if there is one. */
  tryEnter(): boolean {
    if (this.#inFlight >= this.maxInFlight) return false;
    this.#inFlight += 1;
    return true;
  }

  /** Queues: `granted` runs once, holding a place. False if the queue is full. */
  enqueue(granted: () => void): boolean {
    if (this.#waiting.size >= this.maxQueue) return false;
    this.#waiting.add(granted);
    return true;
  }

  /** Leaves the queue without a place; false if the place was granted already. */
  giveUp(granted: () => void): boolean {
    return this.#waiting.delete(granted);
  }

  /** Gives the place back: to the longest waiting, if any. */
  leave(): void {
    // A loop over an empty Set makes an iterator all the same.
    if (this.#waiting.size === 0) {
      this.#inFlight -= 1;
      return;
    }
    for (const granted of this.#waiting) {
      this.#waiting.delete(granted);
      granted();
      return;
    }
  }
}
