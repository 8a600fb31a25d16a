import { Resolver as CallbackResolver, type RecordWithTtl, type SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { systemRuntime, type Runtime } from '../../core/runtime.js';
import { requireNumber, requireSegment, requireText, shown, unknownKey } from '../shared/checks.js';

/** What is used of a `Resolver` of `node:dns/promises`; the module itself is one too. */
export interface DnsResolver {
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  resolve4(name: string, options: { ttl: true }): Promise<readonly RecordWithTtl[]>;
  resolve6(name: string, options: { ttl: true }): Promise<readonly RecordWithTtl[]>;
}

export interface DnsRegistryOptions {
  /**
   * The full name to ask for; `{service}` in it stands for the service's name: `'_{service}._tcp.example.com'`,
   * `'{service}.service.consul'`, `'{service}.default.svc.cluster.local'`. Search domains and /etc/hosts are not used.
   * @default '{service}'
   */
  readonly name?: string | undefined;
  /** `'SRV'` records tell port, priority and weight; addresses alone need `port`. @default 'SRV' */
  readonly type?: 'SRV' | 'A' | 'AAAA' | 'A+AAAA' | undefined;
  /** 1–65535: where the instances listen. Required for addresses, refused for SRV. */
  readonly port?: number | undefined;
  /** Of the instances. @default 'http' */
  readonly protocol?: string | undefined;
  /** DNS servers to ask instead of the system's, each `'127.0.0.1:8600'`, `'10.0.0.2'` or `'[::1]:53'`. */
  readonly servers?: readonly string[] | undefined;
  /** Your own resolver instead of `servers`. Its time limits and tries are yours; it is never cancelled here. */
  readonly resolver?: DnsResolver | undefined;
  /**
   * What an SRV target becomes: `'name'` leaves it to who calls it to look the host up, which https needs for its
   * certificate; `'address'` looks it up here. @default 'address' with `servers` or `resolver`, since whoever calls would
   * ask others; else 'name'
   */
  readonly targets?: 'name' | 'address' | undefined;
  /** An answer is used at least so long, whatever its TTL, in ms, 1 000–3 600 000. @default 5_000 */
  readonly minRefreshMs?: number | undefined;
  /** … and at most so long, in ms, `minRefreshMs`–3 600 000. @default 60_000 */
  readonly maxRefreshMs?: number | undefined;
  /** Taken for the TTL where it is not known: of SRV records with target names, in ms, 1 000–3 600 000. @default 10_000 */
  readonly assumedTtlMs?: number | undefined;
  /** How long a refresh may take, all its queries together, in ms, 100–60 000. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** Time and chance of a `discover` that brings none. @default the system's */
  readonly runtime?: Runtime | undefined;
}

/** A resolver for one refresh. */
export interface OpenedResolver {
  readonly resolver: DnsResolver;
  /** Ends its queries. */
  readonly cancel: () => void;
}

/** Options with defaults filled in, checked once. */
export interface DnsSettings {
  readonly type: 'SRV' | 'A' | 'AAAA' | 'A+AAAA';
  /** 0 with SRV. */
  readonly port: number;
  readonly protocol: string;
  readonly targets: 'name' | 'address';
  readonly minRefreshMs: number;
  readonly maxRefreshMs: number;
  readonly assumedTtlMs: number;
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  /** Names itself in errors. */
  readonly label: string;
  open(): OpenedResolver;
  /** Throws a TypeError for what is no name of a service, or makes no DNS name. */
  nameOf(service: string): string;
}

const KNOWN: Record<keyof DnsRegistryOptions, true> = {
  ...{ name: true, type: true, port: true, protocol: true, servers: true, resolver: true, targets: true },
  ...{ minRefreshMs: true, maxRefreshMs: true, assumedTtlMs: true, timeoutMs: true, runtime: true },
};
const TYPES: readonly unknown[] = ['SRV', 'A', 'AAAA', 'A+AAAA'];
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

export const resolveDnsOptions = (options: DnsRegistryOptions = {}): DnsSettings => {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`dnsRegistry: expected options such as { name: '{service}.example' }, got ${shown(options)}`);
  const unknown = unknownKey(options, KNOWN);
  if (unknown !== undefined)
    throw new TypeError(`dnsRegistry: ${unknown}: no such option; there are ${Object.keys(KNOWN).join(', ')}`);
  const { name = '{service}', type = 'SRV', protocol = 'http', servers, resolver, runtime = systemRuntime } = options;
  requireText('dnsRegistry: name', name);
  if (!TYPES.includes(type)) throw new TypeError(`dnsRegistry: type: expected ${TYPES.join(', ')}, got ${shown(type)}`);
  if (typeof protocol !== 'string' || !/^[a-z][a-z0-9+.-]{0,31}$/i.test(protocol))
    throw new TypeError(`dnsRegistry: protocol: expected a URL scheme such as 'http', got ${shown(protocol)}`);
  if (resolver !== undefined) requireResolver(resolver, servers);
  const own = servers === undefined ? undefined : checkedServers(servers);
  const { targets = own === undefined && resolver === undefined ? 'name' : 'address' } = options;
  if (!['name', 'address'].includes(targets))
    throw new TypeError(`dnsRegistry: targets: expected 'name' or 'address', got ${shown(targets)}`);
  const nameOf = (service: string): string => nameFor(name, service);
  nameOf('service');
  return {
    ...{ type, protocol, targets, runtime, nameOf, ...timesOf(options), port: portOf(options, type) },
    label: own === undefined ? 'dns' : `dns at ${own.join(', ')}`,
    open: opener(own, resolver),
  };
};

const timesOf = (
  options: DnsRegistryOptions,
): Pick<DnsSettings, 'minRefreshMs' | 'maxRefreshMs' | 'assumedTtlMs' | 'timeoutMs'> => {
  const { minRefreshMs = 5_000, assumedTtlMs = 10_000, timeoutMs = 5_000 } = options;
  const max = 3_600_000;
  requireNumber('dnsRegistry: minRefreshMs', minRefreshMs, { min: 1_000, max });
  const { maxRefreshMs = Math.max(60_000, minRefreshMs) } = options;
  requireNumber('dnsRegistry: maxRefreshMs', maxRefreshMs, { min: minRefreshMs, max });
  requireNumber('dnsRegistry: assumedTtlMs', assumedTtlMs, { min: 1_000, max });
  requireNumber('dnsRegistry: timeoutMs', timeoutMs, { min: 100, max: 60_000 });
  return { minRefreshMs, maxRefreshMs, assumedTtlMs, timeoutMs };
};

const portOf = ({ port }: DnsRegistryOptions, type: DnsSettings['type']): number => {
  if (type === 'SRV') {
    if (port === undefined) return 0;
    throw new TypeError(`dnsRegistry: port: SRV records tell the port; for a given one use type: 'A'`);
  }
  if (port === undefined)
    throw new TypeError(`dnsRegistry: port: expected 1–65535, since ${type} records tell addresses only`);
  requireNumber('dnsRegistry: port', port, { min: 1, max: 65_535 });
  if (!Number.isInteger(port)) throw new RangeError(`dnsRegistry: port: expected a whole number, got ${port}`);
  return port;
};

const nameFor = (template: string, service: string): string => {
  requireSegment('service', service);
  const name = template.replaceAll('{service}', service).replace(/\.$/, '');
  const bad = name.split('.').find(label => !LABEL.test(label));
  if (bad !== undefined)
    throw new TypeError(
      `dnsRegistry: ${shown(name)} is no DNS name: expected 1–63 letters, digits, "-" and "_" between dots, got ${shown(bad)}`,
    );
  if (name.length > 253) throw new TypeError(`dnsRegistry: a DNS name has at most 253 characters, got ${name.length}`);
  return name;
};

const checkedServers = (servers: unknown): readonly string[] => {
  const expected = `expected one or more of '10.0.0.2', '127.0.0.1:8600', '[::1]:53'`;
  if (!Array.isArray(servers) || servers.length === 0)
    throw new TypeError(`dnsRegistry: servers: ${expected}, got ${Array.isArray(servers) ? 'none' : shown(servers)}`);
  return (servers as readonly unknown[]).map((server, at) => {
    const text = typeof server === 'string' ? server : '';
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
    const isAddress = isIPv6(text) || isIPv6(bracketed ?? '') || isIPv4(plain ?? '');
    if (isAddress && (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535))) return text;
    throw new TypeError(`dnsRegistry: servers[${at}]: ${expected}, got ${shown(server)}`);
  });
};

const requireResolver = (resolver: unknown, servers: unknown): void => {
  if (servers !== undefined)
    throw new TypeError('dnsRegistry: resolver: comes instead of servers; give it its servers by setServers()');
  const raw = resolver as Record<string, unknown> | null;
  const has = (method: string): boolean => typeof raw?.[method] === 'function';
  if (['resolveSrv', 'resolve4', 'resolve6'].every(has) && !(resolver instanceof CallbackResolver)) return;
  throw new TypeError(`dnsRegistry: resolver: expected a Resolver of node:dns/promises, got ${shown(resolver)}`);
};

/** A new one for each refresh: it reads the system's configuration as it is now, and is cancelled without harm to others. */
const opener = (servers: readonly string[] | undefined, resolver: DnsResolver | undefined) => (): OpenedResolver => {
  if (resolver !== undefined) return { resolver, cancel: () => undefined };
  // A server that keeps silent is left for the next after 1 s; the whole refresh has its own limit.
  const made = new Resolver({ timeout: 1_000, tries: 2 });
  if (servers !== undefined) made.setServers(servers);
  return { resolver: made, cancel: () => made.cancel() };
};
