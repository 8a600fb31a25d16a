import { FairleadError, describe } from '../core/errors.js';

export interface LookupStory {
  readonly service: string;
  readonly registry: string;
  readonly afterMs: number;
  /** Watches begun since the last set. */
  readonly tries: number;
  /** Why there is no last good set, if there was one. */
  readonly unknown: string | undefined;
  /** What the newest try ended with, if it ended. */
  readonly outage: { readonly error: unknown } | undefined;
}

/** Why a first lookup failed, with all that was tried. */
export const nothingKnown = ({ service, registry, afterMs, tries, unknown, outage }: LookupStory): FairleadError => {
  const before = unknown === undefined ? '' : `${unknown}; `;
  const asked = `${registry} was asked ${tries === 1 ? 'once' : `${tries} times`}`;
  const answer = outage === undefined ? 'no answer yet' : `last error: ${describe(outage.error)}`;
  const message = `${service}: no instances known after ${afterMs} ms: ${before}${asked}, ${answer}`;
  return new FairleadError('NO_INSTANCES', message, { service, cause: outage?.error });
};
