import type { RollingWindow } from '../machines/rolling-window.js';
import type { EjectionPolicy } from './ejection-policy.js';

interface Books {
  readonly window: RollingWindow;
  readonly state: { readonly consecutive: number };
  readonly now: number;
}

/** The rule by which an instance is to be out, with its numbers; `undefined` when it may go on. */
export const whyEject = (policy: EjectionPolicy, { window, state, now }: Books): string | undefined => {
  const { consecutiveFailures, failureRatio, slowCallMs, slowCallRatio, minCalls, windowMs } = policy;
  if (consecutiveFailures !== false && state.consecutive >= consecutiveFailures)
    return `${state.consecutive} failures in a row`;
  const total = window.total(now);
  if (total < minCalls) return undefined;
  const failed = window.failureRatio(now);
  if (failed >= failureRatio) return `${Math.round(failed * total)} of ${total} attempts failed in ${windowMs} ms`;
  const slow = window.slowRatio(now);
  if (slowCallMs === false || slow < slowCallRatio) return undefined;
  return `${Math.round(slow * total)} of ${total} attempts took ${slowCallMs} ms or more in ${windowMs} ms`;
};
