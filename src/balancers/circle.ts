import type { SeatChange } from './hash-seats.js';

/**
 * A table of places, each owned by one endpoint: a key belongs to the owner of its place. Nothing is rebuilt when somebody
 * falls ill: who finds an owner out goes on to another place, so that only that one's keys move.
 */
export interface Circle {
  /** Slots; empty until somebody joined. */
  readonly owners: Uint16Array | Uint32Array;
  /** Where a hash belongs, as an index of `owners`. */
  placeOf(hash: number): number;
  /** Members came or left. What results depends on who is there, not on the order in which they came. */
  revise(change: SeatChange): void;
}

/** Half the bytes where the slots fit: a table that stays in the cache is found in twice as fast. */
export const newOwners = (places: number, slots: number): Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> =>
  slots <= 2 ** 16 ? new Uint16Array(places) : new Uint32Array(places);
