import { FairleadError } from '../core/errors.js';
import type { RouteExplanation } from '../core/explanation.js';
import type { CandidateSet } from './candidates.js';
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
  const { retryAfterMs, wait } = firstReturn(members, now);
  return new FairleadError('NO_INSTANCES', `${service}: no instances, ${why}${wait}`, { service, retryAfterMs });
};

/** Says what the route wanted, and why nobody of that may serve though others may. */
export const noRoute = (
  service: string,
  { route, set, others, now }: { route: RouteExplanation; set: CandidateSet; others: CandidateSet; now: number },
): FairleadError => {
  const { members } = set;
  const all = others.members.length;
  const why =
    members.length === 0
      ? `none of ${all} instances is that`
      : `all ${members.length} of ${all} instances that are that are out`;
  const { retryAfterMs, wait } = firstReturn(members, now);
  const wanted = `rule ${JSON.stringify(route.rule)} wants ${route.wanted}`;
  return new FairleadError('NO_ROUTE', `${service}: no route, ${wanted}: ${why}${wait}`, { service, retryAfterMs });
};

const firstReturn = (members: readonly PooledEndpoint[], now: number) => {
  let soonest = Infinity;
  for (const endpoint of members) soonest = Math.min(soonest, endpoint.availableAt);
  const retryAfterMs = Number.isFinite(soonest) && soonest > now ? Math.ceil(soonest - now) : undefined;
  return { retryAfterMs, wait: retryAfterMs === undefined ? '' : `, the first returns in ${retryAfterMs} ms` };
};
