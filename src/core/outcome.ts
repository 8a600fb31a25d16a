/**
 * What one attempt says about the instance that served it. Decided once; retry, breaker, ejection, limiters and
 * metrics all read the same verdict.
 *
 * - `success`   it answered, and the answer is not a failure of the server.
 * - `failure`   it did not answer, or failed to do its work.
 * - `overload`  it is alive and asks for less (408, 429, 503 with `Retry-After`): not a reason to eject it.
 * - `ignored`   says nothing about the server: the caller aborted, we refused, or our deadline cut it too early.
 */
export type Outcome = 'success' | 'failure' | 'overload' | 'ignored';

export interface Verdict {
  readonly outcome: Outcome;
  /**
   * May another attempt help? `true`: if the call is idempotent. `'always'`: for any method, because nothing was
   * sent or the server said that it did not process the request. `false`: never.
   */
  readonly retryable: boolean | 'always';
  /** The failure counts in ratios only, not as one of several consecutive ones: a 500 may be one bad request. */
  readonly ratioOnly?: boolean;
  /** Nothing left this process (connection refused, name unknown): the first such retry waits for nothing. */
  readonly unsent?: boolean;
  /** It failed by taking too long: our timer ended it. */
  readonly timedOut?: boolean;
  /** The server asked to be left alone this long, in ms. */
  readonly retryAfterMs?: number;
  /** `retryAfterMs` speaks for the instance (503), so a retry may go elsewhere at once; else for the service (429). */
  readonly retryAfterScope?: 'instance' | 'service';
}

export const SUCCESS: Verdict = Object.freeze({ outcome: 'success', retryable: false });
export const IGNORED: Verdict = Object.freeze({ outcome: 'ignored', retryable: false });
/** No usable answer; another instance may have one. */
export const FAILURE: Verdict = Object.freeze({ outcome: 'failure', retryable: true });
export const TIMED_OUT: Verdict = Object.freeze({ outcome: 'failure', retryable: true, timedOut: true });
export const UNSENT: Verdict = Object.freeze({ outcome: 'failure', retryable: 'always', unsent: true });
/** The server answered that it failed: the request itself may be the cause, so it is not sent again. */
export const SERVER_ERROR: Verdict = Object.freeze({ outcome: 'failure', retryable: false, ratioOnly: true });
export const OVERLOAD: Verdict = Object.freeze({ outcome: 'overload', retryable: true });
