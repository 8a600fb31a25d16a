/** The `etcd3` package: an optional peer, looked for at the first use. Of it the plain calls are used, see trip.ts. */
import { FairleadError } from '../../core/errors.js';
import type { EtcdTls, Settings } from './options.js';

/** What grpc-js hands to an interceptor, as far as it is used. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
}
export interface GrpcListener {
  onReceiveStatus?(status: GrpcStatus): void;
}
export interface GrpcCall {
  start(metadata: { set(key: string, value: string): void }, listener?: GrpcListener): void;
  cancelWithStatus(code: number, details: string): void;
}
export type Interceptor = (options: object, nextCall: (options: object) => GrpcCall) => GrpcCall;
export interface CallOptions {
  readonly interceptors: readonly Interceptor[];
}

export interface Header {
  /** 64 bits, in decimal. */
  readonly revision: string;
}
export interface KeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly create_revision: string;
  /** '0': none. */
  readonly lease: string;
}
export interface RangeAnswer {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
}
export interface WatchAnswer {
  readonly header: Header;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compact_revision: string;
  readonly cancel_reason: string;
  readonly events: readonly { readonly type: string; readonly kv: KeyValue }[];
}
export interface Stream<T> {
  on(event: 'data', listener: (answer: T) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  write(request: object): unknown;
  end(): unknown;
}
type Unary<T> = (request: object, options: CallOptions) => Promise<T>;

/** The package's own calls, below its leases, its watchers and their ways to come back. */
export interface RawEtcd {
  readonly kv: { readonly range: Unary<RangeAnswer>; readonly put: Unary<unknown> };
  readonly leaseClient: {
    readonly leaseGrant: Unary<{ readonly ID: string }>;
    readonly leaseRevoke: Unary<unknown>;
    readonly leaseKeepAlive: (options: CallOptions) => Promise<Stream<{ readonly TTL: string }>>;
  };
  readonly watchClient: { readonly watch: (options: CallOptions) => Promise<Stream<WatchAnswer>> };
  readonly auth: { readonly authenticate: Unary<{ readonly token: string }> };
  close(): void;
}

/**
 * The package would stop asking for five seconds after three failures, and ask three times at once before that: whoever
 * asks here has its own back-off.
 */
const NO_POLICY = { execute: async <T>(work: (context: object) => T | Promise<T>): Promise<T> => work({}) };
/** A page of a list, or a burst of events: more is no answer of an etcd that serves anyone. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** A server refuses pings that come more often than every 5 s, and then all streams end. */
const MIN_KEEPALIVE_MS = 10_000;

/** Rejects with MISSING_PEER when `load` does not find the package. */
export const newClient = async (
  load: () => Promise<unknown>,
  endpoint: string,
  { tls, requestTimeoutMs, watchdogMs }: Settings,
): Promise<RawEtcd> => {
  const module = (await load().catch((cause: unknown) => {
    const code = (cause as { code?: unknown } | null)?.code;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    const message = 'etcdRegistry needs the package etcd3, version 1: npm install etcd3';
    throw new FairleadError('MISSING_PEER', message, { cause });
  })) as { Etcd3?: unknown; default?: { Etcd3?: unknown } };
  const Client = module.Etcd3 ?? module.default?.Etcd3;
  if (typeof Client !== 'function')
    throw new FairleadError('MISSING_PEER', 'the package etcd3 is not version 1: npm install etcd3@1');
  return new (Client as new (options: object) => RawEtcd)({
    hosts: endpoint,
    faultHandling: { host: () => NO_POLICY, global: NO_POLICY },
    grpcOptions: {
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      'grpc.keepalive_time_ms': Math.max(MIN_KEEPALIVE_MS, watchdogMs),
      'grpc.keepalive_timeout_ms': requestTimeoutMs,
      // Its own are 1 s and 120 s: too long for a server that is back.
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 1_000,
    },
    ...(tls === undefined ? {} : { credentials: credentialsOf(tls) }),
  });
};

const credentialsOf = ({ ca, cert, key }: EtcdTls): object => {
  const buffer = (pem: string | Buffer | undefined): Buffer | undefined =>
    typeof pem === 'string' ? Buffer.from(pem) : pem;
  return { rootCertificate: buffer(ca), certChain: buffer(cert), privateKey: buffer(key) };
};
