/**
 * How soon the next read may start, for a server that answers blocking queries at once: out of order, too old, or
 * changing all the time. Ten reads at once, then ten a second; a server that blocks is never waited for.
 * The generic cell rate algorithm: one number, no timer.
 */
export const PACE_MS = 100;
const BURST = 10;

/** Returns how long to wait, in ms, before the read that is asked for. */
export const pacer = (): ((now: number) => number) => {
  let dueAt = -Infinity;
  return now => {
    const waitMs = Math.max(0, dueAt - BURST * PACE_MS - now);
    dueAt = Math.max(dueAt, now) + PACE_MS;
    return waitMs;
  };
};
