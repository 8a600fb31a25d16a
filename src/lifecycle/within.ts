import type { Runtime } from '../core/runtime.js';

/**
 * True when the work ended in time, false when not; rejects as it does. Work that comes late is not waited for, and its
 * failure is nobody's. Keeps the process alive, at most that long.
 */
export const within = async (runtime: Runtime, ms: number, work: () => Promise<unknown>): Promise<boolean> => {
  const timer = new AbortController();
  const late = runtime.sleep(ms, timer.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([work().then(() => true), late]);
  } finally {
    timer.abort();
  }
};
