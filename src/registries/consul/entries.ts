/** What `GET /v1/health/service/NAME` answers, as instances. Bad entries are told, and hide no good ones. */
import { describe } from '../../core/errors.js';
import { toInstance, type InstanceInput, type InstanceStatus, type ServiceInstance } from '../../core/instance.js';
import type { RegistryProblem } from '../../core/registry.js';

export interface Entries {
  readonly instances: readonly ServiceInstance[];
  readonly problems: readonly RegistryProblem[];
}

/** A registry full of junk is told in so many problems, and the rest as a number. */
const MAX_PROBLEMS = 20;

export const readEntries = (body: readonly unknown[], service: string): Entries => {
  const instances: ServiceInstance[] = [];
  const problems: RegistryProblem[] = [];
  let bad = 0;
  for (const entry of body) {
    try {
      instances.push(toInstance(inputOf(entry, service)));
    } catch (error) {
      bad += 1;
      if (bad <= MAX_PROBLEMS) problems.push(problemOf(entry, service, error));
    }
  }
  if (bad > MAX_PROBLEMS) {
    const message = `consul: ${bad - MAX_PROBLEMS} more entries of ${service} were skipped`;
    problems.push({ kind: 'bad-entry', message });
  }
  return { instances, problems };
};

const inputOf = (entry: unknown, service: string): InstanceInput => {
  const { Service, Node, Checks } = record(entry, 'the entry');
  const { ID, Address, Port, Tags, Meta, Weights, CreateIndex } = record(Service, 'Service');
  const metadata = Meta === null || Meta === undefined ? {} : record(Meta, 'Meta');
  const status = worstOf(Checks);
  return {
    id: ID as string,
    service,
    // A service registered without an address is where its node is.
    address: (Address === '' || Address === undefined || Address === null
      ? record(Node, 'Node')['Address']
      : Address) as string,
    port: Port as number,
    protocol: protocolOf(metadata),
    weight: weightOf(Weights, status),
    tags: Array.isArray(Tags) ? (Tags as string[]) : [],
    metadata: metadata as Record<string, string>,
    status,
    incarnation: typeof CreateIndex === 'number' || typeof CreateIndex === 'string' ? String(CreateIndex) : undefined,
  };
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

const record = (value: unknown, what: string): Record<string, unknown> => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`${what} is not an object`);
};

const problemOf = (entry: unknown, service: string, error: unknown): RegistryProblem => {
  const id = (entry as { Service?: { ID?: unknown } | null } | null)?.Service?.ID;
  const name = typeof id === 'string' ? id.slice(0, 200) : undefined;
  const message = `consul: an entry of ${service}${name === undefined ? '' : ` (${name})`} was skipped: ${describe(error)}`;
  return { kind: 'bad-entry', message, entry: name };
};
