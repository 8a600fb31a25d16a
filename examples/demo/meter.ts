/** What each instance gets and how it answers, measured over the last second from the client's own events. */
import type { ServiceClient } from 'fairlead';
import { quantile, Recent, SECOND_MS } from './recent.js';

/** One instance, as the caller's fairlead sees it. */
export interface Seen {
  readonly id: string;
  readonly state: 'serving' | 'out' | 'trial';
  /** Of the attempts that began in the last second, 0-1. */
  readonly share: number;
  /** Median of the attempts that ended in the last second; absent if none did. */
  readonly latencyMs?: number | undefined;
  /** What the balancer expects of it. */
  readonly expectedMs: number;
  readonly inFlight: number;
  readonly reason: string | null;
  /** It is tried again after so long. */
  readonly availableInMs: number;
}

interface Sample {
  readonly at: number;
  /** How many attempts each instance was given up to then. */
  readonly begun: ReadonlyMap<string, number>;
}

export class Meter {
  readonly #client: ServiceClient;
  readonly #ended = new Map<string, number>();
  readonly #latencies = new Map<string, Recent>();
  #samples: Sample[] = [];

  constructor(client: ServiceClient) {
    this.#client = client;
    client.on('attempt.ended', ({ instance, durationMs }) => {
      this.#ended.set(instance, (this.#ended.get(instance) ?? 0) + 1);
      const latencies = this.#latencies.get(instance) ?? new Recent();
      this.#latencies.set(instance, latencies);
      latencies.add(durationMs, performance.now());
    });
  }

  look(now: number): readonly Seen[] {
    const { instances } = this.#client.snapshot();
    // What began is what ended and what is still under way.
    const begun = new Map(instances.map(({ id, inFlight }) => [id, (this.#ended.get(id) ?? 0) + inFlight]));
    this.#samples.push({ at: now, begun });
    this.#samples = this.#samples.filter(({ at }) => at >= now - SECOND_MS - 1);
    const before = this.#samples[0]!.begun;
    const given = (id: string): number => (begun.get(id) ?? 0) - (before.get(id) ?? 0);
    const all = instances.reduce((sum, { id }) => sum + given(id), 0);
    return instances.map(instance => ({
      id: instance.id,
      state: instance.state,
      share: all === 0 ? 0 : given(instance.id) / all,
      latencyMs: quantile(this.#latencies.get(instance.id)?.values(now) ?? [], 0.5),
      expectedMs: instance.latencyMs,
      inFlight: instance.inFlight,
      reason: instance.reason,
      availableInMs: instance.availableInMs,
    }));
  }
}
