import type { Call } from '../core/call.js';
import { refused, type FairleadError } from '../core/errors.js';
import { REFUSED } from '../core/gate.js';
import type { Verdict } from '../core/outcome.js';
import { AdaptiveThrottle, type ThrottlePolicy } from '../machines/adaptive-throttle.js';
import type { Guard } from './guarded.js';

/** A service's throttle at one moment. */
export interface ThrottleSnapshot {
  /** The share of attempts that is refused here, 0–1. */
  readonly rejectRatio: number;
  /** Attempts of the window, those refused here included. */
  readonly requests: number;
  /** … that the service accepted: answered otherwise than by a request for less. */
  readonly accepts: number;
}

/** Client-side throttling as the pipeline sees it. What was never sent, or was answered by overload, was not accepted. */
export class ThrottleGuard implements Guard {
  readonly #throttle: AdaptiveThrottle;

  constructor(policy: ThrottlePolicy, random: () => number) {
    this.#throttle = new AdaptiveThrottle(policy, random);
  }

  enter(now: number): number {
    return this.#throttle.admits(now) ? 0 : REFUSED;
  }

  leave(_ticket: number, { outcome, unsent }: Verdict, now: number): void {
    if (outcome !== 'ignored') this.#throttle.answered(outcome !== 'overload' && !unsent, now);
  }

  refusal({ service, now }: Call): FairleadError {
    const { rejectRatio, requests, accepts } = this.snapshot(now);
    const share = `${Math.round(rejectRatio * 100)} % are refused here`;
    const why = `the service accepted ${accepts} of ${requests} lately`;
    return refused('THROTTLED', `${service}: throttled, ${share}: ${why}`, { service });
  }

  snapshot(now: number): ThrottleSnapshot {
    const rejectRatio = Math.round(this.#throttle.rejectRatio(now) * 1_000) / 1_000;
    return { rejectRatio, ...this.#throttle.counts(now) };
  }
}
