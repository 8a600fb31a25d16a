import { performance as nodeClock } from 'node:perf_hooks';

/**
 * The only door to time, chance and the network. Everything that needs one of them is handed a Runtime,
 * so that tests and simulations run on virtual time with seeded chance.
 */
export interface Runtime {
  /** Monotonic milliseconds, for durations. Never a wall clock: it cannot jump. */
  now(): number;
  /** Milliseconds since the epoch, only for dates that are read from or written to the wire. */
  wallNow(): number;
  /** A number in [0, 1). */
  random(): number;
  /**
   * Resolves after `ms`; rejects with `signal.reason` as soon as the signal aborts. For waits that somebody awaits: it keeps
   * the process alive. The background waits with `pause`.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `run` once after `ms` and returns how to cancel that. The timer never keeps the process alive. */
  after(ms: number, run: () => void): () => void;
  fetch: typeof globalThis.fetch;
}

/** Node clamps a longer timer to 1 ms, with a warning: a wait of 25 days is cut here instead. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Who replaces the clock replaces the timers too. `undefined`: both are replaced already. */
const nodeTimeout = globalThis.performance === nodeClock ? globalThis.setTimeout : undefined;

/**
 * The real clock, chance and network. It looks its functions up when it is called, so that a user's fake timers
 * and a replaced global `fetch` work.
 */
export const systemRuntime: Runtime = {
  // Node's global `performance` is a getter, which costs a third of a reading; to look at `setTimeout` costs nothing.
  now: () => (globalThis.setTimeout === nodeTimeout ? nodeClock : performance).now(),
  wallNow: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(wake, Math.min(ms, LONGEST_TIMER_MS));
      signal?.addEventListener('abort', abort, { once: true });
      function wake(): void {
        signal?.removeEventListener('abort', abort);
        resolve();
      }
      function abort(): void {
        clearTimeout(timer);
        reject(signal?.reason);
      }
    }),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, LONGEST_TIMER_MS));
    timer.unref?.();
    return () => clearTimeout(timer);
  },
  fetch: (input, init) => globalThis.fetch(input, init),
};
