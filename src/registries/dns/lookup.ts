/** One refresh: everything that DNS says of a service now. */
import type { RecordWithTtl } from 'node:dns';
import { isIP } from 'node:net';
import { describe, FairleadError } from '../../core/errors.js';
import { toInstance, type InstanceInput, type ServiceInstance } from '../../core/instance.js';
import type { RegistryProblem } from '../../core/registry.js';
import { inParallel } from './in-parallel.js';
import type { DnsResolver, DnsSettings } from './options.js';
import { addressesOf, isMissing, reasonOf, recordsOf, ttlMsOf } from './queries.js';
import { groupsOf, saysNotAvailable, type SrvTarget } from './srv.js';

export interface Found {
  /** By id: servers shuffle their answers. */
  readonly instances: readonly ServiceInstance[];
  readonly problems: readonly RegistryProblem[];
  /** undefined: not known */
  readonly ttlMs: number | undefined;
}

export interface Question {
  readonly settings: DnsSettings;
  readonly resolver: DnsResolver;
  readonly service: string;
  /** Addresses of targets that were found before, for when nobody can say them now. Replaced by what is found. */
  readonly remembered: Map<string, readonly RecordWithTtl[]>;
}

/** A zone full of junk is told in so many problems, and the rest as a number. */
const MAX_PROBLEMS = 20;
/** Queries for targets at a time: a thousand datagrams at once would be lost on the way. */
const MAX_QUERIES = 32;

/**
 * Rejects with REGISTRY_UNAVAILABLE when DNS does not answer, and when it says that there is no such name or record: a
 * server that lost its zone says the same. Only an SRV record with the root as its target means nobody, `[]`.
 */
export const lookUp = async (question: Question): Promise<Found> => {
  const { settings, service } = question;
  try {
    return await (settings.type === 'SRV' ? lookUpTargets(question) : lookUpAddresses(question));
  } catch (cause) {
    const asked = `${settings.nameOf(service)} (${settings.type})`;
    throw new FairleadError('REGISTRY_UNAVAILABLE', `${settings.label}: ${asked}: ${reasonOf(cause)}`, {
      service,
      cause,
    });
  }
};

const lookUpAddresses = async ({ settings, resolver, service }: Question): Promise<Found> => {
  const { type, port, protocol } = settings;
  const families = type === 'A+AAAA' ? (['A', 'AAAA'] as const) : ([type as 'A' | 'AAAA'] as const);
  const { records, missing } = await addressesOf(resolver, settings.nameOf(service), families);
  if (records.length === 0) throw missing ?? new Error('the answer was empty');
  const inputs = records.map(({ address }) => ({ id: placeOf(address, port), service, address, port, protocol }));
  return whole(inputs, { problems: [], ttlMs: ttlMsOf(records) });
};

const lookUpTargets = async (question: Question): Promise<Found> => {
  const { settings, resolver, service } = question;
  const { records, missing } = await recordsOf(() => resolver.resolveSrv(settings.nameOf(service)));
  if (records.length === 0) throw missing ?? new Error('the answer was empty');
  if (saysNotAvailable(records)) return { instances: [], problems: [], ttlMs: undefined };
  const problems: RegistryProblem[] = [];
  let failure: unknown;
  for (const group of groupsOf(records)) {
    try {
      const { inputs, ttlMs } = await inputsOf(question, group, problems);
      return whole(inputs, { problems, ttlMs });
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
};

/** Rejects when nobody of the group can be called. */
const inputsOf = async (
  { settings, resolver, service, remembered }: Question,
  group: readonly SrvTarget[],
  problems: RegistryProblem[],
): Promise<{ readonly inputs: readonly InstanceInput[]; readonly ttlMs: number | undefined }> => {
  const { protocol } = settings;
  if (settings.targets === 'name') {
    const inputs = group.map(({ host, port, weight }) => ({
      ...{ id: placeOf(host, port), service, address: host, port, protocol, weight },
    }));
    return { inputs, ttlMs: undefined };
  }
  const hosts = [...new Set(group.map(({ host }) => host))];
  const found = new Map<string, readonly RecordWithTtl[]>();
  let failure: unknown;
  await inParallel(hosts, MAX_QUERIES, async host => {
    try {
      found.set(host, await addressesOfTarget(resolver, host));
    } catch (error) {
      failure ??= error;
      // A host that is gone is gone; one that nobody can tell now is where it was.
      const before = isMissing(error) ? undefined : remembered.get(host);
      if (before !== undefined) found.set(host, before);
      else problems.push(skipped(service, host, reasonOf(error)));
    }
  });
  remembered.clear();
  for (const [host, records] of found) remembered.set(host, records);
  if (found.size === 0) throw failure;
  const inputs = group.flatMap(target => inputsAt(target, found.get(target.host) ?? [], { service, protocol }));
  return { inputs, ttlMs: ttlMsOf([...found.values()].flat()) };
};

/** IPv4 if it has any: both families of one host are one process. Never empty. */
const addressesOfTarget = async (resolver: DnsResolver, host: string): Promise<readonly RecordWithTtl[]> => {
  if (host === '') throw new Error('it names no host');
  if (isIP(host) !== 0) return [{ address: host, ttl: NaN }];
  const four = await addressesOf(resolver, host, ['A']);
  if (four.records.length > 0) return four.records;
  const six = await addressesOf(resolver, host, ['AAAA']);
  if (six.records.length > 0) return six.records;
  throw four.missing ?? six.missing ?? new Error('the answer was empty');
};

/** A host with several addresses shares its weight among them. */
const inputsAt = (
  { host, port, weight }: SrvTarget,
  records: readonly RecordWithTtl[],
  common: { readonly service: string; readonly protocol: string },
): readonly InstanceInput[] => {
  const addresses = [...new Set(records.map(({ address }) => address))];
  return addresses.map(address => ({
    ...common,
    id: addresses.length === 1 ? placeOf(host, port) : `${placeOf(host, port)}@${address}`,
    ...{ address, port, weight: weight / addresses.length, metadata: { target: host } },
  }));
};

/** Rejects when there were entries and none was good. */
const whole = (
  inputs: readonly InstanceInput[],
  { problems, ttlMs }: { readonly problems: readonly RegistryProblem[]; readonly ttlMs: number | undefined },
): Found => {
  const byId = new Map<string, ServiceInstance>();
  const told = [...problems];
  for (const input of inputs) {
    try {
      const instance = toInstance(input);
      byId.set(instance.id, instance);
    } catch (error) {
      told.push(skipped(input.service, String(input.id), describe(error)));
    }
  }
  if (byId.size === 0) throw new Error(`none of ${inputs.length} records can be used: ${told[0]?.message ?? ''}`);
  const instances = [...byId.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  const more = told.length - MAX_PROBLEMS;
  if (more > 0) {
    const message = `dns: ${more} more records of ${inputs[0]?.service} were skipped`;
    told.splice(MAX_PROBLEMS, more, { kind: 'bad-entry', message });
  }
  return { instances, problems: told, ttlMs };
};

const skipped = (service: string, entry: string, why: string): RegistryProblem => {
  const name = entry.slice(0, 200);
  return { kind: 'bad-entry', message: `dns: a record of ${service} (${name}) was skipped: ${why}`, entry: name };
};

const placeOf = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
