import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import type { ServiceInstance } from '../core/instance.js';
import { FAILURE, type Verdict } from '../core/outcome.js';
import type { BodyObserver } from '../core/watched-body.js';
import { PeakEwma } from '../machines/peak-ewma.js';
import { Ejection } from './ejection.js';
import type { Attempt, EjectionHost } from './ejection-host.js';
import type { Peers } from './peers.js';
import { nextStepAfter, warmth } from './slow-start.js';

/** Response times forget with this time constant (Finagle, Envoy and go-zero agree on 10 s). */
const LATENCY_TAU_MS = 10_000;

/** An Endpoint as the pool keeps it: it alone writes here. */
export class PooledEndpoint implements Endpoint {
  instance: ServiceInstance;
  weight = 0;
  inFlight = 0;
  successRatio = 1;
  /** 0 until an attempt was measured. */
  measuredMs = 0;
  /** False once the registry lists it no more. */
  listed = true;
  lastStartedAt = -Infinity;
  /** Responses whose body broke after the headers had come: counted apart, since the attempt had been answered. */
  bodiesFailed = 0;
  /** The registry dropped it in a mass loss; it serves until the loss is confirmed. */
  held = false;
  readonly health: Ejection;
  /** What it shares with the others of its pool. */
  readonly peers: Peers;
  readonly #latency = new PeakEwma(LATENCY_TAU_MS);
  readonly #alone: readonly Endpoint[] = Object.freeze([this]);
  #warmFrom = 0;
  #warmMs = 0;

  constructor(
    instance: ServiceInstance,
    parts: { host: (self: PooledEndpoint) => EjectionHost; peers: Peers; now: number },
  ) {
    this.instance = instance;
    this.peers = parts.peers;
    this.health = new Ejection(parts.host(this), parts.now);
  }

  get latencyMs(): number {
    return this.measuredMs || this.peers.latencyMs;
  }

  get availableAt(): number {
    return this.health.availableAt;
  }

  /** Starts to take a growing share of its weight. */
  warmUp(warmMs: number, now: number): void {
    // One that was still new when it fell ill is not warm any sooner for that.
    if (now + warmMs < this.#warmFrom + this.#warmMs) return;
    this.#warmFrom = now;
    this.#warmMs = warmMs;
  }

  /** Sets the weight that applies now; true if it changed. */
  reweigh(now: number): boolean {
    const weight = this.instance.weight * warmth(now - this.#warmFrom, this.#warmMs);
    if (weight === this.weight) return false;
    this.weight = weight;
    return true;
  }

  /** Monotonic ms of the next change that time alone brings. */
  reviewAt(now: number): number {
    const { availableAt } = this;
    return Math.min(
      availableAt > now ? availableAt : Infinity,
      this.#warmFrom + nextStepAfter(now - this.#warmFrom, this.#warmMs),
    );
  }

  started(call: Call): void {
    this.inFlight += 1;
    this.lastStartedAt = call.now;
    this.peers.stalls.began(call.now);
    // Most calls try one endpoint: they share the list of it.
    call.tried = call.tried.length === 0 ? this.#alone : [...call.tried.filter(tried => tried !== this), this];
  }

  settled(attempt: Attempt, verdict: Verdict, now: number): void {
    const { peers } = this;
    this.inFlight -= 1;
    peers.stalls.ended();
    this.#measured(attempt.durationMs, verdict, now);
    this.health.leave(attempt, verdict, now);
    this.successRatio = 1 - this.health.window.failureRatio(now);
    if (verdict.unsent && this.held) peers.refused(this.instance);
    if (now >= peers.reviewAt) peers.review(now);
  }

  /** An attempt was answered, and is in flight until the body of its answer ended. */
  reading(ticket: number, over: () => void): BodyObserver {
    this.inFlight += 1;
    const ended = (): void => {
      this.inFlight -= 1;
      over();
    };
    return {
      ended,
      failed: () => {
        ended();
        const now = this.peers.now();
        // Late, and no probe's: that was the answer.
        this.health.leave({ ticket: ticket & ~1, durationMs: NaN }, FAILURE, now);
        this.successRatio = 1 - this.health.window.failureRatio(now);
      },
    };
  }

  #measured(durationMs: number, { outcome }: Verdict, now: number): void {
    // A failure that comes fast must not make its instance look fast; one that took long does make it look slow.
    const slowFailure = outcome === 'failure' && this.latencyMs > 0 && durationMs > this.latencyMs;
    if ((outcome !== 'success' && !slowFailure) || Number.isNaN(durationMs)) return;
    this.#latency.observe(Math.max(durationMs, 0.001), now);
    this.measuredMs = this.#latency.value;
  }

  /** The same place, a new process: what was learnt of the old one is forgotten, and it warms up. */
  reincarnate(instance: ServiceInstance, { now, warmMs }: { now: number; warmMs: number }): void {
    this.instance = instance;
    this.#latency.clear();
    this.measuredMs = 0;
    this.successRatio = 1;
    this.health.reset(now);
    this.warmUp(warmMs, now);
  }
}
