import type { Verdict } from '../core/outcome.js';
import { RollingWindow } from '../machines/rolling-window.js';

/** How long a returning instance waits for a call that can be retried, before any call is its probe. */
const PATIENCE_MS = 2_000;

/** Per-instance ejection. Numbers from Envoy's outlier detection and Finagle's failure accrual, fitted to small fleets. */
export interface EjectionPolicy {
  readonly consecutiveFailures: number | false;
  readonly failureRatio: number;
  readonly minCalls: number;
  readonly windowMs: number;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly maxEjectedRatio: number;
  readonly panicRatio: number;
  readonly probes: number;
  readonly successesToClose: number;
}

type State =
  | { readonly kind: 'serving'; readonly since: number; consecutive: number }
  | { readonly kind: 'out'; readonly since: number; readonly until: number; readonly reason: string }
  | {
      readonly kind: 'trial';
      readonly since: number;
      readonly outMs: number;
      inFlight: number;
      lastProbeAt: number;
      successes: number;
    };

export interface EjectionChange {
  readonly from: State['kind'];
  readonly to: State['kind'];
  readonly reason: string;
  /** How long it is out, or was out, in ms. */
  readonly ms: number;
}

/** What an instance's health needs from the pool around it. */
export interface EjectionHost {
  readonly policy: EjectionPolicy | false;
  /** Is the share of ejected instances small enough for one more? */
  mayEject(): boolean;
  random(): number;
  changed(change: EjectionChange): void;
}

/**
 * May this instance serve?
 *
 * ```
 *             failures, Retry-After            time is up               successesToClose
 *   serving ───────────────────────► out ───────────────────► trial ───────────────────► serving
 *                                     ▲                         │
 *                                     └─────────────────────────┘ one failure: out for longer
 * ```
 * Each attempt carries the epoch in which it began: what it says later does not move a newer state.
 */
export class Ejection {
  readonly window: RollingWindow;
  readonly #host: EjectionHost;
  #state: State;
  #epoch = 0;
  /** How often in a row it was ejected; falls by one for each healthy window. */
  #times = 0;

  constructor(host: EjectionHost, now: number) {
    this.#host = host;
    this.window = new RollingWindow(host.policy ? host.policy.windowMs : 10_000);
    this.#state = { kind: 'serving', since: now, consecutive: 0 };
  }

  get kind(): State['kind'] {
    return this.#state.kind;
  }

  get reason(): string | undefined {
    return this.#state.kind === 'out' ? this.#state.reason : undefined;
  }

  /** 0 while it serves; the end of its time when out; on trial only the pool's probes reach it. */
  get availableAt(): number {
    if (this.#state.kind === 'serving') return 0;
    return this.#state.kind === 'out' ? this.#state.until : Infinity;
  }

  /** A ticket for an ordinary attempt: even, where a probe's is odd. */
  enter(): number {
    return this.#epoch * 2;
  }

  /** A ticket for a probe, or `undefined` when it may not be probed now, or not by a call that cannot be retried. */
  probe(retryable: boolean, now: number): number | undefined {
    const state = this.#state;
    const policy = this.#host.policy;
    if (state.kind !== 'trial' || !policy) return undefined;
    // A probe may fail, so it should be a call that can go elsewhere. Where none comes, any call is better than an instance
    // that stays out for ever; and once a probe succeeded, any call will do.
    if (!retryable && state.successes === 0 && now - Math.max(state.since, state.lastProbeAt) < PATIENCE_MS)
      return undefined;
    // A probe that never ends must not wedge the trial.
    if (state.inFlight >= policy.probes && now - state.lastProbeAt < policy.maxMs) return undefined;
    state.inFlight += 1;
    state.lastProbeAt = now;
    return this.#epoch * 2 + 1;
  }

  /** An attempt ended. */
  leave(ticket: number, verdict: Verdict, now: number): void {
    if (ticket >> 1 !== this.#epoch) return;
    const policy = this.#host.policy;
    const { outcome } = verdict;
    if (outcome === 'success' || outcome === 'failure') this.window.record(outcome === 'failure', now);
    if (this.#state.kind === 'trial' && ticket & 1) this.#state.inFlight -= 1;
    if (!policy || outcome === 'ignored') return;
    if (verdict.retryAfterScope === 'instance' && verdict.retryAfterMs !== undefined && verdict.retryAfterMs > 0)
      return this.#leaveAlone(verdict.retryAfterMs, now);
    if (this.#state.kind === 'serving') this.#serving(this.#state, verdict, now);
    else if (this.#state.kind === 'trial') this.#trial(this.#state, verdict, now);
  }

  /** Time passed: an instance whose time out is over goes on trial. */
  review(now: number): void {
    const state = this.#state;
    if (state.kind !== 'out' || now < state.until) return;
    const outMs = now - state.since;
    this.#become(
      { kind: 'trial', since: now, outMs, inFlight: 0, lastProbeAt: -Infinity, successes: 0 },
      { reason: 'time is up', ms: outMs },
    );
  }

  #serving(state: State & { kind: 'serving' }, verdict: Verdict, now: number): void {
    const policy = this.#host.policy as EjectionPolicy;
    if (verdict.outcome !== 'failure') {
      state.consecutive = 0;
      return;
    }
    if (!verdict.ratioOnly) state.consecutive += 1;
    const inARow = policy.consecutiveFailures !== false && state.consecutive >= policy.consecutiveFailures;
    const total = this.window.total(now);
    const byRatio = total >= policy.minCalls && this.window.failureRatio(now) >= policy.failureRatio;
    if (!(inARow || byRatio) || !this.#host.mayEject()) return;
    const share = `${Math.round(this.window.failureRatio(now) * total)} of ${total} attempts failed in ${policy.windowMs} ms`;
    this.#times = Math.max(0, this.#times - Math.floor((now - state.since) / policy.windowMs));
    this.#eject(inARow ? `${state.consecutive} failures in a row` : share, now);
  }

  #trial(state: State & { kind: 'trial' }, verdict: Verdict, now: number): void {
    // Counted from the probe's start: one that hung must not add its wait to the time until the next.
    if (verdict.outcome === 'failure') return this.#eject('probe failed', Math.max(state.since, state.lastProbeAt));
    state.successes += 1;
    if (state.successes < (this.#host.policy as EjectionPolicy).successesToClose) return;
    this.window.clear();
    this.#become(
      { kind: 'serving', since: now, consecutive: 0 },
      { reason: 'probes succeeded', ms: state.outMs + now - state.since },
    );
  }

  #eject(reason: string, now: number): void {
    const { baseMs, maxMs } = this.#host.policy as EjectionPolicy;
    const ms = this.#jittered(Math.min(maxMs, baseMs * 2 ** this.#times));
    this.#times = Math.min(this.#times + 1, 32);
    this.#become({ kind: 'out', since: now, until: now + ms, reason }, { reason, ms });
  }

  #leaveAlone(askedMs: number, now: number): void {
    const { maxMs } = this.#host.policy as EjectionPolicy;
    const ms = askedMs < maxMs ? askedMs : this.#jittered(maxMs);
    if (this.#state.kind === 'out' && this.#state.until >= now + ms) return;
    const reason = `asked for ${Math.ceil(askedMs)} ms by Retry-After`;
    this.#become({ kind: 'out', since: now, until: now + ms, reason }, { reason, ms });
  }

  /** Jitter shortens only: the cap is a promise about how soon a recovered instance is tried. */
  #jittered(ms: number): number {
    return ms * (0.8 + 0.2 * this.#host.random());
  }

  #become(next: State, { reason, ms }: { reason: string; ms: number }): void {
    const from = this.#state.kind;
    this.#state = next;
    this.#epoch += 1;
    this.#host.changed({ from, to: next.kind, reason, ms });
  }
}
