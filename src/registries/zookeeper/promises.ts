/** Ways to wait for several requests. */
const IN_FLIGHT = 50;

/** Rejects with the reason of an abort, whatever becomes of the work. */
export const untilAborted = <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
};

/** As Promise.all, but when one fails the other has ended too. */
export const settled = async <A, B>(one: A | Promise<A>, other: B | Promise<B>): Promise<readonly [A, B]> => {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
};

/** Reads each, 50 at once. What is read as undefined is left out. */
export const inBatches = async <T>(
  names: readonly string[],
  read: (name: string) => Promise<T | undefined> | undefined,
): Promise<Map<string, T>> => {
  const results = new Map<string, T>();
  const rest = names.values();
  const work = async (): Promise<void> => {
    for (const name of rest) {
      const result = await read(name);
      if (result !== undefined) results.set(name, result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, names.length) }, work));
  return results;
};
