const SETTLED = Promise.resolve();

/**
 * A promise that rejects one turn later, when whoever gets it listens: one that is rejected before anybody does costs 1 µs,
 * for the bookkeeping of unhandled rejections. For what is refused often.
 */
export const rejectedSoon = (error: unknown): Promise<never> =>
  new Promise((_, reject) => void SETTLED.then(() => reject(error)));
