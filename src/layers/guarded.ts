import type { Call } from '../core/call.js';
import type { FairleadError } from '../core/errors.js';
import type { Landing, Stage } from '../core/flow.js';
import { REFUSED } from '../core/gate.js';
import { IGNORED, type Verdict } from '../core/outcome.js';
import type { Runtime } from '../core/runtime.js';

/**
 * A gate that sees each attempt: a breaker, a throttle, a limit on concurrency. Other than a `Gate` it is told the whole
 * verdict, and can say why it refused.
 */
export interface Guard {
  /** Claims a place: a ticket >= 0, or `REFUSED`. `now` is monotonic ms. */
  enter(now: number): number;
  /** Told right before `leave` what the attempt rejected with: for guards that pass it on. */
  failed?(error: unknown): void;
  /** Reports the end of admitted work, once per ticket. IGNORED too when a later guard refused the attempt. */
  leave(ticket: number, verdict: Verdict, now: number): void;
  /** What the caller gets; asked right after `enter` refused. */
  refusal(call: Call): FairleadError;
}

/**
 * All guards of an attempt, in one stage: each more would cost each attempt one more landing. They are entered in order;
 * when one refuses, those before it are left with IGNORED, and retry does not repeat what was refused: it would only be
 * refused again. Use it below retry, so that each attempt is counted.
 *
 * @param clock where layers above may have taken time since the call's own reading of it
 */
export const guarded =
  <R>(guards: readonly Guard[], clock?: Pick<Runtime, 'now'>): Stage<R> =>
  next => {
    const idle: Stay<R>[] = [];
    return function guarding(call, landing) {
      // Where no attempt is made, the verdict of an earlier one must not speak for this one.
      call.verdict = IGNORED;
      if (clock !== undefined) call.now = clock.now();
      const stay = idle.pop() ?? new Stay<R>(guards, idle);
      const refusing = stay.enter(call, landing);
      if (refusing !== undefined) {
        call.record.endedBy = 'refused';
        return landing.failed(refusing.refusal(call));
      }
      next(call, stay);
    };
  };

/** One attempt inside its guards. Used again by later attempts, so that none allocates the tickets. */
class Stay<R> implements Landing<R> {
  readonly #guards: readonly Guard[];
  readonly #idle: Stay<R>[];
  readonly #tickets: number[];
  #call: Call | undefined;
  #landing: Landing<R> | undefined;

  constructor(guards: readonly Guard[], idle: Stay<R>[]) {
    this.#guards = guards;
    this.#idle = idle;
    this.#tickets = guards.map(() => REFUSED);
  }

  /** The guard that refuses the call, if one does: then nothing is held any more. */
  enter(call: Call, landing: Landing<R>): Guard | undefined {
    const guards = this.#guards;
    for (let index = 0; index < guards.length; index += 1) {
      const ticket = guards[index]!.enter(call.now);
      if (ticket === REFUSED) {
        this.#leave(index, IGNORED, call.now);
        return guards[index];
      }
      this.#tickets[index] = ticket;
    }
    this.#call = call;
    this.#landing = landing;
    return undefined;
  }

  answered(result: R): void {
    this.#settle().answered(result);
  }

  failed(error: unknown): void {
    for (const guard of this.#guards) guard.failed?.(error);
    this.#settle().failed(error);
  }

  #settle(): Landing<R> {
    const { verdict, now } = this.#call!;
    const landing = this.#landing!;
    this.#leave(this.#guards.length, verdict, now);
    return landing;
  }

  /** In the reverse order: who came first leaves last. */
  #leave(count: number, verdict: Verdict, now: number): void {
    for (let index = count - 1; index >= 0; index -= 1) this.#guards[index]!.leave(this.#tickets[index]!, verdict, now);
    this.#call = this.#landing = undefined;
    this.#idle.push(this);
  }
}
