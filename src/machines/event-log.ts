/** Bits of what is said of an event. */
export const FAILED = 1;
export const SLOW = 2;

const FIRST_SIZE = 64;

export interface EventLogLimits {
  /** An event counts for exactly so long, in ms; Infinity: for ever. */
  readonly windowMs: number;
  /** … and only while it is one of the newest so many. */
  readonly maxEvents: number;
}

/** Some events: [age in ms, how many, of them failed, of them slow]. */
export type EventRow = readonly [ageMs: number, count: number, failed: number, slow: number];

/**
 * Events of the last `windowMs`, each with its own time: exact at the edges where a RollingWindow is exact to a bucket, for
 * 9 bytes an event and at most `maxEvents` of them. With `windowMs: Infinity` it is the window of the last n. Time never goes
 * back here: see SteadyClock.
 */
export class EventLog {
  readonly #limits: EventLogLimits;
  #times: Float64Array;
  #marks: Uint8Array;
  #oldest = 0;
  #size = 0;
  #failed = 0;
  #slow = 0;

  constructor(limits: EventLogLimits) {
    this.#limits = limits;
    const size = Math.min(FIRST_SIZE, limits.maxEvents);
    this.#times = new Float64Array(size);
    this.#marks = new Uint8Array(size);
  }

  record(marks: number, now: number): void {
    this.#expire(now);
    if (this.#size === this.#limits.maxEvents) this.#drop();
    else if (this.#size === this.#times.length) this.#grow();
    const slot = (this.#oldest + this.#size) % this.#times.length;
    this.#times[slot] = now;
    this.#marks[slot] = marks;
    this.#size += 1;
    if (marks & FAILED) this.#failed += 1;
    if (marks & SLOW) this.#slow += 1;
  }

  total(now: number): number {
    this.#expire(now);
    return this.#size;
  }

  failed(now: number): number {
    this.#expire(now);
    return this.#failed;
  }

  slow(now: number): number {
    this.#expire(now);
    return this.#slow;
  }

  clear(): void {
    this.#size = this.#failed = this.#slow = 0;
  }

  /** As few numbers as `mostRows` rows: exact while there are no more events, else each row stands at its newest one. */
  summary(now: number, mostRows: number): EventRow[] {
    const perRow = Math.ceil(this.total(now) / mostRows);
    const rows: [number, number, number, number][] = [];
    let nth = 0;
    this.#forEach((marks, time) => {
      if (nth % perRow === 0) rows.push([0, 0, 0, 0]);
      nth += 1;
      const row = rows.at(-1)!;
      row[0] = now - time;
      row[1] += 1;
      if (marks & FAILED) row[2] += 1;
      if (marks & SLOW) row[3] += 1;
    });
    return rows;
  }

  /** What a summary said, oldest first, in place of all events. */
  refill(rows: readonly EventRow[], now: number): void {
    this.clear();
    for (const [ageMs, count, failed, slow] of rows)
      for (let nth = 0; nth < count; nth += 1)
        this.record((nth < failed ? FAILED : 0) | (nth < slow ? SLOW : 0), now - ageMs);
  }

  #forEach(visit: (marks: number, time: number) => void): void {
    for (let nth = 0; nth < this.#size; nth += 1) {
      const slot = (this.#oldest + nth) % this.#times.length;
      visit(this.#marks[slot]!, this.#times[slot]!);
    }
  }

  #expire(now: number): void {
    while (this.#size > 0 && now - this.#times[this.#oldest]! >= this.#limits.windowMs) this.#drop();
  }

  #drop(): void {
    const marks = this.#marks[this.#oldest]!;
    if (marks & FAILED) this.#failed -= 1;
    if (marks & SLOW) this.#slow -= 1;
    this.#oldest = (this.#oldest + 1) % this.#times.length;
    this.#size -= 1;
  }

  #grow(): void {
    const size = Math.min(this.#times.length * 2, this.#limits.maxEvents);
    const times = new Float64Array(size);
    const marks = new Uint8Array(size);
    let count = 0;
    this.#forEach((mark, time) => {
      times[count] = time;
      marks[count] = mark;
      count += 1;
    });
    this.#times = times;
    this.#marks = marks;
    this.#oldest = 0;
  }
}
