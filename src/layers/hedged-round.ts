import type { Call, Dispatch } from '../core/call.js';
import type { LatencySketch } from '../machines/latency-sketch.js';
import { keepError } from './earlier-errors.js';
import { settled, type Ended } from './ended.js';
import type { HedgeParts } from './hedge.js';
import { HedgedCall } from './hedged-call.js';

export interface HedgedRoundParts<R> extends Omit<HedgeParts<R>, 'rules'> {
  readonly next: Dispatch<R>;
  readonly call: Call;
  readonly afterMs: number;
  readonly max: number;
  /** Is told how long the first attempt took, where that decides when the next ones are hedged. */
  readonly sketch: LatencySketch | undefined;
}

/** A leg that failed, while another one may still do better. */
interface Fallen<R> {
  readonly leg: HedgedCall;
  readonly ended: Ended<R>;
}

/**
 * One attempt and its hedges. Ends with the first success; a failure counts when no other leg runs any more, and then the
 * last one does, since retry judges one result.
 *
 * ```
 *            afterMs passed, budget paid            one succeeded: the others are aborted
 * one runs ───────────────────────────► several run ─────────────────────────────────────► won
 *    │  it succeeded, or failed              │ all failed
 *    └──────────► over                       └──────────► over, with the last failure
 * ```
 */
export class HedgedRound<R> {
  readonly #parts: HedgedRoundParts<R>;
  readonly #startedAt: number;
  readonly #running = new Set<HedgedCall>();
  #first: HedgedCall | undefined;
  #fallen: Fallen<R> | undefined;
  #over = false;
  #disarm: (() => void) | undefined;
  #resolve!: (result: R) => void;
  #reject!: (error: unknown) => void;

  constructor(parts: HedgedRoundParts<R>) {
    this.#parts = parts;
    this.#startedAt = parts.call.now;
  }

  run(): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#first = this.#send();
      if (this.#parts.afterMs === 0) this.#hedge();
      else this.#arm(this.#parts.afterMs);
    });
  }

  #send(pause = this.#parts.call.record.pause): HedgedCall {
    const leg = new HedgedCall(this.#parts.call);
    leg.record.pause = pause;
    this.#running.add(leg);
    void settled(this.#parts.next, leg).then(ended => this.#ended(leg, ended));
    return leg;
  }

  #arm(ms: number): void {
    this.#disarm = this.#parts.runtime.after(ms, this.#hedge);
  }

  readonly #hedge = (): void => {
    const { call, runtime, events, budget, afterMs, max } = this.#parts;
    this.#disarm = undefined;
    if (this.#over || call.cancellation.cancelled) return;
    // It waits on our side, for a guard or a layer of the user's: a second one would only wait too.
    if (this.#first!.endpoint === undefined) return this.#arm(Math.max(1, afterMs));
    const now = runtime.now();
    if (!this.#parts.offersMore(call) || !budget.withdraw(now)) return;
    call.now = now;
    call.attempt += 1;
    call.maxAttempts += 1;
    call.record.hedges += 1;
    call.record.notes = { ...call.record.notes, budgetBalance: budget.balance(now) };
    const ms = now - this.#startedAt;
    events.emit?.({ type: 'call.hedged', attempt: call.attempt, afterMs: ms });
    this.#send({ cause: 'hedge', ms, reason: null });
    if (call.record.hedges < max) this.#arm(Math.max(1, afterMs));
  };

  #ended(leg: HedgedCall, ended: Ended<R>): void {
    this.#running.delete(leg);
    if (this.#over) {
      // It had answered before it heard that it had lost.
      if (!ended.thrown) this.#parts.discard(ended.result);
      return;
    }
    if (leg === this.#first) this.#measure(leg);
    if (!ended.thrown && leg.verdict.outcome === 'success') return this.#finish({ leg, ended });
    this.#fell({ leg, ended });
    if (this.#running.size === 0) this.#finish(this.#fallen!);
  }

  /** Keeps the newest failure. One that was refused before it was sent does not stand for the round. */
  #fell(newer: Fallen<R>): void {
    const older = this.#fallen;
    const refused = newer.leg.endpoint === undefined && (older !== undefined || this.#running.size > 0);
    if (!refused) this.#fallen = newer;
    this.#drop(refused ? newer : older);
  }

  #drop(fallen: Fallen<R> | undefined): void {
    if (fallen === undefined) return;
    const { leg, ended } = fallen;
    const { cancellation, record } = this.#parts.call;
    if (!ended.thrown) this.#parts.discard(ended.result);
    // All legs reject with the reason of a call that was cancelled: the caller gets it, once.
    else if (ended.error !== cancellation.reason) keepError(record, ended.error);
    leg.lose();
  }

  #finish(counts: Fallen<R>): void {
    this.#over = true;
    this.#disarm?.();
    if (this.#fallen !== counts) this.#drop(this.#fallen);
    for (const leg of this.#running) {
      leg.lose();
      if (leg === this.#first) this.#measure(leg);
    }
    counts.leg.win();
    if (counts.ended.thrown) this.#reject(counts.ended.error);
    else this.#resolve(counts.ended.result);
  }

  /**
   * One that was cut off took at least so long: left out, the slowest would never be seen, and hedges come ever earlier.
   * One that failed fast says nothing.
   */
  #measure({ now, verdict }: HedgedCall): void {
    const ms = now - this.#startedAt;
    if (verdict.outcome === 'success' || ms >= this.#parts.afterMs) this.#parts.sketch?.observe(ms, now);
  }
}
