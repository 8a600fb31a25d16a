import { newOwners, type Circle } from './circle.js';
import { byFingerprint } from './hash.js';
import type { HashSeat, HashSeats, SeatChange } from './hash-seats.js';
import { RingPoints } from './ring-points.js';

/** More points than that are not kept: the weights are scaled down together. 16 MB. */
const MAX_POINTS = 2 ** 21;

const CIRCLE = 2 ** 32;
/** The circle is wound up in coils. Spots that lie on top of each other, one on each coil, are one place. */
const COILS = 4;
const PLACE_BITS = 18;
const PLACES = 2 ** PLACE_BITS;
/** The spots of a place on one coil. */
const SPOTS = CIRCLE / COILS / PLACES;
const NOWHERE = CIRCLE - 1;

/**
 * Consistent hashing with virtual nodes (Karger; ketama): each endpoint owns `replicas` × weight points of a circle of 2³²
 * spots, and a spot belongs to the next point. Who joins or leaves moves its own share of the keys and no other, at the
 * price of one pass over the points.
 *
 * Two things are better than in the usual ring. A place belongs to the point that is nearest on any of four coils
 * (multi-probe consistent hashing, Appleton and O'Reilly 2015), which makes 160 points as even as 1 100. And the owners of
 * places are kept in a table, whose size never changes, so that a key costs one look and no search.
 */
export class Ring implements Circle {
  owners: Uint16Array | Uint32Array = new Uint16Array(0);
  readonly #seats: HashSeats;
  readonly #replicas: number;
  readonly #points = new RingPoints();
  /** How far each place's owner's point is. */
  #distances = new Uint32Array(0);
  #unit = 1;

  constructor(seats: HashSeats, replicas: number) {
    this.#seats = seats;
    this.#replicas = replicas;
  }

  placeOf(hash: number): number {
    return hash >>> (32 - PLACE_BITS);
  }

  revise({ joined, left }: SeatChange): void {
    const { slots, size } = this.#seats;
    const unit = unitOf(this.#seats, this.#replicas);
    const fits = slots.length <= 2 ** 16 || this.owners instanceof Uint32Array;
    const few = joined.length + left.length <= size / 4;
    if (unit === this.#unit && fits && few) {
      if (left.length > 0) this.#drop(left);
      if (joined.length > 0) this.#insert(joined);
      return;
    }
    this.#unit = unit;
    this.#points.clear();
    this.owners = newOwners(size > 0 ? PLACES : 0, slots.length);
    this.#distances = new Uint32Array(this.owners.length).fill(NOWHERE);
    this.#insert([...this.#seats.all]);
  }

  #drop(left: readonly HashSeat[]): void {
    const gone = new Uint8Array(this.#seats.slots.length);
    for (const { slot } of left) gone[slot] = 1;
    this.#points.drop(gone);
    for (let place = 0; place < PLACES; place += 1) {
      if (gone[this.owners[place]!] === 0) continue;
      this.#distances[place] = NOWHERE;
      for (let coil = 0; coil < COILS; coil += 1) {
        const spot = (coil * PLACES + place) * SPOTS;
        const point = this.#points.next(spot);
        this.#offer(place, point, (this.#points.spots[point]! - spot) >>> 0);
      }
    }
  }

  #insert(joined: readonly HashSeat[]): void {
    const countOf = ({ weight }: HashSeat): number => Math.max(1, Math.round((this.#replicas * weight) / this.#unit));
    const fresh = this.#points.insert(joined, countOf, this.#seats);
    const { spots } = this.#points;
    for (const point of fresh) {
      const spot = spots[point]!;
      const before = point > 0 ? spots[point - 1]! : spots[spots.length - 1]! - CIRCLE;
      // Backwards to the point before it, over the ends of coils and of the circle.
      for (let step = Math.floor(spot / SPOTS); step * SPOTS > before; step -= 1)
        this.#offer(step & (PLACES - 1), point, spot - step * SPOTS);
    }
  }

  #offer(place: number, point: number, distance: number): void {
    const best = this.#distances[place]!;
    if (distance > best) return;
    const slot = this.#points.slots[point]!;
    // Equally near: whichever comes first in the order that every process agrees on.
    const { slots } = this.#seats;
    if (distance === best && best < NOWHERE && byFingerprint(slots[slot]!, slots[this.owners[place]!]!) > 0) return;
    this.#distances[place] = distance;
    this.owners[place] = slot;
  }
}

/**
 * By what weights are divided: 1 for usual weights, so that somebody who joins does not change the others' points; a power
 * of two where there would be too many points or too few, depending on the present members only.
 */
const unitOf = (seats: HashSeats, replicas: number): number => {
  let weights = 0;
  for (const { weight } of seats.all) weights += weight;
  if (weights * replicas > MAX_POINTS) return 2 ** Math.ceil(Math.log2((weights * replicas) / MAX_POINTS));
  const mean = weights / seats.size;
  return mean < 0.5 ? 2 ** Math.floor(Math.log2(mean)) : 1;
};
