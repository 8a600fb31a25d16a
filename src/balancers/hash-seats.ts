import type { Endpoint } from '../core/endpoint.js';
import { fingerprintOf, type Fingerprint } from './hash.js';
import { usable } from './weight.js';

/** What a hashing balancer knows of one endpoint. */
export class HashSeat implements Fingerprint {
  readonly endpoint: Endpoint;
  /** The number by which the circle names it. */
  readonly slot: number;
  /** Its full weight: slow start moves no places, it lets keys pass by. */
  readonly weight: number;
  readonly first: number;
  readonly second: number;
  /** The survey that last saw it among the members. */
  survey = 0;
  /** May it serve? Kept for bounded load only. */
  eligible = false;
  /** Calls in flight when last looked at. Kept for bounded load only. */
  inFlight = 0;

  constructor(endpoint: Endpoint, slot: number, weight: number) {
    const { first, second } = fingerprintOf(endpoint.instance);
    this.endpoint = endpoint;
    this.slot = slot;
    this.weight = weight;
    this.first = first;
    this.second = second;
  }
}

/** Who came and who left between two sets of members. A changed weight is both. */
export interface SeatChange {
  readonly joined: readonly HashSeat[];
  readonly left: readonly HashSeat[];
}

/** The endpoints of a circle, numbered: a place on the circle is then 4 bytes. */
export class HashSeats {
  /** By slot. */
  readonly slots: (HashSeat | undefined)[] = [];
  /** What nearly every pick needs of them, by slot: it need not touch more memory than that. */
  readonly endpoints: (Endpoint | undefined)[] = [];
  readonly weights: number[] = [];
  readonly #byEndpoint = new Map<Endpoint, HashSeat>();
  readonly #free: number[] = [];
  #survey = 0;

  get all(): Iterable<HashSeat> {
    return this.#byEndpoint.values();
  }

  get size(): number {
    return this.#byEndpoint.size;
  }

  of(endpoint: Endpoint): HashSeat | undefined {
    return this.#byEndpoint.get(endpoint);
  }

  /** Takes over the members of now. Slots of those who left stay theirs until `release`. */
  revise(members: readonly Endpoint[]): SeatChange {
    const joined: HashSeat[] = [];
    const left: HashSeat[] = [];
    this.#survey += 1;
    for (const endpoint of members) {
      const known = this.#byEndpoint.get(endpoint);
      const weight = usable(endpoint.instance.weight);
      if (known?.weight === weight) known.survey = this.#survey;
      else if (weight > 0) joined.push(this.#seat(endpoint, weight));
      if (known !== undefined && known.weight !== weight) left.push(known);
      if (known !== undefined && weight === 0) this.#byEndpoint.delete(endpoint);
    }
    for (const [endpoint, seat] of this.#byEndpoint) {
      if (seat.survey === this.#survey) continue;
      this.#byEndpoint.delete(endpoint);
      left.push(seat);
    }
    return { joined, left };
  }

  release(left: readonly HashSeat[]): void {
    for (const { slot } of left) {
      this.slots[slot] = undefined;
      this.endpoints[slot] = undefined;
      this.#free.push(slot);
    }
  }

  #seat(endpoint: Endpoint, weight: number): HashSeat {
    const slot = this.#free.pop() ?? this.slots.length;
    const seat = new HashSeat(endpoint, slot, weight);
    seat.survey = this.#survey;
    this.slots[slot] = seat;
    this.endpoints[slot] = endpoint;
    this.weights[slot] = weight;
    this.#byEndpoint.set(endpoint, seat);
    return seat;
  }
}
