import type { Call } from '../core/call.js';
import type { Endpoint } from '../core/endpoint.js';
import { toInstance } from '../core/instance.js';
import type { OutboundRequest } from '../core/transport.js';

/** An endpoint with numbers to play with, for tests of balancers. `weight` is the instance's too, until it is changed. */
export interface TestEndpoint extends Endpoint {
  weight: number;
  inFlight: number;
  latencyMs: number;
  successRatio: number;
  lastStartedAt: number;
  availableAt: number;
}

export const testEndpoint = (id: string, numbers: Partial<TestEndpoint> = {}): TestEndpoint => ({
  instance: toInstance({ id, service: 'test', address: '127.0.0.1', port: 1, weight: numbers.weight }),
  weight: 1,
  inFlight: 0,
  latencyMs: 10,
  successRatio: 1,
  lastStartedAt: 0,
  availableAt: 0,
  ...numbers,
});

/** Candidates as a pool would offer them: `eligible` defaults to all members, and `tried` is what the call tried. */
export const testCandidates = (
  members: readonly Endpoint[],
  {
    eligible = members,
    tried = [],
    version = 1,
  }: { eligible?: readonly Endpoint[]; tried?: readonly Endpoint[]; version?: number } = {},
) => {
  const serving = new Set(eligible);
  const allows = (endpoint: Endpoint): boolean =>
    serving.has(endpoint) && (tried.length === 0 || !tried.includes(endpoint));
  return { members, eligible, version, allows };
};

/** The little of a call that a balancer reads. */
export const testCall = ({
  now = 0,
  hashKey,
  request,
}: {
  now?: number;
  hashKey?: string | undefined;
  request?: Partial<OutboundRequest> | undefined;
} = {}): Call => ({ now, hashKey, request, tried: [] }) as unknown as Call;
