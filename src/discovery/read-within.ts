import type { Runtime } from '../core/runtime.js';

/** One read of a registry, bounded in time whatever it does with its signal. Rejects with the signal's reason at its abort. */
export const readWithin = async <T>(
  read: (signal: AbortSignal) => PromiseLike<T> | T,
  { ms, runtime, signal }: { readonly ms: number; readonly runtime: Runtime; readonly signal: AbortSignal },
): Promise<T> => {
  signal.throwIfAborted();
  const reading = new AbortController();
  const abort = (): void => reading.abort(signal.reason);
  const cancel = runtime.after(ms, () => reading.abort(new Error(`no answer within ${ms} ms`)));
  signal.addEventListener('abort', abort, { once: true });
  const aborted = new Promise<never>((_resolve, reject) =>
    reading.signal.addEventListener('abort', () => reject(reading.signal.reason as Error), { once: true }),
  );
  try {
    return await Promise.race([read(reading.signal), aborted]);
  } finally {
    cancel();
    signal.removeEventListener('abort', abort);
  }
};
