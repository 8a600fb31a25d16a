/** What is written to the agent for one instance: `PUT /v1/agent/service/register`. */
import { originOf, toInstance, type InstanceStatus, type ServiceInstance } from '../../core/instance.js';
import type { RegisterOptions } from '../../core/registry.js';
import { requireNumber, requireText, shown, unknownKey } from '../shared/checks.js';

/** Consul asks the instance, and calls it critical when the answer is not 2xx (429: warning). */
export interface ConsulHttpCheck {
  /** A path on the instance, such as `'/health'`, or a whole http or https URL that the agent can reach. */
  readonly http: string;
  /** In ms, 1 000–3 600 000. @default 10_000 */
  readonly intervalMs?: number | undefined;
  /** In ms, 100–3 600 000. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** Consul removes the entry when it was critical for so long, in ms; Consul counts at least 60 000. @default 30_000 */
  readonly deregisterAfterMs?: number | undefined;
  /** @default 'GET' */
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, readonly string[]>> | undefined;
  /** @default false */
  readonly tlsSkipVerify?: boolean | undefined;
}

/** Consul calls grpc.health.v1 on the instance. */
export interface ConsulGrpcCheck {
  /** `true`: on the instance's address and port; a string: `host:port` or `host:port/service`. */
  readonly grpc: string | true;
  /** @default false */
  readonly tls?: boolean | undefined;
  /** In ms, 1 000–3 600 000. @default 10_000 */
  readonly intervalMs?: number | undefined;
  /** In ms, 100–3 600 000. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** Consul removes the entry when it was critical for so long, in ms; Consul counts at least 60 000. @default 30_000 */
  readonly deregisterAfterMs?: number | undefined;
}

/** This process says that it lives, every `ttlMs / 3`; without that the entry is critical after `ttlMs`. */
export interface ConsulTtlCheck {
  readonly ttl: true;
  /** Consul removes the entry when it was critical for so long, in ms; Consul counts at least 60 000. @default 60_000 */
  readonly deregisterAfterMs?: number | undefined;
}

export type ConsulCheck = ConsulHttpCheck | ConsulGrpcCheck | ConsulTtlCheck;

export interface ConsulRegisterOptions extends RegisterOptions {
  /** Who finds out that the instance died. @default { ttl: true } */
  readonly check?: ConsulCheck | undefined;
  /** Where others reach it, by name: `{ wan: { address: '198.51.100.7', port: 8080 } }`; read by `taggedAddress`. */
  readonly taggedAddresses?: Readonly<Record<string, TaggedAddress>> | undefined;
}

export interface TaggedAddress {
  readonly address: string;
  /** 1–65535. */
  readonly port: number;
}

const COMMON = { intervalMs: true, timeoutMs: true, deregisterAfterMs: true };
const KINDS = {
  ttl: { ttl: true, deregisterAfterMs: true },
  http: { ...COMMON, http: true, method: true, headers: true, tlsSkipVerify: true },
  grpc: { ...COMMON, grpc: true, tls: true },
};

/** The `Check` part without its status. Throws a TypeError or RangeError for what Consul could not use. */
export const checkOf = (check: ConsulCheck, instance: ServiceInstance, ttlMs: number): object => {
  if (typeof check !== 'object' || check === null)
    throw new TypeError(`check: expected { http: '/health' }, { grpc: true } or { ttl: true }, got ${shown(check)}`);
  const kind = (['ttl', 'http', 'grpc'] as const).find(name => Object.hasOwn(check, name));
  if (kind === undefined) throw new TypeError('check: expected one of http, grpc and ttl in it');
  const unknown = unknownKey(check, KINDS[kind]);
  if (unknown !== undefined)
    throw new TypeError(
      `check.${unknown}: no such option; with ${kind} there are ${Object.keys(KINDS[kind]).join(', ')}`,
    );
  const { deregisterAfterMs = 'ttl' in check ? 60_000 : 30_000 } = check;
  requireNumber('check.deregisterAfterMs', deregisterAfterMs, { min: 1_000, max: 31_536_000_000 });
  const common = { CheckID: checkIdOf(instance.id), DeregisterCriticalServiceAfter: duration(deregisterAfterMs) };
  if ('ttl' in check) return { ...common, TTL: duration(ttlMs) };
  const { intervalMs = 10_000, timeoutMs = 5_000 } = check;
  requireNumber('check.intervalMs', intervalMs, { min: 1_000, max: 3_600_000 });
  requireNumber('check.timeoutMs', timeoutMs, { min: 100, max: 3_600_000 });
  const times = { ...common, Interval: duration(intervalMs), Timeout: duration(timeoutMs) };
  return 'http' in check ? { ...times, ...httpPart(check, instance) } : { ...times, ...grpcPart(check, instance) };
};

/** The id that Consul itself would give to the one check of a service. */
export const checkIdOf = (id: string): string => `service:${id}`;

const httpPart = ({ http, method, headers, tlsSkipVerify }: ConsulHttpCheck, instance: ServiceInstance): object => {
  const expected = `check.http: expected a path such as "/health" or an http URL, got ${shown(http)}`;
  if (typeof http !== 'string') throw new TypeError(expected);
  const origin = originOf(instance);
  const url = http.startsWith('/') ? origin + http : http;
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol)) throw new TypeError(expected);
  return {
    HTTP: url,
    ...(method === undefined ? {} : { Method: method }),
    ...(headers === undefined ? {} : { Header: headers }),
    ...(tlsSkipVerify === undefined ? {} : { TLSSkipVerify: tlsSkipVerify }),
  };
};

const grpcPart = ({ grpc, tls = false }: ConsulGrpcCheck, { address, port }: ServiceInstance): object => {
  if (grpc !== true) requireText('check.grpc', grpc);
  const own = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return { GRPC: grpc === true ? own : grpc, GRPCUseTLS: tls };
};

export interface DefinitionParts {
  readonly status: InstanceStatus | undefined;
  readonly namespace: string | undefined;
  readonly taggedAddresses: ConsulRegisterOptions['taggedAddresses'];
}

/** @param status undefined: the entry keeps the one it has; a new one would be critical until its first check */
export const definitionOf = (
  instance: ServiceInstance,
  check: object,
  { status, namespace, taggedAddresses }: DefinitionParts,
): object => ({
  ID: instance.id,
  Name: instance.service,
  Address: instance.address,
  Port: instance.port,
  Tags: instance.tags,
  Meta: metaOf(instance),
  // Consul would take a missing Warning for 0.
  Weights: { Passing: fitsConsul(instance.weight) ? instance.weight : 1, Warning: 1 },
  Check: status === undefined ? check : { ...check, Status: status },
  ...(namespace === undefined ? {} : { Namespace: namespace }),
  ...(taggedAddresses === undefined ? {} : { TaggedAddresses: taggedOf(taggedAddresses) }),
});

/** Consul's weights are whole numbers from 1; others travel as metadata. */
const fitsConsul = (weight: number): boolean => Number.isInteger(weight) && weight >= 1 && weight <= 65_535;

/** What Consul has no field for. */
const metaOf = ({ metadata, weight, zone, version, protocol }: ServiceInstance): Record<string, string> => ({
  ...metadata,
  ...(zone === undefined ? {} : { zone }),
  ...(version === undefined ? {} : { version }),
  ...(protocol === 'http' && protocolless(metadata) ? {} : { protocol }),
  ...(protocol === 'https' ? { secure: 'true' } : {}),
  ...(fitsConsul(weight) && metadata['weight'] === undefined ? {} : { weight: String(weight) }),
});

/** Nothing in it would be read as another protocol. */
const protocolless = (metadata: Readonly<Record<string, string>>): boolean =>
  metadata['protocol'] === undefined && metadata['scheme'] === undefined && metadata['secure'] === undefined;

/** As the agent takes them. Throws a TypeError or RangeError that names the bad one. */
export const taggedOf = (addresses: NonNullable<ConsulRegisterOptions['taggedAddresses']>): object => {
  if (typeof addresses !== 'object' || addresses === null)
    throw new TypeError(`taggedAddresses: expected { wan: { address, port } }, got ${shown(addresses)}`);
  const entries = Object.entries(addresses).map(([name, given]) => {
    try {
      const { address, port } = toInstance({ service: name, address: given?.address, port: given?.port });
      return [name, { Address: address, Port: port }] as const;
    } catch (error) {
      const Kind = error instanceof RangeError ? RangeError : TypeError;
      throw new Kind(`taggedAddresses.${name}: ${(error as Error).message}`, { cause: error });
    }
  });
  return Object.fromEntries(entries);
};

const duration = (ms: number): string => `${Math.round(ms)}ms`;
