import type { Candidates } from '../core/balancer.js';
import type { Endpoint } from '../core/endpoint.js';
import type { HashSeat, HashSeats } from './hash-seats.js';
import { weightOf } from './weight.js';

/** What sums of weights may be wrong by. */
const ROUNDING = 1e-9;

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): nobody is given more than `ratio` times
 * its share of the calls in flight, one of them rounded up. There is always somebody who may be given one more, since the
 * bounds add up to more than there are calls.
 */
export class LoadBound {
  readonly #ratio: number;
  readonly #seats: HashSeats;
  #calls = 0;
  #weights = 0;
  #eligible: readonly Endpoint[] = [];
  #version = -1;
  #audited = 0;

  constructor(ratio: number, seats: HashSeats) {
    this.#ratio = ratio;
    this.#seats = seats;
  }

  /** To be called before each pick. */
  review(from: Candidates): void {
    if (from.version !== this.#version || from.eligible !== this.#eligible) this.#recount(from);
    // Another subset of the service may have started or ended calls, which is not told here.
    this.#audited = this.#audited + 1 < this.#eligible.length ? this.#audited + 1 : 0;
    this.changed(this.#eligible[this.#audited]!);
  }

  allows(seat: HashSeat): boolean {
    this.#sync(seat);
    const share = ((this.#calls + 1) * weightOf(seat.endpoint)) / this.#weights;
    return seat.inFlight + 1 <= Math.ceil(this.#ratio * share - ROUNDING);
  }

  /** An endpoint has more or fewer calls in flight. */
  changed(endpoint: Endpoint): void {
    const seat = this.#seats.of(endpoint);
    if (seat !== undefined) this.#sync(seat);
  }

  #sync(seat: HashSeat): void {
    const { inFlight } = seat.endpoint;
    if (seat.eligible) this.#calls += inFlight - seat.inFlight;
    seat.inFlight = inFlight;
  }

  #recount({ eligible, version }: Candidates): void {
    this.#calls = 0;
    this.#weights = 0;
    for (const seat of this.#seats.all) seat.eligible = false;
    for (const endpoint of eligible) {
      const seat = this.#seats.of(endpoint);
      if (seat === undefined) continue;
      seat.eligible = true;
      seat.inFlight = endpoint.inFlight;
      this.#calls += endpoint.inFlight;
      this.#weights += weightOf(endpoint);
    }
    this.#eligible = eligible;
    this.#version = version;
  }
}
