import { refused, type FairleadError } from '../core/errors.js';
import type { Runtime } from '../core/runtime.js';

export interface AcquireOptions {
  /** Ends the wait; `acquire` then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** A wait that would be longer is refused at once, in ms, >= 0. @default Infinity */
  readonly maxWaitMs?: number | undefined;
}

/** A limiter at one moment, as plain JSON. */
export interface LimiterSnapshot {
  /** In words: `100/s, burst 20`. */
  readonly rule: string;
  /** Permits that could be taken now; null = no end of them, or a limiter for each key. */
  readonly available: number | null;
  /** Who waits in `acquire`. */
  readonly waiting: number;
  /** Keys that are being counted; null where there is one limiter for all. */
  readonly keys: number | null;
}

/**
 * Hands out permits at a rate. What `rateLimit` takes: `tokenBucket()` and `slidingWindow()` make one, and one may serve
 * several clients. All times are monotonic ms on its runtime's clock; who has just read that may hand the reading in.
 */
export interface Limiter {
  /** In words, for messages: `100/s, burst 20`. */
  readonly rule: string;
  /** Takes `n` permits (>= 0, whole, 1 by default) now, or none. False too while somebody waits: nobody overtakes. */
  tryAcquire(n?: number, now?: number): boolean;
  /**
   * Resolves holding `n` permits; first come, first served. Rejects with the signal's reason, or with RATE_LIMITED and
   * `retryAfterMs` when it would have to wait longer than `maxWaitMs`, or for ever because `n` is more than fits.
   */
  acquire(n?: number, options?: AcquireOptions): Promise<void>;
  /** How long until `n` permits could be had behind those who wait, in ms; 0 = now, Infinity = never. */
  delayMs(n?: number, now?: number): number;
  /** Gives back permits that were taken at `takenAt` and not used. */
  giveBack(n?: number, takenAt?: number): void;
  /** When it will be as good as new if nobody takes anything: from then on it may be forgotten. Infinity while somebody waits. */
  freshAt(now?: number): number;
  snapshot(now?: number): LimiterSnapshot;
  /**
   * A client tells it its runtime: a limiter that was made without one takes it. True if it runs on this one now, so that
   * the client's clock readings can be handed in.
   */
  adopt?(runtime: Runtime): boolean;
}

/**
 * How many permits there are, and when there will be more. Pure: time is an argument. A reading that is somewhat older than
 * the newest one counts as that one: it was taken before, and time must not be given twice.
 */
export interface Quota {
  /** The most that can be taken at once. */
  readonly most: number;
  /** Takes n now, or nothing. */
  take(n: number, now: number): boolean;
  /** Until n permits, one after the other, can have been taken, in ms. May be more than `most`. */
  delayMs(n: number, now: number): number;
  giveBack(n: number, takenAt: number, now: number): void;
  freshAt(now: number): number;
}

/** A clock that is further back than this was set back (or the process moved); less is a reading that comes late. */
export const SET_BACK_MS = 60_000;

/** The error of who asked for permits and cannot wait for them. */
export const rateLimited = (message: string, retryAfterMs: number, service?: string): FairleadError =>
  refused('RATE_LIMITED', message, {
    service,
    retryAfterMs: Number.isFinite(retryAfterMs) ? Math.ceil(retryAfterMs) : undefined,
  });

/** A number of permits; anything else would corrupt the count for everybody. */
export const checkPermits = (n: number): void => {
  if (n === 1 || (Number.isInteger(n) && n >= 0)) return;
  const message = `permits: expected a whole number >= 0, got ${String(n)}`;
  throw typeof n === 'number' ? new RangeError(message) : new TypeError(message);
};
