import { RollingWindow } from './rolling-window.js';

export interface ThrottlePolicy {
  readonly k: number;
  readonly windowMs: number;
  readonly minCalls: number;
  readonly maxRejectRatio: number;
}

/** One in a second is always let through (go-zero): who is told nothing cannot learn that the service is back. */
const AT_LEAST_EVERY_MS = 1_000;

/**
 * Client-side throttling: who is refused by an overloaded service refuses himself, more and more, so that the service's time
 * goes into answers instead of refusals. Of what was asked lately, `k` times what the service accepted is sent; the rest is
 * refused here, by chance. Source: Google's SRE book, "Handling Overload": `max(0, (requests − k × accepts) / (requests + 1))`.
 *
 * Other than there, a request counts when its answer is known, not when it is sent: a first burst in flight has been accepted by
 * nobody yet, and is no reason to refuse. Pure: time is an argument.
 */
export class AdaptiveThrottle {
  readonly #policy: ThrottlePolicy;
  readonly #random: () => number;
  #window: RollingWindow;
  #passedAt = -Infinity;
  #newest = -Infinity;

  constructor(policy: ThrottlePolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
    this.#window = new RollingWindow(policy.windowMs);
  }

  /** May this one be sent? */
  admits(now: number): boolean {
    const ratio = this.rejectRatio(now);
    const overdue = now - this.#passedAt >= AT_LEAST_EVERY_MS;
    if (ratio === 0 || overdue || this.#random() >= ratio) {
      this.#passedAt = now;
      return true;
    }
    this.#window.record(true, now);
    return false;
  }

  /** It was answered: by the service's work, or by its refusal. */
  answered(accepted: boolean, now: number): void {
    this.#mind(now);
    this.#window.record(!accepted, now);
  }

  /** The share that is refused here, 0–1. */
  rejectRatio(now: number): number {
    this.#mind(now);
    const { k, minCalls, maxRejectRatio } = this.#policy;
    const requests = this.#window.total(now);
    if (requests < minCalls) return 0;
    const tooMany = requests * (1 - k * (1 - this.#window.failureRatio(now)));
    return tooMany <= 0 ? 0 : Math.min(maxRejectRatio, tooMany / (requests + 1));
  }

  /** What the window holds: asked, and accepted by the service. */
  counts(now: number): { readonly requests: number; readonly accepts: number } {
    const requests = this.#window.total(now);
    return { requests, accepts: Math.round(requests * (1 - this.#window.failureRatio(now))) };
  }

  /** A clock that was set back by more than a window would keep what it holds until it is here again. */
  #mind(now: number): void {
    if (now < this.#newest - this.#policy.windowMs) {
      this.#window = new RollingWindow(this.#policy.windowMs);
      this.#passedAt = -Infinity;
      this.#newest = now;
    } else if (now > this.#newest) this.#newest = now;
  }
}
