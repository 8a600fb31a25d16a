/** When a circuit opens, for how long, and what closes it again. */
export interface BreakerPolicy {
  readonly failureRatio: number | false;
  readonly minCalls: number;
  readonly windowMs: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
  readonly probes: number;
  readonly successesToClose: number;
  readonly consecutiveFailures: number | false;
  readonly slowCallMs: number | false;
  readonly slowCallRatio: number;
}

/** What the rules judge by: the window, since the circuit closed last. */
export interface BreakerCounts {
  /** Admitted in the window, or ended in it, whichever are more: one in flight has not failed. */
  readonly calls: number;
  readonly failures: number;
  readonly slowCalls: number;
  /** Failures in a row; those that count in ratios only are passed over. */
  readonly consecutiveFailures: number;
}

/**
 * Why the circuit opens now; `undefined`: it does not. All comparisons are "at least".
 *
 * @param works spares the circuit when its failure ratio alone would open it
 */
export const reasonToOpen = (
  policy: BreakerPolicy,
  counts: BreakerCounts,
  works: () => boolean = () => false,
): string | undefined => {
  const { calls, failures, slowCalls, consecutiveFailures } = counts;
  if (policy.consecutiveFailures !== false && consecutiveFailures >= policy.consecutiveFailures)
    return `${consecutiveFailures} ${consecutiveFailures === 1 ? 'failure' : 'failures in a row'}`;
  if (calls < policy.minCalls) return undefined;
  if (policy.failureRatio !== false && failures > 0 && failures >= policy.failureRatio * calls && !works())
    return `${failures} of ${calls} attempts failed${within(policy)}`;
  if (policy.slowCallMs !== false && slowCalls > 0 && slowCalls >= policy.slowCallRatio * calls)
    return `${slowCalls} of ${calls} attempts took ${duration(policy.slowCallMs)} or longer${within(policy)}`;
  return undefined;
};

export const isSlow = ({ slowCallMs }: BreakerPolicy, ms: number): boolean => slowCallMs !== false && ms >= slowCallMs;

/** The open time grows with each trial that failed. */
export const openTime = ({ openMs, maxOpenMs }: BreakerPolicy, failedTrials: number): number =>
  openMs === 0 ? 0 : Math.min(maxOpenMs, openMs * 2 ** failedTrials);

/** So long a trial waits for probes that never end, before it lets another one through. */
export const patienceMs = ({ openMs }: BreakerPolicy): number => Math.max(1_000, openMs);

const within = ({ windowMs }: BreakerPolicy): string => (windowMs === Infinity ? '' : ` in ${duration(windowMs)}`);

/** Milliseconds for people: whole seconds as such. */
const duration = (ms: number): string => (ms > 0 && ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`);
