/**
 * Full-jitter back-off of every contact to a registry: of watches, reads, registrations and sessions. A try that hangs
 * (5 s), the longest pause after it (10 s) and the next try fit into the default TTL (15 s) + 2 s: that long after a
 * registry is back, at most, callers and registrations know it again, however long it was away.
 */
export const REGISTRY_BACKOFF = Object.freeze({ baseMs: 100, maxMs: 10_000 });
