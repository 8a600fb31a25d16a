import type { Runtime } from '../../core/runtime.js';

export interface Bounds {
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  readonly signal?: AbortSignal | undefined;
  /** Aborts with the registry's end. */
  readonly closing?: AbortSignal | undefined;
}

/**
 * Runs `work`, and rejects as soon as time is up (with `late()`) or one of the signals aborts (with its reason): the
 * signal that `work` was handed aborts then too. Leaves nothing on the signals.
 */
export const bounded = <T>(
  { timeoutMs, runtime, signal, closing }: Bounds,
  late: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const life = new AbortController();
    const end = (reason: unknown): void => {
      reject(reason);
      life.abort(reason);
    };
    const abort = (): void => end(signal?.reason);
    const close = (): void => end(closing?.reason);
    const cancelTimer = runtime.after(timeoutMs, () => end(late()));
    signal?.addEventListener('abort', abort, { once: true });
    closing?.addEventListener('abort', close, { once: true });
    const settle = (): void => {
      cancelTimer();
      signal?.removeEventListener('abort', abort);
      closing?.removeEventListener('abort', close);
    };
    if (signal?.aborted) abort();
    else if (closing?.aborted) close();
    void (life.signal.aborted ? Promise.resolve() : work(life.signal).then(resolve, reject)).then(settle);
  });
