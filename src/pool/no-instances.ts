import { FairleadError } from '../core/errors.js';
import type { PooledEndpoint } from './endpoint.js';

/** Says why nobody may serve, and when that may change. */
export const noInstances = (
  service: string,
  { listed, members, now }: { listed: number; members: readonly PooledEndpoint[]; now: number },
): FairleadError => {
  const why =
    listed === 0
      ? 'the registry lists none'
      : members.length === 0
        ? `all ${listed} have weight 0 or speak another protocol`
        : `all ${members.length} are out`;
  let soonest = Infinity;
  for (const endpoint of members) soonest = Math.min(soonest, endpoint.availableAt);
  const retryAfterMs = Number.isFinite(soonest) && soonest > now ? Math.ceil(soonest - now) : undefined;
  const wait = retryAfterMs === undefined ? '' : `, the first returns in ${retryAfterMs} ms`;
  return new FairleadError('NO_INSTANCES', `${service}: no instances, ${why}${wait}`, { service, retryAfterMs });
};
