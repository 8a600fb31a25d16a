/** The caller: a steady stream of calls that does not wait for answers, and its own books on how they ended. */
import type { ServiceClient } from 'fairlead';
import { quantile, Recent } from './recent.js';

const PER_SECOND = 300;
const TICK_MS = 10;
/** After a stall of this process no more than these are made up for: a burst of new connections would stall it again. */
const MOST_AT_ONCE = 30;
/** Every tenth call is a POST, without an Idempotency-Key: the kind that must not be sent twice. */
const POST_EVERY = 10;

export interface Count {
  ok: number;
  failed: number;
}

export interface Totals {
  /** Idempotent: fairlead may try them again. */
  readonly gets: Readonly<Count>;
  readonly posts: Readonly<Count>;
  readonly retries: number;
  /** Of the GETs that were answered, from the call up to the end of the body. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** POSTs whose work was done more than once. */
  readonly processedTwice: number;
  /** Calls that were not made because this process was held up. */
  readonly skipped: number;
  /** What the failed GETs said. */
  readonly complaints: readonly string[];
}

export class Load {
  readonly #client: ServiceClient;
  readonly #gets: Count = { ok: 0, failed: 0 };
  readonly #posts: Count = { ok: 0, failed: 0 };
  readonly #complaints = new Set<string>();
  readonly #times: number[] = [];
  readonly #recentTimes = new Recent();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #timesProcessed = new Map<string, number>();
  #retries = 0;
  #started = 0;
  #skipped = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: ServiceClient) {
    this.#client = client;
    client.on('call.retried', () => (this.#retries += 1));
  }

  start(): void {
    const startedAt = performance.now();
    this.#timer = setInterval(() => {
      // By the clock, not by the tick: timers come late on a busy machine.
      const due = Math.floor(((performance.now() - startedAt) / 1_000) * PER_SECOND);
      const late = due - this.#started - this.#skipped;
      this.#skipped += Math.max(0, late - MOST_AT_ONCE);
      for (let n = Math.min(late, MOST_AT_ONCE); n > 0; n -= 1) this.#begin();
    }, TICK_MS);
  }

  /** Starts no more calls; resolves when the last one has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#inFlight);
  }

  /** An instance did the work of this POST. */
  processed(id: string): void {
    this.#timesProcessed.set(id, (this.#timesProcessed.get(id) ?? 0) + 1);
  }

  /** The last second. */
  recently(now: number): { readonly perSecond: number; readonly p50Ms?: number; readonly p99Ms?: number } {
    const times = this.#recentTimes.values(now);
    if (times.length === 0) return { perSecond: 0 };
    return { perSecond: times.length, p50Ms: quantile(times, 0.5)!, p99Ms: quantile(times, 0.99)! };
  }

  totals(): Totals {
    return {
      gets: this.#gets,
      posts: this.#posts,
      retries: this.#retries,
      p50Ms: quantile(this.#times, 0.5),
      p99Ms: quantile(this.#times, 0.99),
      processedTwice: [...this.#timesProcessed.values()].filter(times => times > 1).length,
      skipped: this.#skipped,
      complaints: [...this.#complaints],
    };
  }

  counts(): { readonly gets: Readonly<Count>; readonly posts: Readonly<Count>; readonly retries: number } {
    return { gets: this.#gets, posts: this.#posts, retries: this.#retries };
  }

  #begin(): void {
    this.#started += 1;
    const call = this.#call(this.#started).finally(() => this.#inFlight.delete(call));
    this.#inFlight.add(call);
  }

  /** Never rejects. */
  async #call(number: number): Promise<void> {
    const isPost = number % POST_EVERY === 0;
    const init = isPost ? { method: 'POST', headers: { 'x-order-id': String(number) }, body: '{"items":1}' } : {};
    const count = isPost ? this.#posts : this.#gets;
    const startedAt = performance.now();
    try {
      const response = await this.#client.fetch(isPost ? '/orders' : `/orders/${number}`, init);
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`status ${response.status}`);
      const now = performance.now();
      count.ok += 1;
      if (!isPost) this.#times.push(now - startedAt);
      this.#recentTimes.add(now - startedAt, now);
    } catch (error) {
      count.failed += 1;
      if (!isPost) this.#complaints.add(reasonOf(error));
    }
  }
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
};
