import { REFUSED } from '../core/gate.js';
import { isSlow, openTime, patienceMs, reasonToOpen, type BreakerCounts } from './breaker-rules.js';
import { restored, trial, type BreakerKind, type BreakerMemory, type BreakerParts } from './breaker-state.js';
import type { BreakerState, Ended } from './breaker-state.js';
import { SteadyClock } from './steady-clock.js';
import { NOT_HELD, Tickets } from './tickets.js';

/**
 * May calls be made at all?
 *
 * ```
 *             a rule holds, open()              openMs is over          successesToClose
 *   closed ──────────────────────────► open ─────────────────► half-open ──────────────► closed
 *                                       ▲                          │
 *                                       └──────────────────────────┘ one failed, or was slow: open for longer
 * ```
 * Each call carries the epoch in which it began: what it says later does not move a newer state. No timer: time that passed
 * is applied whenever somebody asks. Pure: `now` is an argument, in monotonic ms; should it jump back, time stands still.
 */
export class Breaker {
  /** The time that the tally is told. */
  readonly clock = new SteadyClock();
  readonly #parts: BreakerParts;
  readonly #tickets = new Tickets();
  readonly #counts = { calls: 0, failures: 0, slowCalls: 0, consecutiveFailures: 0 };
  #state: BreakerState;
  #epoch = 0;
  /** Trials that failed without a healthy window in between. */
  #failedTrials = 0;

  constructor(parts: BreakerParts, now: number) {
    this.#parts = parts;
    this.#state = { kind: 'closed', since: this.clock.at(now), consecutive: 0 };
  }

  /** Work that was admitted and has not left. */
  get held(): number {
    return this.#tickets.held;
  }

  kind(now: number): BreakerKind {
    return this.#at(this.clock.at(now)).kind;
  }

  /** Earliest time at which `enter` is granted, as `Gate` has it. */
  availableAt(now: number): number {
    const state = this.#at(this.clock.at(now));
    if (state.kind === 'closed') return 0;
    if (state.kind === 'open') return this.clock.readingAt(state.until);
    return state.inFlight < this.#parts.policy.probes
      ? 0
      : this.clock.readingAt(state.lastProbeAt + patienceMs(this.#parts.policy));
  }

  enter(reading: number): number {
    const now = this.clock.at(reading);
    const state = this.#at(now);
    if (state.kind === 'open') return REFUSED;
    if (state.kind === 'half-open') {
      if (state.inFlight >= this.#parts.policy.probes && now - state.lastProbeAt < patienceMs(this.#parts.policy))
        return REFUSED;
      state.inFlight += 1;
      state.lastProbeAt = now;
    }
    const ticket = this.#tickets.take(this.#epoch, now);
    this.#parts.tally.admitted(now);
    return ticket;
  }

  leave(ticket: number, end: Ended, reading: number): void {
    const epoch = this.#tickets.epochOf(ticket);
    if (epoch === NOT_HELD) return;
    const startedAt = this.#tickets.startedAt(ticket);
    this.#tickets.release(ticket);
    if (epoch !== this.#epoch) return;
    const state = this.#state;
    if (state.kind === 'half-open') state.inFlight -= 1;
    if (end.outcome === 'ignored') return;
    if (end.outcome === 'overload') {
      if (state.kind === 'closed') state.consecutive = 0;
      return;
    }
    const now = this.clock.at(reading);
    this.#settled(end, now - startedAt, now);
  }

  /** As a rule would: for its time, then a trial. Nothing where it is open. */
  open(reason: string, reading: number): void {
    const now = this.clock.at(reading);
    if (this.#at(now).kind !== 'open') this.#open(reason, now);
  }

  /** Opens it until `close`. */
  isolate(reason: string, reading: number): void {
    const now = this.clock.at(reading);
    const { kind, since } = this.#at(now);
    const state = { kind: 'open', since: kind === 'open' ? since : now, until: Infinity, reason } as const;
    this.#become(state, { reason, ms: Infinity });
  }

  close(reason: string, reading: number): void {
    const now = this.clock.at(reading);
    this.#failedTrials = 0;
    if (this.#at(now).kind !== 'closed') this.#close(reason, now);
  }

  counts(reading: number): BreakerCounts {
    const now = this.clock.at(reading);
    const state = this.#at(now);
    return { ...this.#count(state.kind === 'closed' ? state.consecutive : 0, now) };
  }

  remember(reading: number): BreakerMemory {
    const now = this.clock.at(reading);
    const state = this.#at(now);
    const open = state.kind === 'open';
    return {
      state: state.kind,
      forMs: now - state.since,
      availableInMs: !open ? 0 : state.until === Infinity ? null : state.until - now,
      reason: open ? state.reason : null,
      failedTrials: this.#failedTrials,
      consecutiveFailures: state.kind === 'closed' ? state.consecutive : 0,
    };
  }

  /** Goes on where another one was. Calls that are under way here belong to the past. */
  recall(memory: BreakerMemory, reading: number): void {
    const now = this.clock.at(reading);
    const next = restored(memory, now);
    this.#failedTrials = memory.failedTrials;
    this.#become(next, { reason: 'restored', ms: next.kind === 'open' ? next.until - now : memory.forMs });
  }

  /** The state now: the one place where an open circuit's time runs out. */
  #at(now: number): BreakerState {
    const state = this.#state;
    if (state.kind === 'open' && now >= state.until)
      this.#become(trial(now, state.since), { reason: 'time is up', ms: now - state.since });
    return this.#state;
  }

  #settled(end: Ended, ms: number, now: number): void {
    const { policy, tally } = this.#parts;
    const state = this.#state;
    const failed = end.outcome === 'failure';
    const slow = isSlow(policy, ms);
    tally.ended(end, ms, now);
    // Somebody who was told may have opened or closed it.
    if (state !== this.#state) return;
    if (state.kind === 'half-open') this.#tried(state, failed ? 'failed' : slow ? 'was slow' : undefined, now);
    if (state.kind !== 'closed') return;
    if (!failed) state.consecutive = 0;
    else if (!end.ratioOnly) state.consecutive += 1;
    if (!failed && !slow) return;
    const { tripWhen, works } = this.#parts;
    const counts = this.#count(state.consecutive, now);
    const reason = tripWhen ? tripWhen({ ...counts }) : reasonToOpen(policy, counts, works);
    if (reason === undefined || state !== this.#state) return;
    const healthyWindows = Math.floor((now - state.since) / policy.windowMs);
    this.#failedTrials = Math.max(0, this.#failedTrials - healthyWindows);
    this.#open(reason, now);
  }

  #count(consecutiveFailures: number, now: number): BreakerCounts {
    this.#counts.consecutiveFailures = consecutiveFailures;
    this.#parts.tally.count(this.#counts, now);
    return this.#counts;
  }

  #tried(state: BreakerState & { kind: 'half-open' }, wrong: string | undefined, now: number): void {
    if (wrong !== undefined) {
      this.#failedTrials += 1;
      return this.#open(`a probe ${wrong}`, now);
    }
    state.successes += 1;
    if (state.successes >= this.#parts.policy.successesToClose) this.#close('probes succeeded', now);
  }

  #open(reason: string, now: number): void {
    const ms = openTime(this.#parts.policy, this.#failedTrials);
    this.#become({ kind: 'open', since: now, until: now + ms, reason }, { reason, ms });
  }

  #close(reason: string, now: number): void {
    const state = this.#state;
    const openedAt = state.kind === 'half-open' ? state.openedAt : state.since;
    this.#parts.tally.restart(now);
    this.#become({ kind: 'closed', since: now, consecutive: 0 }, { reason, ms: now - openedAt });
  }

  #become(next: BreakerState, { reason, ms }: { reason: string; ms: number }): void {
    const from = this.#state.kind;
    this.#state = next;
    this.#epoch += 1;
    if (from !== next.kind) this.#parts.changed({ from, to: next.kind, reason, ms });
  }
}
