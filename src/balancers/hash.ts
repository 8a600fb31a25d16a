import { identityOf } from '../core/instance.js';
import type { ServiceInstance } from '../core/instance.js';
import { hashOf, SECOND_BASIS } from '../core/hash.js';

export { hashOf, mixed } from '../core/hash.js';

/** Two hashes of who an instance is: one alone would be the same for two of 10 000 instances in 1 % of fleets. */
export interface Fingerprint {
  readonly first: number;
  readonly second: number;
}

export const fingerprintOf = (instance: ServiceInstance): Fingerprint => {
  const identity = identityOf(instance);
  return { first: hashOf(identity), second: hashOf(identity, SECOND_BASIS) };
};

/** An order that depends on who the instances are only, so that clients that met them in another order agree. */
export const byFingerprint = (one: Fingerprint, other: Fingerprint): number =>
  one.first - other.first || one.second - other.second;
