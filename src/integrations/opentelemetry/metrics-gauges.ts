/** What a client says of itself when it is asked: read from its snapshot, once for each collection. */
import type { ClientSnapshot, InstanceSnapshot } from '../../client/snapshot.js';
import { INSTANCE, STATE } from './metrics-labels.js';

export type Labels = Readonly<Record<string, string>>;
export type Reading = readonly [value: number, labels?: Labels];

export interface Gauge {
  /** After the prefix. */
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Counts of what is there now add up, over clients of one service too; of the others the largest is told. */
  readonly adds: boolean;
  /** Nullish: the client has no such part. */
  readonly read: (snapshot: ClientSnapshot) => number | null | undefined | readonly Reading[];
}

export const DISCOVERY_AGE = 'client.discovery.age';
export const CACHE_SIZE = 'client.cache.size';
export const INSTANCE_LATENCY = 'client.instance.latency';
export const REGISTRATION_MISSING: Omit<Gauge, 'read'> = {
  name: 'registration.missing',
  unit: '',
  description: '1 while this process is to be in the registry and is not.',
  adds: false,
};

const flag = (is: boolean): 0 | 1 => (is ? 1 : 0);
const counted = (name: string, unit: string, description: string) => ({ name, unit, description, adds: true });
const measured = (name: string, unit: string, description: string) => ({ name, unit, description, adds: false });

const serves = ({ used, state, weight }: InstanceSnapshot): boolean => used && state === 'serving' && weight > 0;
const countOf = (are: (instance: InstanceSnapshot) => boolean) => (snapshot: ClientSnapshot) =>
  snapshot.instances.filter(are).length;

const BREAKER_STATES = ['closed', 'half-open', 'open'] as const;

/** Flags are 1 for what is bad: a client that is gone leaves 0 behind, and that must not alarm anybody. */
export const GAUGES: readonly Gauge[] = [
  { ...counted('client.in_flight', '{call}', 'Calls in flight.'), read: ({ inFlight }) => inFlight },
  { ...counted('client.instance.known', '{instance}', 'Instances that are known.'), read: countOf(() => true) },
  {
    ...counted('client.instance.eligible', '{instance}', 'Instances that are well and may be picked.'),
    read: countOf(serves),
  },
  {
    ...counted('client.instance.ejected', '{instance}', 'Instances that are out, or on trial.'),
    read: countOf(({ state }) => state !== 'serving'),
  },
  {
    ...counted(
      'client.instance.held',
      '{instance}',
      'Instances that the registry dropped with many others; they serve.',
    ),
    read: countOf(({ held }) => held),
  },
  {
    ...measured('client.panic', '', '1 while so few instances are well that all serve.'),
    read: ({ panic }) => flag(panic),
  },
  {
    ...measured(DISCOVERY_AGE, 's', 'Time since the registry was last heard; 0 while it is in contact.'),
    read: ({ discovery: { ageMs } }) => (ageMs === null ? undefined : ageMs / 1_000),
  },
  {
    ...measured('client.registry.down', '', '1 while there is no contact with the registry.'),
    read: ({ discovery: { known, stale } }) => flag(!known || stale),
  },
  {
    ...measured('client.retry_budget.balance', '{attempt}', 'Retries and hedges that could be paid now.'),
    read: ({ budget }) => budget?.balance,
  },
  {
    ...counted('client.bulkhead.in_flight', '{call}', 'Places of the bulkhead that are taken.'),
    read: ({ bulkhead }) => bulkhead?.inFlight,
  },
  {
    ...counted('client.bulkhead.queued', '{call}', 'Calls that wait for a place.'),
    read: ({ bulkhead }) => bulkhead?.queued,
  },
  {
    ...measured('client.breaker.state', '', '1 for the state that the circuit breaker is in, 0 for the others.'),
    read: ({ breaker }) => breaker && BREAKER_STATES.map(state => [flag(breaker.state === state), { [STATE]: state }]),
  },
  {
    ...measured(
      'client.breaker.failure_ratio',
      '1',
      'The share of failed attempts in the window of the circuit breaker.',
    ),
    read: ({ breaker }) => breaker?.failureRatio,
  },
  {
    ...measured('client.limiter.available', '{permit}', 'Permits of the rate limit that could be taken now.'),
    read: ({ limiter }) => limiter?.available ?? undefined,
  },
  {
    ...counted('client.limiter.waiting', '{call}', 'Calls that wait for a permit.'),
    read: ({ limiter }) => limiter?.waiting,
  },
  {
    ...measured('client.throttle.reject_ratio', '1', 'The share of attempts that the throttle refuses.'),
    read: ({ throttle }) => throttle?.rejectRatio,
  },
  {
    ...measured('client.adaptive_concurrency.limit', '{attempt}', 'Attempts that may be in flight at once.'),
    read: ({ adaptiveConcurrency }) => adaptiveConcurrency?.limit,
  },
  { ...counted('client.cache.entries', '{entry}', 'Answers that are kept.'), read: ({ cache }) => cache?.entries },
  { ...counted(CACHE_SIZE, 'By', 'Bytes of the answers that are kept.'), read: ({ cache }) => cache?.bytes },
];

const eachInstance = (value: (instance: InstanceSnapshot) => number) => (snapshot: ClientSnapshot) =>
  snapshot.instances.map((instance): Reading => [value(instance), { [INSTANCE]: instance.id }]);

/** Only with `instanceLabels`. */
export const INSTANCE_GAUGES: readonly Gauge[] = [
  {
    ...counted('client.instance.in_flight', '{attempt}', 'Attempts in flight at the instance.'),
    read: eachInstance(({ inFlight }) => inFlight),
  },
  {
    ...measured(INSTANCE_LATENCY, 's', 'What an attempt at the instance takes, as the balancer sees it.'),
    read: eachInstance(({ latencyMs }) => latencyMs / 1_000),
  },
  {
    ...measured('client.instance.out', '', '1 while the instance is out, or on trial.'),
    read: eachInstance(({ state }) => flag(state !== 'serving')),
  },
];
