/** Numbers of the gradient limit; see `adaptiveConcurrency`. */
export interface GradientPolicy {
  readonly initialLimit: number;
  readonly minLimit: number;
  readonly maxLimit: number;
  readonly toleranceRatio: number;
  readonly windowMs: number;
  readonly probeIntervalMs: number;
}

/** An average of fewer says little (Netflix's WindowedLimit). */
const MIN_SAMPLES = 10;
/** The most that one window takes away (Netflix). */
const STEEPEST = 0.5;
/** What remains after the server asked for less (Netflix's AIMD). */
const AFTER_OVERLOAD = 0.9;
/** How much of a better average is believed at once: single windows are lucky. */
const BELIEF = 0.2;
/** A measurement may raise what counts as unloaded by this factor at most: an hour of sleep is one sample too. */
const MOST_RISE = 2;
/** While the limit does not bind, what is seen is the time without load, or nearly. */
const IDLE_BELIEF = 0.1;
const IDLE_RISE = 1.1;
/** What is left of the limit while the time without load is measured: enough to keep working, too little to queue. */
const PROBE_SHARE = 0.25;
/** Spreads the probes of processes that started together (Envoy). */
const JITTER = 0.15;

/**
 * How many may be in flight, from how long they take: as long as an average call takes no more than `toleranceRatio` times
 * what it takes without load, the limit grows; else it shrinks by the ratio of the two. The formula and its floor of a half
 * are those of Netflix's Gradient2, the headroom of √limit and the measuring of the unloaded time those of Envoy's gradient
 * controller.
 *
 * Gradient2's own baseline, a long average, rises along with a queue that stays: here it rises only where no queue of ours can
 * be. That is while less than half of the limit is used; or in a probe: every `probeIntervalMs`, if calls are being refused,
 * the limit falls to a quarter until what was queued has drained and ten calls were measured. Where nobody is refused nothing
 * is probed, so a service with enough capacity never notices.
 *
 * Only calls that began under the present limit speak of it. Pure: time is an argument, state changes by arithmetic on it.
 */
export class GradientLimit {
  readonly #policy: GradientPolicy;
  readonly #random: () => number;
  #limit: number;
  /** An average call without load, in ms; 0 until known. */
  #unloadedMs = 0;
  /** The last window's average, in ms. */
  #recentMs = 0;
  /** The window: calls that began at `#since` or later. */
  #since = -Infinity;
  #samples = 0;
  #sumMs = 0;
  #overloads = 0;
  #mostInFlight = 0;
  #refused = false;
  #probeAt = Infinity;
  /** The limit to go back to; 0 while nothing is probed. */
  #afterProbe = 0;

  constructor(policy: GradientPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
    this.#limit = policy.initialLimit;
  }

  /** Whole, >= 1. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  get unloadedMs(): number {
    return this.#unloadedMs;
  }

  get recentMs(): number {
    return this.#recentMs;
  }

  get probing(): boolean {
    return this.#afterProbe > 0;
  }

  /** One began, as the `inFlight`th. */
  started(inFlight: number): void {
    if (inFlight > this.#mostInFlight) this.#mostInFlight = inFlight;
  }

  /** One was not let in. */
  refused(): void {
    this.#refused = true;
  }

  /** One ended that says something about the time it takes. */
  took(startedAt: number, now: number): void {
    if (!this.#counts(startedAt, now)) return;
    this.#samples += 1;
    this.#sumMs += now - startedAt;
    this.#review(now);
  }

  /** One was answered by a request for less. */
  overloaded(startedAt: number, now: number): void {
    if (!this.#counts(startedAt, now)) return;
    this.#overloads += 1;
    this.#review(now);
  }

  #counts(startedAt: number, now: number): boolean {
    // A clock that went back would make the window last until it is here again.
    if (now < this.#since - this.#policy.probeIntervalMs) this.#begin(now);
    if (this.#since === -Infinity) this.#since = startedAt;
    return startedAt >= this.#since && now >= startedAt;
  }

  #review(now: number): void {
    if (this.#samples + this.#overloads < MIN_SAMPLES || now - this.#since < this.#policy.windowMs) return;
    if (this.#samples > 0) this.#recentMs = this.#sumMs / this.#samples;
    if (this.probing) this.#endProbe(now);
    else if (this.#mostInFlight < this.#limit / 2) this.#learnIdle();
    else this.#adapt();
    if (this.#probeAt === Infinity || this.#probeAt - now > 2 * this.#policy.probeIntervalMs) this.#schedule(now);
    const binds = this.#refused;
    this.#begin(now);
    if (now >= this.#probeAt && binds) this.#beginProbe(now);
  }

  #adapt(): void {
    const { minLimit, maxLimit, toleranceRatio } = this.#policy;
    if (this.#samples > 0) this.#learnBetter();
    const ratio = this.#samples > 0 ? (toleranceRatio * this.#unloadedMs) / Math.max(this.#recentMs, 1e-9) : 1;
    const gradient = Math.max(STEEPEST, Math.min(this.#overloads > 0 ? AFTER_OVERLOAD : 1, ratio));
    const headroom = this.#overloads > 0 ? 0 : Math.max(4, Math.sqrt(this.#limit));
    this.#limit = Math.max(minLimit, Math.min(maxLimit, this.#limit * gradient + headroom));
  }

  #learnBetter(): void {
    if (this.#unloadedMs === 0) {
      // A process that starts under load has not seen the time without it yet.
      this.#unloadedMs = this.#recentMs;
      this.#probeAt = -Infinity;
    } else if (this.#recentMs < this.#unloadedMs) this.#unloadedMs += (this.#recentMs - this.#unloadedMs) * BELIEF;
  }

  #learnIdle(): void {
    if (this.#samples === 0) return;
    const learnt = this.#unloadedMs + (this.#recentMs - this.#unloadedMs) * IDLE_BELIEF;
    this.#unloadedMs = this.#unloadedMs === 0 ? this.#recentMs : Math.min(learnt, this.#unloadedMs * IDLE_RISE);
  }

  #beginProbe(now: number): void {
    this.#afterProbe = this.#limit;
    this.#limit = Math.max(this.#policy.minLimit, this.#limit * PROBE_SHARE);
    // What began before, and what began behind it, has waited.
    this.#since = now + this.#recentMs;
  }

  #endProbe(now: number): void {
    if (this.#samples > 0) this.#unloadedMs = Math.min(this.#recentMs, this.#unloadedMs * MOST_RISE || Infinity);
    this.#limit = this.#afterProbe;
    this.#afterProbe = 0;
    this.#schedule(now);
  }

  #schedule(now: number): void {
    this.#probeAt = now + this.#policy.probeIntervalMs * (1 + JITTER * this.#random());
  }

  #begin(now: number): void {
    this.#since = now;
    this.#samples = 0;
    this.#sumMs = 0;
    this.#overloads = 0;
    this.#mostInFlight = 0;
    this.#refused = false;
  }
}
