import { newOwners, type Circle } from './circle.js';
import { byFingerprint } from './hash.js';
import type { HashSeat, HashSeats } from './hash-seats.js';

/** Primes. The paper asks for 100 entries for each endpoint, so that shares differ by 1 % at most. */
const SMALL = 65_537;
const LARGE = 1_000_003;
const ENTRIES_EACH = 100;

/**
 * Google's Maglev (Eisenbud et al., NSDI 2016, §3.4): a table that endpoints fill in turns, each by its own permutation.
 * Shares are even to 1 %, and a key is found with one look; a change of members fills the whole table anew and moves up to
 * 1 % of the keys of others too.
 */
export class Maglev implements Circle {
  owners: Uint16Array | Uint32Array = new Uint16Array(0);

  readonly #seats: HashSeats;

  constructor(seats: HashSeats) {
    this.#seats = seats;
  }

  placeOf(hash: number): number {
    return Math.floor(((hash >>> 0) / 2 ** 32) * this.owners.length);
  }

  revise(): void {
    const seats = this.#seats;
    // Turns are taken in an order that every process agrees on.
    const ordered = [...seats.all].sort(byFingerprint);
    const size = ordered.length * ENTRIES_EACH > SMALL ? LARGE : SMALL;
    this.owners = ordered.length === 0 ? new Uint16Array(0) : fill(ordered, newOwners(size, seats.slots.length));
  }
}

const fill = <T extends Uint16Array | Uint32Array>(seats: readonly HashSeat[], owners: T): T => {
  const size = owners.length;
  // One bit an entry: it stays in the fastest cache while millions of entries are probed.
  const taken = new Uint32Array((size >>> 5) + 1);
  const entries = Uint32Array.from(seats, ({ first }) => (first >>> 0) % size);
  const skips = Uint32Array.from(seats, ({ second }) => ((second >>> 0) % (size - 1)) + 1);
  const heaviest = seats.reduce((most, { weight }) => Math.max(most, weight), 0);
  const shares = Float64Array.from(seats, ({ weight }) => weight / heaviest);
  // A full turn to begin with, so that the lightest has an entry too.
  const turns = new Float64Array(seats.length).fill(1);
  for (let filled = 0, at = 0; filled < size; at = at + 1 === seats.length ? 0 : at + 1) {
    const turn = turns[at]!;
    turns[at] = (turn >= 1 ? turn - 1 : turn) + shares[at]!;
    if (turn < 1) continue;
    let entry = entries[at]!;
    const skip = skips[at]!;
    while (((taken[entry >>> 5]! >>> (entry & 31)) & 1) === 1) {
      entry += skip;
      if (entry >= size) entry -= size;
    }
    taken[entry >>> 5]! |= 1 << (entry & 31);
    entries[at] = entry;
    owners[entry] = seats[at]!.slot;
    filled += 1;
  }
  return owners;
};
