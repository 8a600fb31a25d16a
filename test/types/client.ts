/**
 * What has to compile, and what must not: `npm run typecheck` is the test, nothing here runs. A line below
 * `@ts-expect-error` that compiles is an error.
 */
import {
  createServiceClient,
  isFairleadError,
  memoryRegistry,
  p2c,
  recordOf,
  type BalancerFactory,
  type CallRecord,
  type FairleadErrorCode,
  type Layer,
  type ServiceClient,
  type ServiceInstance,
  type Transport,
} from 'fairlead';
import type { Equal, Expect } from './expect.js';

const client: ServiceClient = createServiceClient({ service: 'users', registry: memoryRegistry() });

// A drop-in for fetch, whole or detached, for what takes a custom fetch.
export const asFetch: typeof fetch = client.fetch;
export const { fetch: detached } = client;
export const sdk = (options: { fetch: typeof globalThis.fetch }): unknown => options.fetch;
sdk({ fetch: client.fetch });
sdk(client);
export const response: Promise<Response> = client.fetch('/users/42');
void client.fetch(new URL('http://users/42'));
void client.fetch(new Request('http://users/42'), { headers: { a: 'b' } });
void client.fetch('/users', { method: 'POST', body: '{}', signal: new AbortController().signal, redirect: 'manual' });

// What one call decides for itself.
void client.fetch('/', { fairlead: { hashKey: 'a', deadlineMs: 5, attemptTimeoutMs: false, idempotent: true } });
void client.fetch('/', { fairlead: { retry: false, deadlineMs: false } });
void client.fetch('/', { fairlead: { retry: { maxAttempts: 2 } } });
void client.fetch('/', { fairlead: { retry: undefined, hashKey: undefined, deadlineMs: undefined } });
void client.fetch('/', { fairlead: undefined });
// @ts-expect-error -- a misspelt option
void client.fetch('/', { fairlead: { deadlinems: 5 } });
// @ts-expect-error -- a misspelt key of init
void client.fetch('/', { fairLead: { deadlineMs: 5 } });
// @ts-expect-error -- a shorthand that people try
void client.fetch('/', { fairlead: { retry: 3 } });
// @ts-expect-error -- `true` says nothing: retries are on
void client.fetch('/', { fairlead: { retry: true } });
// @ts-expect-error -- a duration is a number of ms
void client.fetch('/', { fairlead: { deadlineMs: '5s' } });
// @ts-expect-error -- the budget belongs to the client
void client.fetch('/', { fairlead: { retry: { budget: { ratio: 1 } } } });
// @ts-expect-error -- only of call()
void client.fetch('/', { fairlead: { classify: () => undefined } });
// @ts-expect-error -- the global fetch knows nothing of it: no global augmentation
void fetch('http://users/', { fairlead: { deadlineMs: 5 } });

// call() gives back what the function gives.
export const number = client.call(() => 42);
export const text = client.call(async ({ instance, signal, attempt }) => {
  const seen: [ServiceInstance, AbortSignal, number] = [instance, signal, attempt];
  return seen[0].address;
});
export type CallGives = [Expect<Equal<typeof number, Promise<number>>>, Expect<Equal<typeof text, Promise<string>>>];
void client.call(async () => ({ ok: true }), {
  idempotent: true,
  signal: undefined,
  classify: ({ result }) => (result?.ok === true ? undefined : { outcome: 'failure', retryable: true }),
});
// @ts-expect-error -- the rule sees what the function gives
void client.call(() => 42, { classify: ({ result }) => (result?.length === 1 ? undefined : undefined) });
// @ts-expect-error -- an outcome that there is not
void client.call(() => 42, { classify: () => ({ outcome: 'failed', retryable: true }) });
// @ts-expect-error -- a misspelt option
void client.call(() => 42, { idempotant: true });
// @ts-expect-error -- a path belongs to fetch
void client.call('/users/42');

// Every option of the client may be `undefined`.
createServiceClient({
  service: 'users',
  registry: memoryRegistry(),
  discovery: undefined,
  includeWarning: undefined,
  deadlineMs: undefined,
  attemptTimeoutMs: undefined,
  classify: undefined,
  retry: undefined,
  bulkhead: undefined,
  ejection: undefined,
  balancer: undefined,
  slowStartMs: undefined,
  redirects: undefined,
  onEvent: undefined,
  layers: undefined,
  transport: undefined,
  runtime: undefined,
  ttlMs: undefined,
  firstTimeoutMs: undefined,
  maxStaleMs: undefined,
  holdDropRatio: undefined,
  holdMs: undefined,
});
createServiceClient({
  service: 'users',
  registry: memoryRegistry(),
  retry: { maxAttempts: undefined, baseMs: undefined, maxMs: undefined, budget: undefined },
  bulkhead: { maxInFlight: undefined, maxQueue: undefined },
  ejection: { consecutiveFailures: undefined, failureRatio: undefined, probes: undefined },
  layers: { call: undefined, attempt: undefined },
});
// Stages are switched off with `false`.
createServiceClient({ service: 'a', registry: memoryRegistry(), retry: false, bulkhead: false, ejection: false });
createServiceClient({ service: 'a', registry: memoryRegistry(), deadlineMs: false, attemptTimeoutMs: false });

const base = { service: 'a', registry: memoryRegistry() };
// @ts-expect-error -- a client is for a service
createServiceClient({ registry: memoryRegistry() });
// @ts-expect-error -- not a name alone
createServiceClient('users');
// @ts-expect-error -- unknown option
createServiceClient({ ...base, timeoutMs: 5 });
// @ts-expect-error -- a shorthand that people try
createServiceClient({ ...base, retry: 3 });
// @ts-expect-error -- unknown option of a policy
createServiceClient({ ...base, retry: { retries: 3 } });
// @ts-expect-error -- the default is on
createServiceClient({ ...base, bulkhead: true });
// @ts-expect-error -- a factory, not a name
createServiceClient({ ...base, balancer: 'p2c' });
// @ts-expect-error -- it has to be called
createServiceClient({ ...base, balancer: p2c });
// @ts-expect-error -- one of two words
createServiceClient({ ...base, redirects: 'follow' });
// @ts-expect-error -- 0 is at once
createServiceClient({ ...base, slowStartMs: false });

// What people write themselves.
export const first: BalancerFactory = () => ({ pick: ({ eligible }) => eligible[0]! });
export const logged: Layer<unknown> = next => call => next(call);
export const echo: Transport = { send: async (request, endpoint) => new Response(request.path + endpoint.instance.id) };
createServiceClient({ ...base, balancer: first, layers: { call: [logged], attempt: [logged] }, transport: echo });

// Errors narrow by code.
export const codeOf = (error: unknown): FairleadErrorCode | undefined => {
  if (isFairleadError(error, 'CLIENT_CLOSED')) {
    const code: 'CLIENT_CLOSED' = error.code;
    return code;
  }
  // @ts-expect-error -- a code that there is not
  isFairleadError(error, 'CIRCUIT_OPENED');
  // @ts-expect-error -- unknown until asked
  void error.code;
  return isFairleadError(error) ? error.code : undefined;
};
export const record: (target: unknown) => CallRecord | undefined = recordOf;

export const disposed = async (): Promise<void> => {
  await using owned: ServiceClient = createServiceClient(base);
  await owned.ready({ signal: undefined });
  await owned.close({ timeoutMs: undefined });
};
