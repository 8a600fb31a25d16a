import type { InstanceInput } from '../core/instance.js';
import type { Host } from './host.js';
import type { Settings } from './settings.js';

export interface Bound {
  readonly address: string;
  readonly port: number;
}

/** The entry as it will be, for a server that listens there. Throws a TypeError when callers could not find it. */
export const whereIs = (settings: Settings, bound: Bound | undefined, host: Host): InstanceInput => {
  const { service, details, port = bound?.port } = settings;
  if (port === undefined) throw new TypeError('port: the server listens on no port, and none was given');
  const address = findAddress({ given: settings.address, bound: bound?.address, host });
  return { ...details, service, address, port };
};

/**
 * Where platforms tell a process its own address: Kubernetes by the downward API (under the name that one gives it; these
 * two are the usual ones), Cloud Foundry, Fly.io.
 */
const FROM_ENVIRONMENT = ['POD_IP', 'MY_POD_IP', 'CF_INSTANCE_INTERNAL_IP', 'FLY_PRIVATE_IP'] as const;

/** The server listens on all addresses. */
const WILDCARDS: readonly unknown[] = ['0.0.0.0', '::'];

export interface AddressSources {
  readonly given: string | undefined;
  /** The address that the server is bound to. */
  readonly bound: string | undefined;
  readonly host: Host;
}

/**
 * The address that others can reach this process at: the given one, else the platform's, else the one that the server
 * listens on if that is one alone, else the first of the machine that is neither internal nor link-local, IPv4 preferred.
 * Throws a TypeError when there is none.
 */
export const findAddress = ({ given, bound, host }: AddressSources): string => {
  if (given !== undefined) return given;
  for (const name of FROM_ENVIRONMENT) {
    const value = host.env[name]?.trim();
    if (value) return value;
  }
  if (bound !== undefined && !WILDCARDS.includes(bound)) return bound;
  const all = Object.values(host.networkInterfaces())
    .flatMap(each => each ?? [])
    .filter(({ address, internal }) => !internal && !isLinkLocal(address));
  const found = all.find(({ family }) => family === 'IPv4' || family === 4) ?? all[0];
  if (found !== undefined) return found.address;
  const tried = FROM_ENVIRONMENT.join(', ');
  throw new TypeError(`address: none was given, none is in ${tried}, and this machine has no outer address`);
};

const isLinkLocal = (address: string): boolean => /^169\.254\.|^fe[89ab][0-9a-f]:/i.test(address);
