import type { Runtime } from '../core/runtime.js';

export interface TestRuntimeOptions {
  /** Makes `random()` repeatable; any integer. @default 1 */
  readonly seed?: number | undefined;
  /** What `fetch` does; see `fakeFetch`. @default rejects: tests do not reach the network */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds since the epoch at the start. @default 2026-01-01T00:00:00Z */
  readonly wallNow?: number | undefined;
}

export interface TestRuntime extends Runtime {
  /**
   * Moves time on: runs the timers that fall due, in order, and lets all promises settle between each. What they start
   * runs too, if it falls due within `ms`.
   */
  advance(ms: number): Promise<void>;
  /** Time passes and nothing runs, as while an event loop is blocked; what fell due meanwhile runs with the next `advance`. */
  block(ms: number): void;
  /** Lets all promises settle without moving time. */
  settle(): Promise<void>;
  /** Timers that wait to run: 0 shows that nothing was left behind. */
  readonly pendingTimers: number;
  fetch: typeof globalThis.fetch;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Turns of the microtask queue that a chain of promises may take between two timers. */
const TURNS = 24;

/**
 * A Runtime on virtual time with seeded chance: an hour passes in milliseconds, and twice the same.
 *
 * ```ts
 * const runtime = testRuntime({ fetch: fakeFetch(() => new Response('ok')) });
 * const users = createServiceClient({ service: 'users', registry, runtime });
 * const pending = users.fetch('/slow');
 * await runtime.advance(5_000);
 * ```
 */
export const testRuntime = (options: TestRuntimeOptions = {}): TestRuntime => new VirtualRuntime(options);

class VirtualRuntime implements TestRuntime {
  readonly random: () => number;
  fetch: typeof globalThis.fetch;
  readonly #timers = new Set<Timer>();
  readonly #startedAt: number;
  #now = 0;
  #order = 0;

  constructor({ seed = 1, fetch, wallNow = Date.UTC(2026, 0, 1) }: TestRuntimeOptions) {
    this.random = seededRandom(seed);
    this.#startedAt = wallNow;
    this.fetch = fetch ?? (() => Promise.reject(new TypeError('this test runtime was given no fetch')));
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  readonly now = (): number => this.#now;
  readonly wallNow = (): number => this.#startedAt + this.#now;

  readonly after = (ms: number, run: () => void): (() => void) => {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: (this.#order += 1), run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      function abort(): void {
        cancel();
        reject(signal?.reason);
      }
      signal?.addEventListener('abort', abort, { once: true });
    });

  block(ms: number): void {
    this.#now += ms;
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
    // Bodies and streams of the platform settle through the macrotask queue.
    await new Promise<void>(resolve => setImmediate(resolve));
    for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let next = this.#earliest(); next !== undefined && next.at <= until; next = this.#earliest()) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await this.settle();
    }
    this.#now = until;
    await this.settle();
  }

  #earliest(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    return first;
  }
}

/** Numbers in [0, 1), the same for the same seed: mulberry32. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed | 0;
  return function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
