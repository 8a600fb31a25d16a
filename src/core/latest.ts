/** One producer, one consumer, room for one value: what a watch yields, where only the newest set is worth reading. */
export interface Latest<T> {
  /** Replaces a value that nobody has read yet. Ignored after `fail` and after the signal's abort. */
  push(value: T): void;
  /** Ends the iteration with `error`, after a value that is still unread. The first one wins. */
  fail(error: unknown): void;
  /** For one consumer. Ends quietly, without an unread value, as soon as the signal aborts. */
  readonly iterable: AsyncIterable<T>;
}

/**
 * The bridge from a registry's callbacks to `Registry.watch`. A slow consumer costs memory for one value and reads the
 * newest only. It listens on the signal only while somebody waits for a value, so nothing is left behind on it.
 *
 * ```ts
 * async function* watch(service, { signal }) {
 *   const sets = latest<readonly ServiceInstance[]>(signal);
 *   const stop = client.onChange(service, sets.push, sets.fail);
 *   try {
 *     yield* sets.iterable;
 *   } finally {
 *     stop();
 *   }
 * }
 * ```
 */
export const latest = <T>(signal: AbortSignal): Latest<T> => {
  let unread: { readonly value: T } | undefined;
  let failure: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;

  const news = (): Promise<void> =>
    new Promise(resolve => {
      wake = (): void => {
        signal.removeEventListener('abort', wake!);
        wake = undefined;
        resolve();
      };
      signal.addEventListener('abort', wake);
    });

  async function* read(): AsyncGenerator<T, void, undefined> {
    while (!signal.aborted) {
      if (unread !== undefined) {
        const { value } = unread;
        unread = undefined;
        yield value;
      } else if (failure !== undefined) throw failure.error;
      else await news();
    }
  }

  return {
    push(value) {
      if (failure !== undefined || signal.aborted) return;
      unread = { value };
      wake?.();
    },
    fail(error) {
      failure ??= { error };
      wake?.();
    },
    iterable: { [Symbol.asyncIterator]: read },
  };
};
