/** What has to compile of retries, hedges and deadlines, and what must not: see client.ts. */
import type { IncomingMessage } from 'node:http';
import {
  createServiceClient,
  limitProcessRetries,
  memoryRegistry,
  remainingMs,
  retryBudget,
  withCriticality,
  withInboundDeadline,
  type Budget,
  type HedgeOptions,
  type RetryOptions,
} from 'fairlead';
import type { Equal, Expect } from './expect.js';

const registry = memoryRegistry();
const client = createServiceClient({ service: 'users', registry });

export const hedges: (HedgeOptions | false | undefined)[] = [
  false,
  undefined,
  {},
  { afterMs: 100 },
  { afterMs: 100, max: 2, quantile: undefined },
  { quantile: 0.99, minCalls: 50, max: 1, afterMs: undefined },
];
void client.fetch('/', { fairlead: { hedge: { afterMs: 50 } } });
void client.call(() => 1, { idempotent: true, hedge: { quantile: 0.9 } });
// @ts-expect-error -- a bare number says neither when nor how often
createServiceClient({ service: 'users', registry, hedge: 100 });
// @ts-expect-error -- `true` says nothing: {} is the default
createServiceClient({ service: 'users', registry, hedge: true });
// @ts-expect-error -- one or the other
createServiceClient({ service: 'users', registry, hedge: { afterMs: 100, quantile: 0.9 } });
// @ts-expect-error -- nothing is measured for a fixed time
createServiceClient({ service: 'users', registry, hedge: { afterMs: 100, minCalls: 5 } });
// @ts-expect-error -- a misspelt option
void client.fetch('/', { fairlead: { hedge: { delayMs: 5 } } });

export const retries: (RetryOptions | false | undefined)[] = [
  { maxAttempts: 2, baseMs: 10, maxMs: 100, jitter: 'decorrelated' },
  { shouldRetry: ({ result }) => result instanceof Response && result.headers.has('x-busy') },
  { shouldRetry: ({ error, attempt, outcome }) => (error !== undefined && attempt < 2) || outcome === 'overload' },
  { shouldRetry: () => undefined, budget: false },
  { budget: { ratio: 0.1 } },
  { budget: retryBudget({ minPerSecond: 1 }) },
];
void client.fetch('/', { fairlead: { retry: { maxAttempts: 2, jitter: 'equal', shouldRetry: () => true } } });
// @ts-expect-error -- a jitter that there is not
createServiceClient({ service: 'users', registry, retry: { jitter: 'none' } });
// @ts-expect-error -- a rule that waits cannot be asked between attempts
createServiceClient({ service: 'users', registry, retry: { shouldRetry: async () => true } });
// @ts-expect-error -- a Response is no verdict
createServiceClient({ service: 'users', registry, retry: { shouldRetry: ({ result }) => result } });
// @ts-expect-error -- the budget belongs to the client
void client.fetch('/', { fairlead: { retry: { budget: retryBudget() } } });
// @ts-expect-error -- a ratio alone
createServiceClient({ service: 'users', registry, retry: { budget: 0.2 } });

export const budget: Budget = retryBudget();
limitProcessRetries(budget);
limitProcessRetries({ ratio: 0.1 });
limitProcessRetries(false);
// @ts-expect-error -- nothing was said
limitProcessRetries();

export const handled = (request: IncomingMessage): Promise<number> =>
  withInboundDeadline(request, async () => remainingMs());
export const web = (request: Request): number => withInboundDeadline(request, () => 1);
export const inner = withInboundDeadline({ 'x-request-timeout-ms': '500' }, () => 'text');
export type InboundGives = Expect<Equal<typeof inner, string>>;
void withInboundDeadline(new Headers(), () => 1);
// @ts-expect-error -- a number is withDeadline's
void withInboundDeadline(500, () => 1);
void withCriticality('sheddable', () => client.fetch('/'));
// @ts-expect-error -- a level that there is not
void withCriticality('high', () => 1);

createServiceClient({ service: 'users', registry, propagate: 'always' });
createServiceClient({ service: 'users', registry, propagate: false });
// @ts-expect-error -- when, or never
createServiceClient({ service: 'users', registry, propagate: true });
