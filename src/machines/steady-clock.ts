/** Readings come a little out of order, since a call keeps the one it took: a step back of more than this is the clock's. */
const BACK_MS = 60_000;

/**
 * A clock that never goes back, over one that may: where the other jumps back, this one stands still and then goes on from
 * where it was. For machines that keep instants: "open until 12:00" must not become an hour longer when a clock is set.
 */
export class SteadyClock {
  #offsetMs = 0;
  #newest = -Infinity;

  /** The steady time of a reading of the other clock. */
  at(now: number): number {
    let steady = now + this.#offsetMs;
    if (steady < this.#newest) {
      if (steady < this.#newest - BACK_MS) this.#offsetMs += this.#newest - steady;
      steady = this.#newest;
    }
    return (this.#newest = steady);
  }

  /** What the other clock will show at a steady time. */
  readingAt(steady: number): number {
    return steady - this.#offsetMs;
  }
}
