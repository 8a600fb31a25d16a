const STEPS = 10;

/**
 * A new or returned instance takes its share step by step: 10 %, 20 % … of its weight over `warmMs`, so that cold caches
 * and pools do not meet full traffic. Linear from 10 % as in Envoy; in ten steps, so that weights change ten times only.
 */
export const warmth = (sinceMs: number, warmMs: number): number =>
  sinceMs >= warmMs ? 1 : Math.max(1, Math.floor((sinceMs / warmMs) * STEPS)) / STEPS;

/** Milliseconds after the start at which the warmth changes next; Infinity when it is complete. */
export const nextStepAfter = (sinceMs: number, warmMs: number): number =>
  sinceMs >= warmMs ? Infinity : (Math.max(1, Math.floor((sinceMs / warmMs) * STEPS)) + 1) * (warmMs / STEPS);
