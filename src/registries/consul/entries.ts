/** What `GET /v1/health/service/NAME` answers, as instances. Bad entries are told, and hide no good ones. */
import { describe } from '../../core/errors.js';
import {
  identityOf,
  toInstance,
  type InstanceInput,
  type InstanceStatus,
  type ServiceInstance,
} from '../../core/instance.js';
import type { RegistryProblem } from '../../core/registry.js';

export interface Entries {
  readonly instances: readonly ServiceInstance[];
  readonly problems: readonly RegistryProblem[];
}

/** A registry full of junk is told in so many problems, and the rest as a number. */
const MAX_PROBLEMS = 20;

export interface Reading {
  readonly service: string;
  /** Of its addresses, the one of this name, if it has that. */
  readonly taggedAddress?: string | undefined;
}

export const readEntries = (body: readonly unknown[], reading: Reading): Entries => {
  const { service } = reading;
  const byPlace = new Map<string, ServiceInstance>();
  const problems: RegistryProblem[] = [];
  let bad = 0;
  for (const entry of body) {
    try {
      const instance = toInstance(inputOf(entry, reading));
      // One process on two agents: it moved to the other when the first could not be reached.
      const place = identityOf(instance);
      byPlace.set(place, better(byPlace.get(place), instance));
    } catch (error) {
      bad += 1;
      if (bad <= MAX_PROBLEMS) problems.push(problemOf(entry, service, error));
    }
  }
  if (bad > MAX_PROBLEMS) {
    const message = `consul: ${bad - MAX_PROBLEMS} more entries of ${service} were skipped`;
    problems.push({ kind: 'bad-entry', message });
  }
  return { instances: [...byPlace.values()], problems };
};

const inputOf = (entry: unknown, { service, taggedAddress }: Reading): InstanceInput => {
  const { Service, Node, Checks } = record(entry, 'the entry');
  const { ID, Tags, Meta, Weights, CreateIndex } = record(Service, 'Service');
  const metadata = Meta === null || Meta === undefined ? {} : record(Meta, 'Meta');
  const status = worstOf(Checks);
  return {
    ...placeOf(Service as Fields, Node, taggedAddress),
    id: ID as string,
    service,
    protocol: protocolOf(metadata),
    weight: weightOf(Weights, status),
    tags: Array.isArray(Tags) ? (Tags as string[]) : [],
    metadata: metadata as Record<string, string>,
    status,
    incarnation: typeof CreateIndex === 'number' || typeof CreateIndex === 'string' ? String(CreateIndex) : undefined,
  };
};

/** A service registered without an address is where its node is, and has what addresses that has. */
const placeOf = (service: Fields, node: unknown, tag: string | undefined): { address: string; port: number } => {
  const plain = service['Address'];
  const tagged = tag === undefined ? undefined : own(service['TaggedAddresses'], tag);
  const { Address, Port } = (typeof tagged === 'object' && tagged !== null ? tagged : {}) as Fields;
  const port = (typeof Port === 'number' && Port > 0 ? Port : service['Port']) as number;
  if (typeof Address === 'string' && Address !== '') return { address: Address, port };
  if (plain !== '' && plain !== undefined && plain !== null) return { address: plain as string, port };
  const { Address: host, TaggedAddresses } = record(node, 'Node');
  const nodes = tag === undefined ? undefined : own(TaggedAddresses, tag);
  return { address: (typeof nodes === 'string' && nodes !== '' ? nodes : host) as string, port };
};

const own = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Fields)[key] : undefined;

const BEST_FIRST: readonly string[] = ['passing', 'warning', 'critical'];

/** Of two entries for one process, the one in better state; else the later. */
const better = (known: ServiceInstance | undefined, next: ServiceInstance): ServiceInstance => {
  if (known === undefined) return next;
  const rank = BEST_FIRST.indexOf(known.status) - BEST_FIRST.indexOf(next.status);
  if (rank !== 0) return rank < 0 ? known : next;
  return Number(known.incarnation ?? 0) > Number(next.incarnation ?? 0) ? known : next;
};

/** As Consul itself judges: by the worst of the service's own checks and its node's. */
const worstOf = (checks: unknown): InstanceStatus => {
  if (checks === null || checks === undefined) return 'passing';
  if (!Array.isArray(checks)) throw new TypeError('Checks is not an array');
  let worst: InstanceStatus = 'passing';
  for (const check of checks) {
    const status = (check as { Status?: unknown } | null)?.Status;
    if (status === 'passing') continue;
    if (status !== 'warning') return 'critical';
    worst = 'warning';
  }
  return worst;
};

/** `secure` is Spring Cloud Consul's word. */
const protocolOf = (metadata: Readonly<Record<string, unknown>>): string => {
  const named = metadata['protocol'] ?? metadata['scheme'];
  if (typeof named === 'string' && named !== '') return named;
  return metadata['secure'] === 'true' ? 'https' : 'http';
};

/** 1 is what Consul fills in: then `metadata.weight` speaks, if it is there. */
const weightOf = (weights: unknown, status: InstanceStatus): number | undefined => {
  const { Passing, Warning } = (weights ?? {}) as { Passing?: unknown; Warning?: unknown };
  const weight = status === 'warning' ? Warning : Passing;
  return weight === 1 || weight === undefined || weight === null ? undefined : (weight as number);
};

type Fields = Readonly<Record<string, unknown>>;

const record = (value: unknown, what: string): Fields => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new TypeError(`${what} is not an object`);
};

const problemOf = (entry: unknown, service: string, error: unknown): RegistryProblem => {
  const id = (entry as { Service?: { ID?: unknown } | null } | null)?.Service?.ID;
  const name = typeof id === 'string' ? id.slice(0, 200) : undefined;
  const message = `consul: an entry of ${service}${name === undefined ? '' : ` (${name})`} was skipped: ${describe(error)}`;
  return { kind: 'bad-entry', message, entry: name };
};
