/**
 * Bounded waiting on real time, for tests that talk to real servers. Not for unit tests: those advance a virtual clock.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Give up after this long. @default 10000 */
  readonly withinMs?: number;
  /** Pause between two attempts. @default 50 */
  readonly everyMs?: number;
  /** Ends the sentence "gave up after 10000 ms waiting for …". @default 'the condition' */
  readonly what?: string;
}

/**
 * Repeats `attempt` until it neither throws nor gives `false`, and gives what it gave. So both an `expect` inside and
 * a plain boolean work. The last thrown error is the `cause` of the final one.
 */
export async function eventually<Value>(
  attempt: () => Value | Promise<Value>,
  options: EventuallyOptions = {},
): Promise<Exclude<Value, false>> {
  const { withinMs = 10_000, everyMs = 50, what = 'the condition' } = options;
  const endsAt = performance.now() + withinMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await withDeadline(attempt, endsAt - performance.now());
      if (value !== false) return value as Exclude<Value, false>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() + everyMs >= endsAt) break;
    await sleep(everyMs);
  }
  const last = lastError instanceof Error ? `: ${lastError.message}` : '';
  throw new Error(`gave up after ${withinMs} ms waiting for ${what}${last}`, { cause: lastError });
}

/** A paused server may never answer; an attempt that hangs must not outlive the wait. */
async function withDeadline<Value>(attempt: () => Value | Promise<Value>, leftMs: number): Promise<Value> {
  const timer = new AbortController();
  const late = sleep(Math.max(leftMs, 1), undefined, { signal: timer.signal }).then(() => {
    throw new Error('the last attempt did not end');
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([Promise.resolve().then(attempt), late]);
  } finally {
    timer.abort();
  }
}
