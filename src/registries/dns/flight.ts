import { FairleadError } from '../../core/errors.js';
import type { Runtime } from '../../core/runtime.js';
import { lookUp, type Found, type Question } from './lookup.js';
import type { DnsSettings } from './options.js';

export interface Answer extends Found {
  /** When to ask again, on the clock of who asked. */
  readonly dueAt: number;
}

export interface FlightParts extends Omit<Question, 'resolver'> {
  readonly runtime: Runtime;
  /** Called once; undefined: there was no answer. */
  ended(answer: Answer | undefined): void;
}

/** So much of a TTL is added to it by chance, so that those who asked together do not ask together again. */
const JITTER = 0.2;

interface Settle {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/** One refresh under way: bounded in time, shared by all who wait for it, and ended when nobody does any more. */
export class Flight {
  readonly runtime: Runtime;
  readonly #answer: Promise<Answer>;
  #waiting = 0;
  #fail: (reason: unknown) => void = () => undefined;

  constructor(parts: FlightParts) {
    this.runtime = parts.runtime;
    this.#answer = new Promise((resolve, reject) => this.#start(parts, { resolve, reject }));
    // Everybody who waits may have gone when it fails.
    this.#answer.catch(() => undefined);
  }

  /** Rejects with the signal's reason as soon as that aborts. */
  async join(signal: AbortSignal | undefined): Promise<Answer> {
    this.#waiting += 1;
    try {
      return await unlessAborted(this.#answer, signal);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#fail(new Error('nobody waits any more'));
    }
  }

  #start(parts: FlightParts, { resolve, reject }: Settle): void {
    const { settings, service, runtime } = parts;
    const { resolver, cancel } = settings.open();
    let over = false;
    const end = (answer: Answer | undefined): boolean => {
      if (over) return false;
      over = true;
      stopTimer();
      cancel();
      parts.ended(answer);
      return true;
    };
    this.#fail = reason => void (end(undefined) && reject(reason));
    const stopTimer = runtime.after(settings.timeoutMs, () => {
      const what = `${settings.nameOf(service)} (${settings.type}): no whole answer within ${settings.timeoutMs} ms`;
      this.#fail(new FairleadError('REGISTRY_UNAVAILABLE', `${settings.label}: ${what}`, { service }));
    });
    lookUp({ ...parts, resolver }).then(
      found => {
        const answer = { ...found, dueAt: runtime.now() + freshMs(settings, found.ttlMs, runtime.random()) };
        if (end(answer)) resolve(answer);
      },
      error => this.#fail(error),
    );
  }
}

/** The TTL with its jitter, within the bounds. */
const freshMs = (settings: DnsSettings, ttlMs: number | undefined, chance: number): number => {
  const { minRefreshMs, maxRefreshMs, assumedTtlMs } = settings;
  const base = Math.max(minRefreshMs, Math.min(ttlMs ?? assumedTtlMs, maxRefreshMs / (1 + JITTER)));
  return Math.min(maxRefreshMs, base * (1 + JITTER * chance));
};

const unlessAborted = <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
};
