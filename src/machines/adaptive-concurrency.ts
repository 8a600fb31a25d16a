import * as check from '../core/check.js';
import { refused, type FairleadError } from '../core/errors.js';
import { REFUSED, type Gate } from '../core/gate.js';
import type { Outcome } from '../core/outcome.js';
import { rejectedSoon } from '../core/rejected-soon.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import { GradientLimit, type GradientPolicy } from './gradient-limit.js';
import { Slots } from './slots.js';

export interface AdaptiveConcurrencyOptions {
  /** How many may be in flight at first, 1–100 000. @default 20 (Netflix) */
  readonly initialLimit?: number | undefined;
  /** Never fewer, 1–100 000. @default 4 */
  readonly minLimit?: number | undefined;
  /** Never more, 1–100 000. @default 1_000 (Envoy) */
  readonly maxLimit?: number | undefined;
  /** Taking this times the time without load is not yet queueing, 1–10. @default 1.5 (Netflix) */
  readonly toleranceRatio?: number | undefined;
  /** How often the limit moves at most, in ms, 1–60 000. @default 100 (Envoy) */
  readonly windowMs?: number | undefined;
  /** How often the time without load is measured anew, while calls are refused, in ms, 1 000–3 600 000. @default 30_000 */
  readonly probeIntervalMs?: number | undefined;
}

export const ADAPTIVE_CONCURRENCY_DEFAULTS: GradientPolicy = Object.freeze({
  initialLimit: 20,
  minLimit: 4,
  maxLimit: 1_000,
  toleranceRatio: 1.5,
  windowMs: 100,
  probeIntervalMs: 30_000,
});

const RANGES: Record<keyof GradientPolicy, check.Range> = {
  initialLimit: { min: 1, max: 100_000, integer: true },
  minLimit: { min: 1, max: 100_000, integer: true },
  maxLimit: { min: 1, max: 100_000, integer: true },
  toleranceRatio: { min: 1, max: 10 },
  windowMs: { min: 1, max: 60_000 },
  probeIntervalMs: { min: 1_000, max: 3_600_000 },
};

/** The checks, with the name under which the options were given. */
export const adaptivePolicy = (
  path: string,
  given: AdaptiveConcurrencyOptions & { readonly runtime?: unknown },
): GradientPolicy => {
  const known = [...Object.keys(RANGES), 'runtime'];
  const values = check.object(path, given, { known, hint: '; write { maxLimit: 200 }' });
  for (const [key, range] of Object.entries(RANGES)) check.number(`${path}.${key}`, values[key], range);
  const policy = check.filled(ADAPTIVE_CONCURRENCY_DEFAULTS, given);
  // One bound that was given goes before the other one's default, and before where to begin.
  const minLimit = given.minLimit ?? Math.min(policy.minLimit, policy.maxLimit);
  const maxLimit = given.maxLimit ?? Math.max(policy.maxLimit, minLimit);
  if (minLimit > maxLimit)
    throw new RangeError(`${path}: expected minLimit <= maxLimit, got ${minLimit} > ${maxLimit}`);
  return { ...policy, minLimit, maxLimit, initialLimit: Math.max(minLimit, Math.min(maxLimit, policy.initialLimit)) };
};

/**
 * A limit on what is in flight that finds itself: it grows while calls take as long as they do without load, and shrinks as
 * soon as they begin to queue. Use it for a service whose capacity nobody knows, or that has no bound of its own on what it
 * queues; not where calls differ in length by orders of magnitude from one minute to the next, nor where one process makes only
 * a few calls at a time.
 *
 * A `Gate`: `enter`, then `leave` with the outcome; or `execute`. Throws a TypeError or RangeError that names the option when
 * one is wrong.
 *
 * ```ts
 * const limit = adaptiveConcurrency({ maxLimit: 200 });
 * const rows = await limit.execute(() => database.query('…'));
 * ```
 */
export const adaptiveConcurrency = (
  options: AdaptiveConcurrencyOptions & { readonly runtime?: Runtime | undefined } = {},
): AdaptiveConcurrency => {
  const policy = adaptivePolicy('adaptiveConcurrency', options);
  check.hasMethods('adaptiveConcurrency.runtime', options.runtime, ['now', 'random']);
  return new AdaptiveConcurrency(policy, options.runtime ?? systemRuntime);
};

export interface AdaptiveConcurrencySnapshot {
  readonly limit: number;
  readonly inFlight: number;
  /** What a call takes without load, in ms; null until measured. */
  readonly unloadedMs: number | null;
  /** What calls took lately, in ms; null until measured. */
  readonly recentMs: number | null;
  /** The time without load is being measured: the limit is low for a moment. */
  readonly probing: boolean;
}

/** Made by `adaptiveConcurrency()`. */
export class AdaptiveConcurrency implements Gate {
  readonly #gradient: GradientLimit;
  readonly #runtime: Runtime;
  readonly #slots = new Slots();

  constructor(policy: GradientPolicy, runtime: Runtime) {
    this.#gradient = new GradientLimit(policy, () => runtime.random());
    this.#runtime = runtime;
  }

  get limit(): number {
    return this.#gradient.limit;
  }

  get inFlight(): number {
    return this.#slots.size;
  }

  get availableAt(): number {
    return this.inFlight < this.limit ? 0 : Infinity;
  }

  enter(now = this.#runtime.now()): number {
    if (this.#slots.size >= this.#gradient.limit) {
      this.#gradient.refused();
      return REFUSED;
    }
    const ticket = this.#slots.take(now);
    this.#gradient.started(this.#slots.size);
    return ticket;
  }

  /** A failure counts by its time only if it was slow: one that comes at once must not make the service look fast. */
  leave(ticket: number, outcome: Outcome, now = this.#runtime.now()): void {
    const startedAt = this.#slots.leave(ticket);
    if (Number.isNaN(startedAt) || outcome === 'ignored') return;
    if (outcome === 'overload') this.#gradient.overloaded(startedAt, now);
    else if (outcome === 'success' || now - startedAt > this.#gradient.recentMs) this.#gradient.took(startedAt, now);
  }

  /** Runs `fn` if there is room; else rejects with BULKHEAD_FULL. What it throws counts as a failure. */
  execute<T>(fn: () => Promise<T> | T): Promise<T> {
    const ticket = this.enter();
    return ticket === REFUSED ? rejectedSoon(this.refusal('')) : this.#run(fn, ticket);
  }

  async #run<T>(fn: () => Promise<T> | T, ticket: number): Promise<T> {
    let outcome: Outcome = 'failure';
    try {
      const result = await fn();
      outcome = 'success';
      return result;
    } finally {
      this.leave(ticket, outcome);
    }
  }

  refusal(service: string): FairleadError {
    const who = service === '' ? '' : `${service}: `;
    const { unloadedMs, recentMs } = this.#gradient;
    const why =
      recentMs > 0 ? `: lately ${Math.round(recentMs)} ms each, ${Math.round(unloadedMs)} ms without load` : '';
    const message = `${who}adaptive limit reached, ${this.inFlight} in flight${why}`;
    return refused('BULKHEAD_FULL', message, { service });
  }

  snapshot(): AdaptiveConcurrencySnapshot {
    const { limit, unloadedMs, recentMs, probing } = this.#gradient;
    return { limit, inFlight: this.inFlight, unloadedMs: rounded(unloadedMs), recentMs: rounded(recentMs), probing };
  }
}

const rounded = (ms: number): number | null => (ms > 0 ? Math.round(ms * 1_000) / 1_000 : null);
