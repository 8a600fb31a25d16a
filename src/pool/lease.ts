import type { Balancer } from '../core/balancer.js';
import type { PickExplanation } from '../core/explanation.js';
import type { Outcome, Verdict } from '../core/outcome.js';
import { isWatched, WATCH_BODY, type WatchedResponse } from '../core/watched-body.js';
import type { Attempt } from './ejection-host.js';
import type { PooledEndpoint } from './endpoint.js';

/** An attempt that our own event loop held up for more than this share of it was not measured. */
const STALLED_RATIO = 0.1;

/**
 * The right to one attempt on one endpoint. Settled exactly once, however the attempt ends: in flight, latency, ejection
 * and balancer learn of it here and nowhere else.
 */
export class Lease implements Attempt {
  readonly endpoint: PooledEndpoint;
  readonly startedAt: number;
  readonly ticket: number;
  /** Attempts in flight there when it was picked, without this one. */
  readonly inFlight: number;
  /** Who else there was to pick, and by what numbers; kept only for who will be told. */
  pick: PickExplanation | undefined = undefined;
  /** In ms; NaN until it is settled, and where our own event loop stood still: nobody knows how long it really took. */
  durationMs = NaN;
  readonly #balancer: Balancer;
  #open = true;

  constructor(endpoint: PooledEndpoint, ticket: number, balancer: Balancer) {
    this.endpoint = endpoint;
    this.startedAt = endpoint.lastStartedAt;
    this.ticket = ticket;
    this.inFlight = endpoint.inFlight - 1;
    this.#balancer = balancer;
  }

  /** The longest time, in ms, for which our own event loop has stood still since the attempt began. */
  stalledMs(now: number): number {
    return this.endpoint.peers.stalls.longestMs(this.startedAt, now);
  }

  /** Did it stand still for so much of the attempt that its duration says nothing? */
  heldUp(now: number): boolean {
    return this.stalledMs(now) > (now - this.startedAt) * STALLED_RATIO;
  }

  /** @param result an answer whose body may still be coming: it is in flight until that has ended */
  settle(verdict: Verdict, now: number, result?: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    const { endpoint } = this;
    const tookMs = now - this.startedAt;
    const stalledMs = this.stalledMs(now);
    if (stalledMs <= tookMs * STALLED_RATIO) this.durationMs = tookMs;
    endpoint.settled(this, verdict, now);
    const reads = isWatched(result) && this.#reads(result, verdict.outcome, tookMs - stalledMs);
    if (!reads) this.#balancer.settled?.(endpoint, verdict.outcome, tookMs - stalledMs);
  }

  /** Apart, since a function that captures the times of an attempt costs each attempt. */
  #reads(response: WatchedResponse, outcome: Outcome, measuredMs: number): boolean {
    const { endpoint } = this;
    const balancer = this.#balancer;
    return response[WATCH_BODY](() =>
      endpoint.reading(this.ticket, () => balancer.settled?.(endpoint, outcome, measuredMs)),
    );
  }
}
