export type InstanceStatus = 'passing' | 'warning' | 'critical';

/** One running copy of a service, as a registry lists it. */
export interface ServiceInstance {
  readonly id: string;
  readonly service: string;
  /** A host name or an IP address; IPv6 without brackets. */
  readonly address: string;
  /** 1–65535. */
  readonly port: number;
  /** `'http'` by default; `fetch` takes http and https only. */
  readonly protocol: string;
  /** >= 0, 1 by default; `metadata.weight` is read. 0 takes no traffic and counts nowhere. */
  readonly weight: number;
  readonly zone?: string | undefined;
  readonly version?: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Only passing ones serve; `includeWarning` adds warning. */
  readonly status: InstanceStatus;
  /** Changes when the same id is registered anew (Consul CreateIndex, etcd create revision, ZooKeeper czxid). */
  readonly incarnation?: string | undefined;
}

/** What has to be given of an instance; the rest has defaults. */
export interface InstanceInput {
  /** @default `service-address-port` */
  readonly id?: string | undefined;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  /** @default 'http' */
  readonly protocol?: string | undefined;
  /** >= 0. @default metadata.weight, else 1 */
  readonly weight?: number | undefined;
  /** @default metadata.zone */
  readonly zone?: string | undefined;
  /** @default metadata.version */
  readonly version?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** @default 'passing' */
  readonly status?: InstanceStatus | undefined;
  readonly incarnation?: string | undefined;
}

/** What a registration may change while it lives. */
export type InstancePatch = Partial<
  Pick<InstanceInput, 'weight' | 'zone' | 'version' | 'tags' | 'metadata' | 'status'>
>;

const STATUSES: readonly unknown[] = ['passing', 'warning', 'critical'];
/** A host name, IPv4 or bare IPv6 address: nothing that could end the authority part of a URL or carry a user name. */
const ADDRESS =
  /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_.])?$|^[0-9A-Fa-f:.]{2,45}(?:%25?[A-Za-z0-9._-]{1,32})?$/;
const PROTOCOL = /^[a-z][a-z0-9+.-]{0,31}$/;
const MAX_TEXT = 1_024;

/**
 * Checks one entry and fills in the defaults. Throws a TypeError or RangeError that says what is wrong with which entry:
 * registries catch it, skip the entry and report it; `register` lets it reach its caller.
 */
export const toInstance = (input: InstanceInput): ServiceInstance => {
  // Frozen through and through: what was checked once stays as it was.
  if (checked.has(input)) return input as ServiceInstance;
  const service = text(input.service, 'service');
  const address = text(input.address, 'address');
  if (!ADDRESS.test(address)) throw new TypeError(`address ${quote(address)} is not a host name or an IP address`);
  const port = input.port;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`port ${quote(port)} is not 1–65535`);
  const protocol = (input.protocol ?? 'http').toLowerCase();
  if (!PROTOCOL.test(protocol)) throw new TypeError(`protocol ${quote(protocol)} is not a URL scheme`);
  const status = input.status ?? 'passing';
  if (!STATUSES.includes(status)) throw new TypeError(`status ${quote(status)} is not passing, warning or critical`);
  const metadata = cleanMetadata(input.metadata);
  const instance = Object.freeze({
    id: text(input.id ?? `${service}-${address}-${port}`, 'id'),
    service,
    address,
    port,
    protocol,
    weight: weightOf(input.weight, metadata['weight']),
    zone: optionalText(input.zone, 'zone') ?? metadata['zone'],
    version: optionalText(input.version, 'version') ?? metadata['version'],
    tags: Object.freeze((input.tags ?? []).map(String)),
    metadata,
    status,
    incarnation: optionalText(input.incarnation, 'incarnation'),
  });
  checked.add(instance);
  return instance;
};

/** Registries hand what they made to the DiscoveryClient, which trusts none and would check and copy all of it at each change. */
const checked = new WeakSet<object>();

/** Where an instance is, as the origin of a URL. */
export const originOf = ({ protocol, address, port }: ServiceInstance): string =>
  `${protocol}://${address.includes(':') ? `[${address}]` : address}:${port}`;

/** Two entries with the same key are the same endpoint, whatever else changed about them. */
export const identityOf = ({ id, protocol, address, port }: ServiceInstance): string =>
  `${protocol}://${address}:${port} ${id}`;

const quote = (value: unknown): string => {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
};

const text = (value: unknown, name: string): string => {
  if (typeof value !== 'string' || value === '')
    throw new TypeError(`${name} ${quote(value)} is not a non-empty string`);
  if (value.length > MAX_TEXT) throw new RangeError(`${name} has ${value.length} characters, more than ${MAX_TEXT}`);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) throw new TypeError(`${name} ${quote(value)} holds a control character`);
  return value;
};

const optionalText = (value: unknown, name: string): string | undefined => {
  if (value === undefined || typeof value === 'string') return value;
  throw new TypeError(`${name} ${quote(value)} is not a string`);
};

const weightOf = (given: number | undefined, fromMetadata: string | undefined): number => {
  const weight = given ?? (fromMetadata === undefined || fromMetadata.trim() === '' ? 1 : Number(fromMetadata));
  if (!Number.isFinite(weight) || weight < 0)
    throw new RangeError(`weight ${quote(given ?? fromMetadata)} is not >= 0`);
  return weight;
};

/** A metadata record that no key can turn into something else: `__proto__` is data or nothing. */
const cleanMetadata = (given: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> => {
  const clean = Object.create(null) as Record<string, string>;
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given)))
    throw new TypeError(`metadata ${quote(given)} is not a record of strings`);
  for (const [key, value] of Object.entries(given ?? {})) {
    if (key === '__proto__') throw new TypeError('metadata has a key __proto__');
    clean[key] = String(value);
  }
  return Object.freeze(clean);
};
