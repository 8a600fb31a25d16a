import { afterEach, describe, expect, it } from 'vitest';
import {
  createServiceClient,
  limitProcessRetries,
  memoryRegistry,
  recordOf,
  retryBudget,
  staticRegistry,
  type Budget,
  type RetryContext,
  type ServiceClientOptions,
} from 'fairlead';
import { connectionRefused, connectionReset, fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';

type Answer = (request: Request, nth: number) => Response | Promise<Response>;

interface Scene {
  readonly runtime: TestRuntime;
  readonly client: ReturnType<typeof createServiceClient>;
  /** [ms, port] of each request. */
  readonly arrived: [number, string][];
  /** What a call gives, after as much time as it may need. */
  readonly ends: (work: Promise<unknown>) => Promise<unknown>;
}

const scene = async (answer: Answer, options: Partial<ServiceClientOptions> = {}): Promise<Scene> => {
  const arrived: Scene['arrived'] = [];
  const runtime: TestRuntime = testRuntime({
    fetch: fakeFetch(request => {
      arrived.push([runtime.now(), new URL(request.url).port]);
      return answer(request, arrived.length);
    }),
  });
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry([1, 2, 3].map(port => ({ address: '127.0.0.1', port }))),
    runtime,
    circuitBreaker: false,
    ejection: false,
    ...options,
  });
  await runtime.settle();
  const ends = async (work: Promise<unknown>): Promise<unknown> => {
    const ended = work.catch((error: unknown) => error);
    await runtime.advance(20_000);
    return ended;
  };
  return { runtime, client, arrived, ends };
};

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  () =>
    new Response(null, { status: code, headers });
const gaps = ({ arrived }: Scene): number[] => arrived.slice(1).map(([at], index) => at - arrived[index]![0]);

describe('waits between attempts', () => {
  it.each([
    ['full', 0, 100, 0, 200],
    ['equal', 50, 100, 100, 200],
    ['decorrelated', 100, 300, 100, 900],
  ] as const)('are drawn with %s jitter', async (jitter, least1, most1, least2, most2) => {
    const at = await scene(status(503), { retry: { baseMs: 100, maxMs: 1_000, jitter } });
    for (let call = 0; call < 20; call += 1) {
      at.arrived.length = 0;
      await at.ends(at.client.fetch('/'));
      const [first, second] = gaps(at);
      expect(first).toBeGreaterThanOrEqual(least1);
      expect(first).toBeLessThan(most1);
      expect(second).toBeGreaterThanOrEqual(least2);
      expect(second).toBeLessThan(most2);
    }
  });

  it.each<[string, string, number]>([
    ['in seconds', '2', 2_000],
    ['as a date', 'Thu, 01 Jan 2026 00:00:03 GMT', 3_000],
    ['as something else', 'soon', 0],
    ['as a date gone by', 'Wed, 31 Dec 2025 23:59:59 GMT', 0],
  ])('heed Retry-After of a 429 %s', async (_name, retryAfter, ms) => {
    const at = await scene((_request, nth) =>
      nth === 1 ? new Response(null, { status: 429, headers: { 'retry-after': retryAfter } }) : new Response('ok'),
    );
    expect(await at.ends(at.client.fetch('/'))).toMatchObject({ status: 200 });
    expect(gaps(at)[0]).toBeGreaterThanOrEqual(ms);
    expect(gaps(at)[0]).toBeLessThan(ms + 25);
  });

  it('a Retry-After beyond the deadline ends the call with the response', async () => {
    const at = await scene(status(429, { 'retry-after': '16' }));
    const response = await at.ends(at.client.fetch('/'));
    expect([(response as Response).status, at.arrived.length, recordOf(response)?.endedBy]).toEqual([
      429,
      1,
      'retry-after',
    ]);
  });
});

describe('what one call says of its retries', () => {
  it.each<[string, ServiceClientOptions['retry'], object | false, number]>([
    ['fewer', undefined, { maxAttempts: 2 }, 2],
    ['more', undefined, { maxAttempts: 5 }, 5],
    ['none', undefined, false, 1],
    ['nothing', { maxAttempts: 4 }, {}, 4],
    ['some, where the client has none', false, { maxAttempts: 2 }, 2],
    ['the usual, where the client has none', false, {}, 3],
  ])('%s', async (_name, retry, own, attempts) => {
    const at = await scene(status(503), { retry });
    await at.ends(at.client.fetch('/', { fairlead: { retry: own } }));
    expect(at.arrived).toHaveLength(attempts);
  });

  it('replaces what it names and keeps the rest', async () => {
    const at = await scene(status(503), { retry: { baseMs: 5_000, maxMs: 5_000, jitter: 'equal' } });
    await at.ends(at.client.fetch('/', { fairlead: { retry: { baseMs: 100, maxMs: 100 } } }));
    expect(gaps(at).every(ms => ms >= 50 && ms <= 100)).toBe(true);
  });

  it.each<[object, RegExp]>([
    [{ maxAttempts: 0 }, /^init\.fairlead\.retry\.maxAttempts: expected a whole number >= 1 and <= 10, got 0/],
    [{ jitter: 'none' }, /^init\.fairlead\.retry\.jitter: expected "full" or "equal" or "decorrelated", got "none"/],
    [{ baseMs: '5' }, /^init\.fairlead\.retry\.baseMs: expected a number/],
    [{ shouldRetry: true }, /^init\.fairlead\.retry\.shouldRetry: expected a function, got true/],
    [{ budget: { ratio: 1 } }, /^init\.fairlead\.retry\.budget: no such option/],
  ])('%j is refused', async (retry, message) => {
    const at = await scene(status(200));
    await expect(at.client.fetch('/', { fairlead: { retry } })).rejects.toThrow(message);
    expect(at.arrived).toEqual([]);
  });
});

describe('shouldRetry', () => {
  const busyTwice: Answer = (_request, nth) =>
    new Response(null, { status: 200, headers: { 'x-busy': nth < 3 ? '1' : '0' } });
  const whenBusy = ({ result }: RetryContext): boolean | undefined =>
    (result as Response | undefined)?.headers.get('x-busy') === '1' || undefined;

  it('asks for another attempt after a success that is none', async () => {
    const at = await scene(busyTwice, { retry: { shouldRetry: whenBusy } });
    const response = (await at.ends(at.client.fetch('/'))) as Response;
    expect([response.headers.get('x-busy'), at.arrived.length, recordOf(response)?.endedBy]).toEqual([
      '0',
      3,
      'success',
    ]);
    // It is about the call, not about the instances.
    expect(at.client.snapshot().instances.every(({ successRatio }) => successRatio === 1)).toBe(true);
  });

  it('stays within attempts, and returns the last result', async () => {
    const at = await scene(busyTwice);
    const response = (await at.ends(
      at.client.fetch('/', { fairlead: { retry: { maxAttempts: 2, shouldRetry: whenBusy } } }),
    )) as Response;
    expect([response.headers.get('x-busy'), recordOf(response)?.endedBy]).toEqual(['1', 'attempts']);
  });

  it('has no say over what must not be sent twice', async () => {
    const at = await scene(busyTwice, { retry: { shouldRetry: () => true } });
    await at.ends(at.client.fetch('/', { method: 'POST', body: 'x' }));
    expect(at.arrived).toHaveLength(1);
  });

  it('forbids one, and is told all', async () => {
    const seen: RetryContext[] = [];
    const at = await scene(status(503), {
      retry: {
        shouldRetry: context => {
          seen.push(context);
          return context.attempt === 2 ? false : undefined;
        },
      },
    });
    await at.ends(at.client.fetch('/'));
    expect(seen).toMatchObject([
      { method: 'GET', attempt: 1, outcome: 'failure', retryable: true, result: { status: 503 } },
      { attempt: 2 },
    ]);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['answers with a promise', () => Promise.reject(new Error('mine'))],
    ['answers with something else', () => 'yes'],
  ])('one that %s is as good as none', async (_name, rule) => {
    const at = await scene((_request, nth) => new Response(null, { status: nth === 1 ? 503 : 200 }), {
      retry: { shouldRetry: rule as never },
    });
    expect(await at.ends(at.client.fetch('/'))).toMatchObject({ status: 200 });
    expect(at.arrived).toHaveLength(2);
  });
});

describe('errors of earlier attempts', () => {
  const failing: Answer = (_request, nth) =>
    nth === 2 ? new Response(null, { status: 503 }) : Promise.reject(Object.assign(connectionReset(), { nth }));

  it('are in the record of a transport’s error, which itself stays as it was', async () => {
    const at = await scene(failing);
    const error = (await at.ends(at.client.fetch('/'))) as Error;
    expect(error).toBeInstanceOf(TypeError);
    expect(error.cause).toMatchObject({ code: 'ECONNRESET' });
    expect(Object.keys(error)).toEqual(['nth']);
    expect(recordOf(error)?.errors).toMatchObject([{ nth: 1 }]);
  });

  it('are in the record of a response', async () => {
    const at = await scene((request, nth) => (nth === 1 ? failing(request, 1) : new Response('ok')));
    expect(recordOf(await at.ends(at.client.fetch('/')))?.errors).toMatchObject([{ nth: 1 }]);
  });

  it('are on our own last error, also on one that ends a wait', async () => {
    const at = await scene((request, nth) => (nth === 1 ? failing(request, 1) : new Promise(() => undefined)), {
      deadlineMs: 1_000,
    });
    expect(await at.ends(at.client.fetch('/'))).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      attempts: 2,
      errors: [{ nth: 1 }],
    });
    const waiting = await scene(failing, { retry: { baseMs: 5_000, maxMs: 5_000, jitter: 'equal' } });
    const pending = waiting.client.fetch('/');
    void waiting.client.close({ timeoutMs: 100 });
    expect(await waiting.ends(pending)).toMatchObject({ code: 'CLIENT_CLOSED', attempts: 1, errors: [{ nth: 1 }] });
  });

  it('an error of another client that came through a function is not written on', async () => {
    const at = await scene(status(200));
    const inner = createServiceClient({ service: 'orders', registry: memoryRegistry(), runtime: at.runtime });
    const error = await at.ends(at.client.call(() => inner.fetch('/'), { idempotent: true }));
    expect(error).toMatchObject({ service: 'orders', attempts: 0, errors: [] });
    expect(recordOf(error)).toMatchObject({ service: 'users', attempts: 3 });
  });
});

describe('budgets', () => {
  afterEach(() => limitProcessRetries(false));

  /** Retries that two clients get paid in an outage, as one number each. */
  const retriesOf = async (budgets: readonly [Budget | undefined, Budget | undefined]): Promise<number[]> => {
    const counts: number[] = [];
    for (const budget of budgets) {
      const at = await scene(status(503), { retry: budget ? { budget } : {} });
      for (let call = 0; call < 100; call += 1) void at.client.fetch('/').catch(() => undefined);
      await at.runtime.advance(2_000);
      counts.push(at.arrived.length - 100);
    }
    return counts;
  };

  it('one of its own for each client; one for several is spent once', async () => {
    expect(await retriesOf([undefined, undefined])).toEqual([100, 100]);
    const budget = retryBudget({ minPerSecond: 3 });
    expect(await retriesOf([budget, budget])).toEqual([30, 0]);
  });

  it('one above all clients of the process pays, too', async () => {
    limitProcessRetries({ ratio: 0, minPerSecond: 12 });
    expect(await retriesOf([undefined, undefined])).toEqual([100, 20]);
    limitProcessRetries(false);
    expect(await retriesOf([undefined, undefined])).toEqual([100, 100]);
  });

  it('is where copies of fairlead agree on', () => {
    const budget = retryBudget({});
    limitProcessRetries(budget);
    const host = globalThis as unknown as Record<symbol, { processBudget?: unknown }>;
    expect(host[Symbol.for('fairlead.shared.1')]?.processBudget).toBe(budget);
  });

  it('hedges and retries pay from one', async () => {
    const at = await scene(
      async (_request, nth) => {
        if (nth <= 2) await at.runtime.sleep(200);
        return new Response(null, { status: 503 });
      },
      { hedge: { afterMs: 100 }, retry: { budget: { ratio: 0, minPerSecond: 2, ttlMs: 1_000 }, baseMs: 1, maxMs: 1 } },
    );
    // One for the hedge, one for the retry, none for the next.
    const response = await at.ends(at.client.fetch('/'));
    expect(recordOf(response)).toMatchObject({ attempts: 3, hedges: 1, endedBy: 'budget' });
  });

  it('are fed when a first attempt succeeds: what took a retry earns none', async () => {
    const at = await scene((_request, nth) => new Response(null, { status: nth === 2 ? 503 : 200 }), {
      retry: { budget: { ratio: 1, minPerSecond: 2, ttlMs: 60_000 }, shouldRetry: () => undefined },
    });
    const balances: unknown[] = [];
    for (let call = 0; call < 2; call += 1) {
      await at.ends(at.client.fetch('/'));
      balances.push(at.client.snapshot().budget);
    }
    expect([at.arrived.length, balances]).toEqual([3, [{ balance: 121 }, { balance: 120 }]]);
  });

  it('false pays for everything, and has no balance to show', async () => {
    const at = await scene(status(503), { retry: { budget: false } });
    for (let call = 0; call < 300; call += 1) void at.client.fetch('/');
    await at.runtime.advance(2_000);
    expect([at.arrived.length, at.client.snapshot().budget]).toEqual([900, null]);
  });

  it.each<[unknown, RegExp]>([
    [{ ratio: -1 }, /^retry\.budget\.ratio: expected a number >= 0/],
    [{ percent: 20 }, /^retry\.budget\.percent: no such option/],
    [0.2, /^retry\.budget: expected an object, got 0.2; write \{ ratio: 0.2 \}/],
    [{ withdraw: () => true }, /^retry\.budget: expected an object with a method deposit\(\)/],
  ])('%j is refused', (budget, message) => {
    const registry = memoryRegistry();
    expect(() => createServiceClient({ service: 'users', registry, retry: { budget: budget as never } })).toThrow(
      message,
    );
  });

  it('what sets one says so when it is given nonsense', () => {
    expect(() => retryBudget({ ttlMs: 5 })).toThrow(/^retryBudget\.ttlMs: expected a number >= 1000/);
    expect(() => limitProcessRetries({ ratio: 2_000 })).toThrow(/^limitProcessRetries\.ratio: /);
    expect(() => limitProcessRetries(undefined as never)).toThrow(/^limitProcessRetries: expected/);
  });
});

it('a layer that throws before it returns a promise ends the call, and nothing is left behind', async () => {
  const at = await scene(status(200), {
    layers: {
      attempt: [
        () => () => {
          throw new Error('mine');
        },
      ],
    },
  });
  expect(await at.ends(at.client.fetch('/'))).toMatchObject({ message: 'mine' });
  expect(at.client.snapshot()).toMatchObject({ inFlight: 0, bulkhead: { inFlight: 0 } });
});

it('nothing sent: goes to the next instance at once, whatever the method', async () => {
  const at = await scene((_request, nth) => (nth === 1 ? Promise.reject(connectionRefused()) : new Response('ok')));
  await at.ends(at.client.fetch('/', { method: 'POST', body: 'x' }));
  expect(gaps(at)).toEqual([0]);
});

it('nothing sent twice: the second time it waits, since more than one instance is away', async () => {
  const at = await scene((_request, nth) => (nth < 3 ? Promise.reject(connectionRefused()) : new Response('ok')), {
    retry: { baseMs: 20, maxMs: 20, jitter: 'equal' },
  });
  await at.ends(at.client.fetch('/'));
  expect(gaps(at)[0]).toBe(0);
  expect(gaps(at)[1]).toBeGreaterThanOrEqual(10);
});
