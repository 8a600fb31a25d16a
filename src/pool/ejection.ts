import type { Verdict } from '../core/outcome.js';
import { RollingWindow } from '../machines/rolling-window.js';
import type { Attempt, EjectionChange, EjectionHost } from './ejection-host.js';
import type { EjectionPolicy } from './ejection-policy.js';
import type { State } from './ejection-state.js';
import { whyEject } from './why-eject.js';

/** How long a returning instance waits for a call that can be retried, before any call is its probe. */
const PATIENCE_MS = 2_000;

/**
 * May this instance serve?
 *
 * ```
 *        failures, slowness, Retry-After         time is up               successesToClose
 *   serving ───────────────────────► out ───────────────────► trial ───────────────────► serving
 *                                     ▲                         │
 *                                     └─────────────────────────┘ one failure: out for longer
 * ```
 * Health checks that fail take it out from wherever it is, until they pass: then it serves. Where its calls had taken it out,
 * checks that pass end that early, with a trial. Each attempt carries the epoch in which it began: what it says later does not move a newer state.
 */
export class Ejection {
  readonly window: RollingWindow;
  /** 0 while it serves; the end of its time when out; on trial only the pool's probes reach it. */
  availableAt = 0;
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
  leave({ ticket, durationMs }: Attempt, verdict: Verdict, now: number): void {
    if (ticket >> 1 !== this.#epoch) return;
    const policy = this.#host.policy;
    const { outcome } = verdict;
    const slow = policy !== false && policy.slowCallMs !== false && durationMs >= policy.slowCallMs;
    if (outcome === 'success' || outcome === 'failure') this.window.record(outcome === 'failure', now, slow);
    if (this.#state.kind === 'trial' && ticket & 1) this.#state.inFlight -= 1;
    if (!policy || outcome === 'ignored') return;
    if (verdict.retryAfterScope === 'instance' && verdict.retryAfterMs !== undefined && verdict.retryAfterMs > 0)
      return this.#leaveAlone(verdict.retryAfterMs, now);
    if (this.#state.kind === 'serving' && outcome !== 'failure' && !slow) this.#state.consecutive = 0;
    else if (this.#state.kind === 'serving') this.#serving(this.#state, verdict, now);
    else if (this.#state.kind === 'trial') this.#trial(this.#state, verdict, { slow, now });
  }

  /** Takes it out, if that is allowed: for who judges it by what is not known here. */
  eject(reason: string, now: number): void {
    if (this.#state.kind === 'serving' && this.#host.mayEject()) this.#eject(reason, now);
  }

  /** Another process took its place: what was learnt of the old one, and what it still has in flight, says nothing of it. */
  reset(now: number): void {
    this.#times = 0;
    this.#serve('a new incarnation', now);
  }

  /** Time passed: an instance whose time out is over goes on trial. */
  review(now: number): void {
    const state = this.#state;
    if (state.kind === 'out' && now >= state.until) this.#try(state, 'time is up', now);
  }

  /** Health checks say that it is not well: it is out until they pass, however many others are out. */
  checksFailed(reason: string, now: number): void {
    if (this.#state.kind === 'out' && this.#state.cause === 'checks') return;
    this.#become({ kind: 'out', since: now, until: Infinity, cause: 'checks', reason }, { reason, ms: Infinity });
  }

  /** Health checks say that it is well. What it asked for itself is left to it. */
  checksPassed(now: number): void {
    const state = this.#state;
    if (state.kind !== 'out' || state.cause === 'asked') return;
    if (state.cause === 'checks') this.#serve('health checks passed', now);
    else this.#try(state, 'health checks passed', now);
  }

  #try({ since }: State & { kind: 'out' }, reason: string, now: number): void {
    const outMs = now - since;
    const trial = { kind: 'trial', since: now, outMs, inFlight: 0, lastProbeAt: -Infinity, successes: 0 } as const;
    this.#become(trial, { reason, ms: outMs });
  }

  /** It failed, or was slow. */
  #serving(state: State & { kind: 'serving' }, { outcome, ratioOnly }: Verdict, now: number): void {
    if (outcome !== 'failure') state.consecutive = 0;
    else if (!ratioOnly) state.consecutive += 1;
    const reason = whyEject(this.#host.policy as EjectionPolicy, { window: this.window, state, now });
    if (reason !== undefined) this.eject(reason, now);
  }

  #trial(state: State & { kind: 'trial' }, { outcome }: Verdict, { slow, now }: { slow: boolean; now: number }): void {
    const policy = this.#host.policy as EjectionPolicy;
    // Counted from the probe's start: one that hung must not add its wait to the time until the next.
    if (outcome === 'failure' || slow)
      return this.#eject(
        outcome === 'failure' ? 'probe failed' : `probe took ${policy.slowCallMs} ms or more`,
        Math.max(state.since, state.lastProbeAt),
      );
    state.successes += 1;
    this.#host.probed();
    if (state.successes < policy.successesToClose) return;
    this.#serve('probes succeeded', now);
  }

  #serve(reason: string, now: number): void {
    const state = this.#state;
    this.window.clear();
    const ms = now - state.since + (state.kind === 'trial' ? state.outMs : 0);
    this.#become({ kind: 'serving', since: now, consecutive: 0 }, { reason, ms });
  }

  #eject(reason: string, now: number): void {
    const { baseMs, maxMs } = this.#host.policy as EjectionPolicy;
    this.#decay(now);
    const ms = this.#jittered(Math.min(maxMs, baseMs * 2 ** this.#times));
    this.#times = Math.min(this.#times + 1, 32);
    this.#become({ kind: 'out', since: now, until: now + ms, cause: 'calls', reason }, { reason, ms });
  }

  #leaveAlone(askedMs: number, now: number): void {
    const { maxMs } = this.#host.policy as EjectionPolicy;
    const ms = askedMs < maxMs ? askedMs : this.#jittered(maxMs);
    if (this.#state.kind === 'out' && this.#state.until >= now + ms) return;
    this.#decay(now);
    const reason = `asked for ${Math.ceil(askedMs)} ms by Retry-After`;
    this.#become({ kind: 'out', since: now, until: now + ms, cause: 'asked', reason }, { reason, ms });
  }

  /** Before it leaves the time in which it served. */
  #decay(now: number): void {
    if (this.#state.kind !== 'serving') return;
    const { windowMs } = this.#host.policy as EjectionPolicy;
    this.#times = Math.max(0, this.#times - Math.floor((now - this.#state.since) / windowMs));
  }

  /** Jitter shortens only: the cap is a promise about how soon a recovered instance is tried. */
  #jittered(ms: number): number {
    return ms * (0.8 + 0.2 * this.#host.random());
  }

  #become(next: State, change: Pick<EjectionChange, 'reason' | 'ms'>): void {
    const from = this.#state.kind;
    this.#state = next;
    this.availableAt = next.kind === 'serving' ? 0 : next.kind === 'out' ? next.until : Infinity;
    this.#epoch += 1;
    const cause = next.kind === 'out' ? next.cause : undefined;
    if (from !== next.kind) this.#host.changed({ from, to: next.kind, cause, ...change });
  }
}
