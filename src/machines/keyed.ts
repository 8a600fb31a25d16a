import { createHash } from 'node:crypto';
import * as check from '../core/check.js';
import { guard } from '../core/guard.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import { rateLimited, type Limiter, type LimiterSnapshot } from './limiter.js';

export interface KeyedOptions {
  /** Keys that are counted at the same time, 1–1 000 000. @default 10_000 */
  readonly maxKeys?: number | undefined;
  /** Whose clock counts. @default the system's, or that of the first client which uses it */
  readonly runtime?: Runtime | undefined;
}

/** What decides which limiter applies; `undefined`: none does. */
export type LimiterKey<S> = (subject: S) => string | undefined;

/** A longer key is kept as its digest: who may choose keys cannot choose how much memory they take. */
const LONGEST_KEY = 128;
/** Keys that may be forgotten, looked at for each one that is new: the table shrinks while traffic changes. */
const STEPS = 2;
/** How often all keys are looked at, at most, while there is no room. */
const SWEEP_MS = 1_000;

/**
 * A limiter for each key: a tenant, a user, a path. Memory is bounded by `maxKeys` limiters. A key is forgotten only once its
 * limiter is as good as new, so nobody is forgiven early: when all are still being counted, a new key is refused (RATE_LIMITED)
 * until one of them may go. In a client the key is a function of the call; one without a key (`undefined`) is not limited. A
 * function that throws, or returns something else than a string, gives the empty key, with one warning of the process.
 *
 * @param make called for each new key
 *
 * ```ts
 * const perTenant = keyed(() => tokenBucket({ perSecond: 5, burst: 10 }), (tenant: string) => tenant);
 * if (!perTenant.of('acme')?.tryAcquire()) throw new Error('too many');
 * ```
 */
export const keyed = <S>(make: () => Limiter, key: LimiterKey<S>, options: KeyedOptions = {}): KeyedLimiter<S> => {
  const form = { known: ['maxKeys', 'runtime'] };
  if (typeof make !== 'function')
    throw new TypeError('keyed: expected a function that makes a limiter; write keyed(() => tokenBucket({ … }), key)');
  if (typeof key !== 'function') throw new TypeError('keyed: expected a function that returns the key of a call');
  check.object('keyed', options, form);
  check.number('keyed.maxKeys', options.maxKeys, { min: 1, max: 1_000_000, integer: true });
  check.hasMethods('keyed.runtime', options.runtime, ['now', 'sleep']);
  return new KeyedLimiter(make, key, options);
};

/** Made by `keyed()`. */
export class KeyedLimiter<S> {
  readonly maxKeys: number;
  readonly #make: () => Limiter;
  readonly #key: LimiterKey<S>;
  readonly #guarded = guard('the key of a limiter');
  /** The least recently used first. */
  readonly #limiters = new Map<string, Limiter>();
  #runtime: Runtime | undefined;
  /** When keys are looked at again, monotonic ms. */
  #fullUntil = -Infinity;

  /** @internal */
  constructor(make: () => Limiter, key: LimiterKey<S>, { maxKeys = 10_000, runtime }: KeyedOptions) {
    this.maxKeys = maxKeys;
    this.#make = make;
    this.#key = key;
    this.#runtime = runtime;
  }

  /** Keys that are being counted. */
  get size(): number {
    return this.#limiters.size;
  }

  /** The limiter that applies; `undefined` where none does. One that refuses everything when there is no room. */
  of(subject: S, now = this.#now()): Limiter | undefined {
    const key = this.#keyOf(subject);
    if (key === undefined) return undefined;
    const known = this.#limiters.get(key);
    if (known !== undefined) {
      this.#limiters.delete(key);
      this.#limiters.set(key, known);
      return known;
    }
    this.#tidy(now);
    if (this.#limiters.size >= this.maxKeys)
      return new NoRoom(
        this.maxKeys,
        () => this.#fullUntil,
        () => this.#now(),
      );
    const limiter = this.#make();
    if (this.#runtime !== undefined) limiter.adopt?.(this.#runtime);
    this.#limiters.set(key, limiter);
    return limiter;
  }

  snapshot(): LimiterSnapshot {
    const [first] = this.#limiters.values();
    let waiting = 0;
    for (const limiter of this.#limiters.values()) waiting += limiter.snapshot().waiting;
    const rule = first === undefined ? 'for each key' : `${first.rule} for each key`;
    return { rule, available: null, waiting, keys: this.size };
  }

  adopt(runtime: Runtime): boolean {
    return (this.#runtime ??= runtime) === runtime;
  }

  #now(): number {
    return (this.#runtime ?? systemRuntime).now();
  }

  #keyOf(subject: S): string | undefined {
    const key = this.#guarded(() => {
      const own: unknown = this.#key(subject);
      if (own === undefined || typeof own === 'string') return { own };
      throw new TypeError(`expected a string or undefined, got ${typeof own}`);
    });
    const own = key === undefined ? '' : key.own;
    return own === undefined || own.length <= LONGEST_KEY ? own : createHash('sha256').update(own).digest('base64');
  }

  /** Forgets what may be forgotten: of the oldest a few, and all of them where there is no room else. */
  #tidy(now: number): void {
    let steps = STEPS;
    for (const [key, limiter] of this.#limiters) {
      if (steps === 0 || limiter.freshAt(now) > now) break;
      this.#limiters.delete(key);
      steps -= 1;
    }
    const waitMs = this.#fullUntil - now;
    if (this.#limiters.size < this.maxKeys || (waitMs > 0 && waitMs <= SWEEP_MS)) return;
    this.#fullUntil = now + SWEEP_MS;
    for (const [key, limiter] of this.#limiters) {
      const freshAt = limiter.freshAt(now);
      if (freshAt <= now) this.#limiters.delete(key);
      else this.#fullUntil = Math.min(this.#fullUntil, freshAt);
    }
  }
}

/** Where all keys that fit are still being counted. */
class NoRoom implements Limiter {
  readonly rule: string;
  readonly #until: () => number;
  readonly #now: () => number;

  constructor(maxKeys: number, until: () => number, now: () => number) {
    this.rule = `${maxKeys} keys at once`;
    this.#until = until;
    this.#now = now;
  }

  tryAcquire(): boolean {
    return false;
  }

  acquire(): Promise<void> {
    return Promise.reject(rateLimited(`rate limited: ${this.rule}`, this.delayMs()));
  }

  delayMs(_n = 1, now = this.#now()): number {
    return Math.max(0, this.#until() - now);
  }

  giveBack(): void {}

  freshAt(): number {
    return Infinity;
  }

  snapshot(): LimiterSnapshot {
    return { rule: this.rule, available: 0, waiting: 0, keys: null };
  }
}
