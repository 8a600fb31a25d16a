import { byFingerprint, mixed } from './hash.js';
import type { HashSeat, HashSeats } from './hash-seats.js';

/** Points are sorted as one number each: 32 bits of where and 21 of whose are exact in a double. */
const OWNERS = 2 ** 21;

/** The points of a ring in ascending order, with the slot of each one's owner. */
export class RingPoints {
  spots = new Uint32Array(0);
  slots = new Uint32Array(0);

  clear(): void {
    this.spots = new Uint32Array(0);
    this.slots = new Uint32Array(0);
  }

  /** One pass over all points, however many leave. `gone` says so of each slot. */
  drop(gone: Uint8Array): void {
    const { spots, slots } = this;
    let kept = 0;
    for (let at = 0; at < spots.length; at += 1) {
      if (gone[slots[at]!] === 1) continue;
      spots[kept] = spots[at]!;
      slots[kept] = slots[at]!;
      kept += 1;
    }
    this.spots = spots.slice(0, kept);
    this.slots = slots.slice(0, kept);
  }

  /** One pass over all points, however many join. Returns where the new ones are. */
  insert(joined: readonly HashSeat[], countOf: (seat: HashSeat) => number, seats: HashSeats): Uint32Array {
    // Of two points at one spot, the same comes first in every process.
    const owners = joined.toSorted(byFingerprint);
    const fresh = sortedPoints(owners, countOf);
    const old = { spots: this.spots, slots: this.slots };
    const spots = (this.spots = new Uint32Array(old.spots.length + fresh.length));
    const slots = (this.slots = new Uint32Array(spots.length));
    const places = new Uint32Array(fresh.length);
    let from = 0;
    for (let taken = 0; taken <= fresh.length; taken += 1) {
      const packed = taken < fresh.length ? fresh[taken]! : Infinity;
      const spot = Math.floor(packed / OWNERS);
      const owner = owners[packed % OWNERS];
      for (; from < old.spots.length && old.spots[from]! <= spot; from += 1) {
        if (old.spots[from] === spot && byFingerprint(owner!, seats.slots[old.slots[from]!]!) < 0) break;
        spots[from + taken] = old.spots[from]!;
        slots[from + taken] = old.slots[from]!;
      }
      if (owner === undefined) break;
      places[taken] = from + taken;
      spots[from + taken] = spot;
      slots[from + taken] = owner.slot;
    }
    return places;
  }

  /** The first point at that spot or after it, going round. */
  next(spot: number): number {
    let low = 0;
    let high = this.spots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.spots[middle]! < spot) low = middle + 1;
      else high = middle;
    }
    return low === this.spots.length ? 0 : low;
  }
}

/** The points of those who join, each with its owner's index. */
const sortedPoints = (owners: readonly HashSeat[], countOf: (seat: HashSeat) => number): Float64Array => {
  const counts = owners.map(countOf);
  const points = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  owners.forEach(({ first, second }, owner) => {
    for (let replica = 0; replica < counts[owner]!; replica += 1, at += 1)
      points[at] = (mixed(first + Math.imul(replica, second | 1)) >>> 0) * OWNERS + owner;
  });
  return points.sort();
};
