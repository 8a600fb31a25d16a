import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import type { CandidateSet } from './candidates.js';
import type { PooledEndpoint } from './endpoint.js';
import { isWeb } from './candidates.js';
import type { Excluded, Numbers, PickExplanation, RouteExplanation, SetDescription } from '../core/explanation.js';

/** A part of the fleet that calls were routed to. */
export interface RouteSnapshot extends SetDescription {
  /** What it selects, as text. */
  readonly instances: string;
}

/** Of a large fleet no more are named: the numbers tell how many there are. */
const MOST_NAMED = 50;
/** Of who could have been picked instead. */
const MOST_COMPARED = 10;

/** Members of a set that are out, each with the reason. */
export const describeSet = (set: CandidateSet, now: number): SetDescription => ({
  members: set.members.length,
  eligible: set.eligible.length,
  panic: set.panic,
  out: set.panic
    ? []
    : set.members.filter(endpoint => endpoint.availableAt !== 0).map(endpoint => outOf(endpoint, now)),
});

interface Asked {
  readonly sets: { explain(call: Call): { readonly route: RouteExplanation | null; readonly set: CandidateSet } };
  readonly endpoints: Iterable<PooledEndpoint>;
  /** Who the attempt went to. */
  readonly chosen: Endpoint | undefined;
}

export const explainPick = (call: Call, asked: Asked): PickExplanation => {
  const { tried } = call;
  // As it stood when the attempt was sent: where it went was not tried yet, nor where others went beside it later.
  call.tried = asked.chosen === undefined ? tried : tried.slice(0, tried.indexOf(asked.chosen));
  try {
    return explained(call, asked);
  } finally {
    call.tried = tried;
  }
};

const explained = (call: Call, { sets, endpoints, chosen }: Asked): PickExplanation => {
  const { route, set } = sets.explain(call);
  const all = [...endpoints];
  const out: Excluded[] = [];
  const others: Numbers[] = [];
  for (const endpoint of all) {
    if (out.length === MOST_NAMED) break;
    if (endpoint === chosen) continue;
    const excluded = whyNot(endpoint, set, call);
    if (excluded !== undefined) out.push(excluded);
    else if (others.length < MOST_COMPARED) others.push(numbersOf(endpoint));
  }
  const { members, eligible, panic } = set;
  const size = { members: members.length, eligible: eligible.length, panic };
  return { route, known: all.length, ...size, out, chosen: chosen ? numbersOf(chosen) : null, others };
};

const whyNot = (endpoint: PooledEndpoint, set: CandidateSet, call: Call): Excluded | undefined => {
  const { id, protocol } = endpoint.instance;
  const never = (reason: string): Excluded => ({ id, reason, availableInMs: null });
  if (endpoint.weight === 0) return never('weight 0');
  if (call.request !== undefined && !isWeb(endpoint)) return never(`speaks ${protocol}`);
  if (!set.wants(endpoint)) return never('not part of the route');
  if (!set.has(endpoint)) return never("outside this client's subset");
  if (!set.panic && endpoint.availableAt !== 0) return outOf(endpoint, call.now);
  return call.tried.includes(endpoint) ? { id, reason: 'tried by this call', availableInMs: null } : undefined;
};

const outOf = ({ instance: { id }, health, availableAt }: PooledEndpoint, now: number): Excluded => ({
  id,
  reason: health.reason ?? 'on trial, for single probes only',
  availableInMs: Number.isFinite(availableAt) ? Math.max(0, Math.ceil(availableAt - now)) : 0,
});

const numbersOf = (endpoint: Endpoint): Numbers => ({
  id: endpoint.instance.id,
  weight: endpoint.weight,
  inFlight: endpoint.inFlight,
  latencyMs: endpoint.latencyMs,
  successRatio: endpoint.successRatio,
});
