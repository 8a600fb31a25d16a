import type { SubsetPolicy } from '../../pool/fleet-subset.js';
import * as check from '../../core/check.js';

/** For fleets of more than 100 instances: this client talks to some of them only, so that nobody has too many connections. */
export interface SubsetOptions {
  /** Instances that this client uses, 2–100 000; of each part of the fleet that a route names, as many. @default 100 */
  readonly size?: number | undefined;
  /**
   * Who this client is: clients with the same key use the same instances. Give the name of the process, where a restart is to
   * keep its instances. @default drawn at random for each client
   */
  readonly key?: string | undefined;
}

export const SUBSET_DEFAULTS = Object.freeze({ size: 100 });

export const resolveSubset = (given: SubsetOptions | false | undefined): SubsetPolicy | false => {
  if (given === false || given === undefined) return false;
  check.object('subset', given, { known: ['size', 'key'], hint: '; write { size: 100 }, or false' });
  // One alone would leave a retry nowhere to go.
  check.number('subset.size', given.size, { min: 2, max: 100_000, integer: true });
  check.ofType('subset.key', given.key, 'string');
  if (given.key === '') throw new TypeError('subset.key: expected the name of this client, got an empty string');
  return { size: given.size ?? SUBSET_DEFAULTS.size, key: given.key };
};
