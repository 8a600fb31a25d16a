import type { Candidates } from '../core/balancer.js';
import type { Endpoint } from '../core/endpoint.js';

/** Calls in flight are told apart up to here: beyond it, one endpoint is as bad as another. */
const MAX_LEVEL = 65_535;

/** An endpoint's place in its group. */
export interface Seat {
  readonly endpoint: Endpoint;
  group: LoadGroup;
  /** Calls in flight when last looked at. */
  level: number;
  /** Neighbours of the same level. */
  before: Seat | undefined;
  after: Seat | undefined;
  /** The survey that last saw it among the eligible. */
  survey: number;
}

export const levelOf = ({ inFlight }: Endpoint): number =>
  inFlight > 0 ? Math.min(Math.floor(inFlight), MAX_LEVEL) : 0;

/**
 * Endpoints of equal weight, in queues by their number of calls in flight: who is least busy is known without looking for
 * it, and among equals who waited longest is first.
 */
export class LoadGroup {
  readonly weight: number;
  size = 0;
  /** Calls in flight on its least busy endpoint, by its weight. */
  load = Infinity;
  /**
   * Picks so far by the weight of the whole group: among groups of equal load the one that is behind goes first. Given a
   * number at once, since a field that was undefined at first allocates each fraction that it is given later.
   */
  passed = 0;
  /** Somebody in it warms up: it gets no more than its weight's share, however idle it is. */
  warming = false;
  /** Its place among the groups. */
  rank = -1;
  readonly #first: (Seat | undefined)[] = [];
  readonly #last: (Seat | undefined)[] = [];
  #lowest = 0;

  constructor(weight: number, passed: number) {
    this.weight = weight;
    this.passed = passed;
  }

  get first(): Seat | undefined {
    return this.#first[this.#lowest];
  }

  add(seat: Seat): void {
    this.size += 1;
    this.#append(seat);
    if (this.size === 1 || seat.level < this.#lowest) this.#lowest = seat.level;
    this.load = this.#lowest / this.weight;
  }

  remove(seat: Seat): void {
    this.size -= 1;
    this.#unlink(seat);
    this.#settle();
  }

  /** To the end of the queue of that level, which may be the one it is in. */
  move(seat: Seat, level: number): void {
    this.#unlink(seat);
    seat.level = level;
    this.#append(seat);
    if (level < this.#lowest) this.#lowest = level;
    this.#settle();
  }

  /** Its least busy endpoint that is allowed. */
  firstAllowed(from: Candidates): Seat | undefined {
    for (let level = this.#lowest; level < this.#first.length; level += 1)
      for (let seat = this.#first[level]; seat !== undefined; seat = seat.after)
        if (from.allows(seat.endpoint)) return seat;
    return undefined;
  }

  #settle(): void {
    if (this.size === 0) {
      this.load = Infinity;
      return;
    }
    while (this.#first[this.#lowest] === undefined) this.#lowest += 1;
    this.load = this.#lowest / this.weight;
  }

  #append(seat: Seat): void {
    const { level } = seat;
    while (this.#first.length <= level) {
      this.#first.push(undefined);
      this.#last.push(undefined);
    }
    const last = this.#last[level];
    seat.before = last;
    seat.after = undefined;
    if (last === undefined) this.#first[level] = seat;
    else last.after = seat;
    this.#last[level] = seat;
  }

  #unlink(seat: Seat): void {
    const { before, after, level } = seat;
    if (before === undefined) this.#first[level] = after;
    else before.after = after;
    if (after === undefined) this.#last[level] = before;
    else after.before = before;
  }
}
