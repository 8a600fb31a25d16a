import type { Endpoint } from '../core/endpoint.js';
import type { Transport } from '../core/transport.js';
import type { HealthPolicy } from './health-policy.js';

/** Resolves when the instance is well; rejects, saying why not, when it is not or when the signal aborts. */
export type Probe = (endpoint: Endpoint, signal: AbortSignal) => Promise<void>;

/**
 * A GET through the client's own transport, so with its TLS and its connections. Only the head of the answer is read, and
 * no redirect is followed: where it points to says nothing about this instance.
 */
export const httpProbe =
  ({ path, headers, expectedStatuses }: HealthPolicy, transport: Transport): Probe =>
  async (endpoint, signal) => {
    const init: RequestInit = { redirect: 'manual' };
    const response = await transport.send({ method: 'GET', path, headers, body: undefined, init }, endpoint, signal);
    void response.body?.cancel().catch(() => undefined);
    const { status } = response;
    const well = expectedStatuses ? expectedStatuses.includes(status) : status >= 200 && status < 300;
    if (!well) throw new Error(`${path} answered ${status}`);
  };
