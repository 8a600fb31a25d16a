import type { Runtime } from '../core/runtime.js';

/** While attempts are in flight, the clock is looked at this often … */
const BEAT_MS = 50;
/** … and less and less often while none begins or ends: a long poll must not keep a CPU awake. */
const LONGEST_BEAT_MS = 200;
/** A beat that is so late was held up. Timers of a loop that is free are late by a few ms. */
const LATE_MS = 50;
/** Stalls that are remembered; of more, the newest. */
const KEPT = 16;

interface Stall {
  /** Monotonic ms. */
  readonly endedAt: number;
  readonly ms: number;
}

const watches = new WeakMap<Runtime, StallWatch>();

/** The one of this runtime: a process has one event loop, whatever the number of clients. */
export const stallWatch = (runtime: Runtime): StallWatch => {
  let watch = watches.get(runtime);
  if (watch === undefined) watches.set(runtime, (watch = new StallWatch(runtime)));
  return watch;
};

/**
 * Did our own event loop stand still while an attempt was in flight? Then what came late was not late, and what we cut was
 * not slow. A timer that comes late tells; it runs only while attempts are in flight, never keeps the process alive, and is
 * gone soon after the last one ended. All else is arithmetic on `now`.
 *
 * Node's own histogram of loop delay would do too, but it wakes up an idle process for ever.
 */
export class StallWatch {
  readonly #runtime: Runtime;
  readonly #stalls: Stall[] = [];
  #inFlight = 0;
  #cancel: (() => void) | undefined;
  /** When the next beat is due; Infinity without one. */
  #beatAt = Infinity;
  #everyMs = BEAT_MS;
  #busy = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** An attempt begins. */
  began(now: number): void {
    this.#inFlight += 1;
    this.#busy = true;
    if (this.#beatAt - now > BEAT_MS) this.#arm(now, BEAT_MS);
  }

  /** An attempt ended. */
  ended(): void {
    this.#inFlight -= 1;
    this.#busy = true;
  }

  /** A client closes: no timer of ours outlives the last of them. */
  rest(): void {
    if (this.#inFlight > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#beatAt = Infinity;
  }

  /** The longest time, in ms, for which the loop stood still since `from`, to within a beat; 0 = it ran. */
  longestMs(from: number, now: number): number {
    // What comes in the same turn as the late beat may be told before it.
    const lateMs = now - this.#beatAt;
    let longest = lateMs > LATE_MS ? Math.min(lateMs, now - from) : 0;
    if (this.#stalls.length === 0) return longest;
    for (let at = this.#stalls.length - 1; at >= 0; at -= 1) {
      const { endedAt, ms } = this.#stalls[at]!;
      if (endedAt <= from) break;
      longest = Math.max(longest, Math.min(ms, endedAt - from));
    }
    return longest;
  }

  #arm(now: number, everyMs: number): void {
    this.#cancel?.();
    this.#everyMs = everyMs;
    this.#beatAt = now + everyMs;
    this.#cancel = this.#runtime.after(everyMs, this.#beat);
  }

  readonly #beat = (): void => {
    const now = this.#runtime.now();
    const lateMs = now - this.#beatAt;
    if (lateMs > LATE_MS) this.#remember({ endedAt: now, ms: lateMs });
    this.#cancel = undefined;
    this.#beatAt = Infinity;
    if (this.#inFlight === 0) return;
    this.#arm(now, this.#busy ? BEAT_MS : Math.min(this.#everyMs * 2, LONGEST_BEAT_MS));
    this.#busy = false;
  };

  /** Who saw an older, shorter stall saw this one too: only ever shorter ones follow each other. */
  #remember(stall: Stall): void {
    while ((this.#stalls.at(-1)?.ms ?? Infinity) <= stall.ms) this.#stalls.pop();
    this.#stalls.push(stall);
    if (this.#stalls.length > KEPT) this.#stalls.shift();
  }
}
