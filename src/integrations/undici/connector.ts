import type { buildConnector, Client } from 'undici';
import type { ServiceInstance } from '../../core/instance.js';
import type { Runtime } from '../../core/runtime.js';
import { ofInstance, type UndiciPolicy } from './options.js';
import type { UndiciPeer } from './peer.js';

interface Parts {
  readonly policy: UndiciPolicy;
  readonly runtime: Runtime;
  readonly undici: UndiciPeer;
}

/** Makes the connections to one instance. */
export const opener = (instance: ServiceInstance, parts: Parts & { readonly origin: string }): (() => Client) => {
  const { origin, policy, undici } = parts;
  const options: Client.Options = {
    connect: connectorOf(instance, parts),
    pipelining: 1,
    keepAliveTimeout: policy.keepAliveMs,
    keepAliveMaxTimeout: policy.keepAliveMaxMs,
    keepAliveTimeoutThreshold: HINT_MARGIN_MS,
    headersTimeout: policy.headersTimeoutMs || 0,
    bodyTimeout: policy.bodyTimeoutMs || 0,
    maxHeaderSize: policy.maxHeaderBytes,
    ...(policy.requestsPerConnection ? { maxRequestsPerClient: policy.requestsPerConnection } : {}),
  };
  return () => new undici.Client(origin, options);
};

/** A server's `Keep-Alive` is kept to by so much less, for what is on its way meanwhile. */
const HINT_MARGIN_MS = 1_000;

/**
 * Opens the sockets to one instance: TCP, TLS or a Unix socket, within the time there is. undici's own timer is right to
 * half a second only, which is too rough for one of a second.
 */
const connectorOf = (instance: ServiceInstance, { policy, runtime, undici }: Parts): buildConnector.connector => {
  const { connectTimeoutMs: timeoutMs, tls, socketPath } = policy;
  const path = ofInstance(socketPath, instance);
  const open = undici.buildConnector({
    ...ofInstance(tls, instance),
    ...(path === undefined ? {} : { socketPath: path }),
    allowH2: false,
    timeout: 0,
  } as buildConnector.BuildOptions) as (...args: Parameters<buildConnector.connector>) => {
    destroy(error: Error): void;
  };
  return (options, callback) => {
    const disarm = runtime.after(timeoutMs, () => {
      const where = path ?? `${options.hostname}:${options.port}`;
      socket.destroy(new undici.errors.ConnectTimeoutError(`no connection to ${where} within ${timeoutMs} ms`));
    });
    const socket = open(options, (...opened) => {
      disarm();
      callback(...opened);
    });
  };
};
