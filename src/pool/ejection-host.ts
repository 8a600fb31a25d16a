import type { EjectionPolicy } from './ejection-policy.js';
import type { Cause } from './ejection-state.js';

/** `serving`; `out` until its time is up; on `trial` by single probes. */
export type HealthKind = 'serving' | 'out' | 'trial';

export interface EjectionChange {
  readonly from: HealthKind;
  readonly to: HealthKind;
  readonly reason: string;
  /** Why it is out; `undefined` unless it goes out. */
  readonly cause?: Cause | undefined;
  /** How long it is out, or was out, in ms. */
  readonly ms: number;
}

/** What an instance's health needs from the pool around it. */
export interface EjectionHost {
  readonly policy: EjectionPolicy | false;
  /** Is the share of ejected instances small enough for one more? */
  mayEject(): boolean;
  random(): number;
  changed(change: EjectionChange): void;
  /** A probe succeeded. One that fails is a change. */
  probed(): void;
}

/** An attempt that ended, as far as health is concerned. */
export interface Attempt {
  /** What `enter` or `probe` gave. */
  readonly ticket: number;
  /** NaN where our own event loop stood still: nobody knows. */
  readonly durationMs: number;
}
