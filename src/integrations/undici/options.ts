import { maxHeaderSize } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import * as check from '../../core/check.js';
import type { ServiceInstance } from '../../core/instance.js';

/** A value for all instances, or of each. */
export type PerInstance<T> = T | ((instance: ServiceInstance) => T | undefined);

export interface UndiciTransportOptions {
  /**
   * Connections to one instance at most, 1–100 000: a request more waits for one to become free, first come, first served.
   * Each is opened when it is needed first. @default 256
   */
  readonly connections?: number | undefined;
  /** How long connecting may take, TLS included, in ms, 1–600 000. @default 1_000 */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * How long a connection stays open without a request, in ms, 1–3 600 000, where the server does not say; shorter than any
   * common server's, so that it is not the server that ends it while a request is under way. @default 4_000 (undici)
   */
  readonly keepAliveMs?: number | undefined;
  /** At most as long, in ms, where the server's `Keep-Alive` says; 1 s is taken off what it says. @default 600_000 (undici) */
  readonly keepAliveMaxMs?: number | undefined;
  /** Requests over one connection, >= 1; `false`: any number. @default false */
  readonly requestsPerConnection?: number | false | undefined;
  /** Silence before the headers of an answer after which the connection is given up, in ms, >= 1. @default 300_000 (fetch) */
  readonly headersTimeoutMs?: number | false | undefined;
  /** Silence within a body after which the connection is given up, in ms, >= 1. @default 300_000 (fetch) */
  readonly bodyTimeoutMs?: number | false | undefined;
  /** Headers of an answer at most, in bytes, 1 024–16 777 216. @default Node's: 16_384, or `--max-http-header-size` */
  readonly maxHeaderBytes?: number | undefined;
  /**
   * For instances that speak https, as `tls.connect` takes it: `ca`, `cert`, `key`, `servername`, `rejectUnauthorized` ….
   * Instances are listed by their address, so the name in their certificate goes into `servername`. @default Node's
   */
  readonly tls?: PerInstance<ConnectionOptions> | undefined;
  /** A Unix socket or Windows pipe instead of the instance's address and port. @default none */
  readonly socketPath?: PerInstance<string> | undefined;
}

/** Options with defaults filled in, checked once. */
export interface UndiciPolicy {
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly keepAliveMaxMs: number;
  readonly requestsPerConnection: number | false;
  readonly headersTimeoutMs: number | false;
  readonly bodyTimeoutMs: number | false;
  readonly maxHeaderBytes: number;
  readonly tls: PerInstance<ConnectionOptions> | undefined;
  readonly socketPath: PerInstance<string> | undefined;
}

export const UNDICI_DEFAULTS: UndiciPolicy = Object.freeze({
  connections: 256,
  connectTimeoutMs: 1_000,
  keepAliveMs: 4_000,
  keepAliveMaxMs: 600_000,
  requestsPerConnection: false,
  headersTimeoutMs: 300_000,
  bodyTimeoutMs: 300_000,
  maxHeaderBytes: maxHeaderSize,
  tls: undefined,
  socketPath: undefined,
});

const LONGEST_MS = 2 ** 31 - 1;

export const resolveOptions = (given: UndiciTransportOptions | undefined): UndiciPolicy => {
  const whole = { min: 1, integer: true };
  check.object('undiciTransport', given, {
    known: Object.keys(UNDICI_DEFAULTS),
    hint: '; write undiciTransport({ connections: 64 })',
  });
  const time = (name: keyof UndiciPolicy, range: { max: number; orFalse?: boolean }): void =>
    check.number(`undiciTransport.${name}`, given?.[name], { ...whole, ...range });
  check.number('undiciTransport.connections', given?.connections, { ...whole, max: 100_000 });
  time('connectTimeoutMs', { max: 600_000 });
  time('keepAliveMs', { max: 3_600_000 });
  time('keepAliveMaxMs', { max: 86_400_000 });
  time('headersTimeoutMs', { max: LONGEST_MS, orFalse: true });
  time('bodyTimeoutMs', { max: LONGEST_MS, orFalse: true });
  check.number('undiciTransport.requestsPerConnection', given?.requestsPerConnection, { ...whole, orFalse: true });
  check.number('undiciTransport.maxHeaderBytes', given?.maxHeaderBytes, { min: 1_024, max: 16_777_216, integer: true });
  if (typeof given?.tls !== 'function') check.object('undiciTransport.tls', given?.tls, { known: keysOf(given?.tls) });
  if (typeof given?.socketPath !== 'function') check.ofType('undiciTransport.socketPath', given?.socketPath, 'string');
  return check.filled(UNDICI_DEFAULTS, given);
};

/** What tls.connect takes is Node's business. */
const keysOf = (value: unknown): readonly string[] => Object.keys(Object(value) as object);

export const ofInstance = <T>(value: PerInstance<T> | undefined, instance: ServiceInstance): T | undefined =>
  typeof value === 'function' ? (value as (instance: ServiceInstance) => T | undefined)(instance) : value;
