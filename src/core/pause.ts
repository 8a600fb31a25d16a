import type { Runtime } from './runtime.js';

/**
 * A wait of the background, which nobody's call depends on: other than `runtime.sleep` it does not keep the process alive.
 * Rejects with `signal.reason` as soon as the signal aborts.
 */
export const pause = (runtime: Runtime, ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = runtime.after(ms, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
  });

/**
 * Keeps the process alive until the returned function is called: for a promise that a caller awaits while the only work
 * towards it is the background's. Without it, Node would leave in the middle of an `await`.
 */
export const holdProcess = (runtime: Runtime): (() => void) => {
  const held = new AbortController();
  runtime.sleep(Number.MAX_SAFE_INTEGER, held.signal).catch(() => undefined);
  return () => held.abort();
};
