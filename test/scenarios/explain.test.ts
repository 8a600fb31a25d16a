import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  FairleadError,
  formatExplanation,
  isFairleadError,
  recordOf,
  retryBudget,
  roundRobin,
  tokenBucket,
  withDeadline,
  type CallExplanation,
  type ServiceRequestInit,
} from 'fairlead';
import { makeWorld, type World } from './support.js';

/** What the call gave, a response or an error, after enough time. */
const ends = async (world: World, init?: ServiceRequestInit): Promise<unknown> => {
  const result = world.client.fetch('/', init).catch((error: unknown) => error);
  await world.runtime.advance(20_000);
  return result;
};

const explained = async (world: World, init?: ServiceRequestInit): Promise<CallExplanation> =>
  world.client.explain(await ends(world, init))!;

it('a call that went well at once tells what was kept of it, as plain JSON', async () => {
  const world = await makeWorld({ balancer: roundRobin() });
  const explanation = await explained(world);
  expect(explanation).toEqual({
    service: 'users',
    method: 'GET',
    durationMs: 50,
    status: 200,
    instance: explanation.instance,
    servedFrom: 'instance',
    endedBy: 'success',
    why: 'it succeeded',
    deadline: { ms: 15_000, from: 'client', leftMs: 14_950 },
    limiter: null,
    queuedMs: 0,
    backoffMs: 0,
    budget: null,
    attempts: 1,
    hedges: 0,
    tries: [],
    errors: [],
    error: null,
  });
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
});

it('a retried call tells of each attempt why it came, by what numbers it was chosen over whom, and how it ended', async () => {
  const world = await makeWorld({ balancer: roundRobin() });
  for (const server of world.servers) server.mode = 'refuses';
  const explanation = await explained(world);
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  expect(explanation).toMatchObject({ attempts: 3, endedBy: 'attempts', error: { code: 'ECONNREFUSED' } });
  expect(explanation.budget!.balance).toBe(98);
  const [first, second, third] = explanation.tries;
  expect(first).toMatchObject({
    attempt: 1,
    startedAfterMs: 0,
    pause: { cause: 'first', ms: 0, reason: null },
    outcome: 'failure',
    retryable: 'always',
    error: 'fetch failed (connect ECONNREFUSED)',
    chosen: { weight: 1, inFlight: 0, successRatio: 1 },
  });
  expect(first!.others.map(({ id }) => id)).not.toContain(first!.chosen!.id);
  expect(first!.others).toHaveLength(2);
  expect(second!.pause).toEqual({ cause: 'retry', ms: 0, reason: 'fetch failed (connect ECONNREFUSED)' });
  expect(second!.out).toEqual([{ id: first!.chosen!.id, reason: 'tried by this call', availableInMs: null }]);
  expect(third!.pause.ms).toBeGreaterThan(0);
  expect(third!.startedAfterMs).toBe(explanation.backoffMs);
  expect(third!.others).toEqual([]);
});

it('numbers of an attempt that took long are those that it was picked by', async () => {
  const world = await makeWorld({ balancer: roundRobin(), count: 1, circuitBreaker: false, retry: false });
  world.servers[0]!.mode = 'hangs';
  const init = { fairlead: { attemptTimeoutMs: 400, explain: 'all' } } as const;
  const slow = world.client.fetch('/', init).catch((error: unknown) => error);
  await world.runtime.advance(100);
  world.servers[0]!.mode = 'refuses';
  await ends(world);
  const [told] = world.client.explain(await slow)!.tries;
  expect(told).toMatchObject({ outcome: 'failure', chosen: { id: 'a', inFlight: 0, successRatio: 1 } });
  expect(told!.error).toBe('users: a did not answer within 400 ms');
});

describe('the deadline says whose it is', () => {
  it.each([
    ['client', 15_000, {}],
    ['call', 2_000, { fairlead: { deadlineMs: 2_000 } }],
    ['none', null, { fairlead: { deadlineMs: false } }],
  ] as const)('%s', async (from, ms, init) => {
    const world = await makeWorld();
    expect((await explained(world, init)).deadline).toMatchObject({ from, ms });
  });

  it('inherited, where that is tighter', async () => {
    const world = await makeWorld();
    const call = withDeadline(700, () => world.client.fetch('/'), world.runtime);
    await world.runtime.advance(100);
    expect(world.client.explain(await call)!.deadline).toEqual({ ms: 700, from: 'inherited', leftMs: 650 });
  });
});

describe('the limiter', () => {
  it('admitted it, and how many permits were left where that is asked for', async () => {
    const world = await makeWorld({ rateLimit: tokenBucket({ perSecond: 1, burst: 5 }) });
    expect((await explained(world)).limiter).toEqual({
      rule: '1/s, burst 5',
      result: 'admitted',
      waitedMs: 0,
      available: null,
    });
    expect((await explained(world, { fairlead: { explain: 'all' } })).limiter).toMatchObject({ available: 4 });
  });

  it('refused it', async () => {
    const world = await makeWorld({ rateLimit: tokenBucket({ perSecond: 1, burst: 1 }) });
    const [, refused] = [world.client.fetch('/'), world.client.fetch('/').catch((error: unknown) => error)];
    await world.runtime.advance(100);
    expect(((await refused) as FairleadError).explain()).toMatchObject({
      limiter: { rule: '1/s, burst 1', result: 'refused', available: 0 },
      endedBy: 'refused',
      why: 'fairlead refused it: RATE_LIMITED',
      attempts: 0,
    });
  });

  it('let it wait', async () => {
    const world = await makeWorld({ rateLimit: { limiter: tokenBucket({ perSecond: 10, burst: 1 }), mode: 'wait' } });
    const [, second] = [world.client.fetch('/'), world.client.fetch('/')];
    await world.runtime.advance(1_000);
    expect(world.client.explain(await second)!.limiter).toMatchObject({ result: 'waited', waitedMs: 100 });
  });
});

describe('which rule ended it, and why', () => {
  it('a POST may not be sent twice', async () => {
    const world = await makeWorld();
    for (const server of world.servers) server.mode = 503;
    expect(await explained(world, { method: 'POST' })).toMatchObject({
      endedBy: 'not-retryable',
      why: 'POST may not be sent twice',
    });
  });

  it('a 500 is not tried again', async () => {
    const world = await makeWorld();
    for (const server of world.servers) server.mode = 500;
    expect(await explained(world)).toMatchObject({ endedBy: 'not-retryable', why: '500 is not one to try again' });
  });

  it('the budget was empty', async () => {
    const world = await makeWorld({ retry: { budget: retryBudget({ ratio: 0, minPerSecond: 0 }) } });
    for (const server of world.servers) server.mode = 503;
    expect(await explained(world)).toMatchObject({ endedBy: 'budget', budget: { balance: 0 } });
  });

  it('a wait that the server asked for', async () => {
    const world = await makeWorld({ count: 1, ejection: false });
    world.servers[0]!.mode = 'asks for 60 s';
    expect(await explained(world)).toMatchObject({ endedBy: 'retry-after', tries: [{ retryAfterMs: 60_000 }] });
  });

  it('a fallback answered, since the circuit was open', async () => {
    const world = await makeWorld({ fallback: () => new Response('later') });
    world.client.breaker!.open();
    const explanation = await explained(world);
    expect(explanation.why).toBe('the fallback answered, since fairlead refused it: CIRCUIT_OPEN');
    expect(explanation.errors).toMatchObject([{ code: 'CIRCUIT_OPEN' }]);
  });
});

it('a hedge tells what it ran beside, and each attempt names its own instance', async () => {
  const world = await makeWorld({ hedge: { afterMs: 30 } });
  for (const server of world.servers) server.mode = 'hangs';
  const call = ends(world, { fairlead: { deadlineMs: 500, explain: 'all' } });
  const { tries } = world.client.explain(await call)!;
  expect(tries.map(({ pause }) => pause.cause)).toEqual(['first', 'hedge']);
  expect(tries[1]!.pause.ms).toBe(30);
  expect(new Set(tries.map(({ chosen }) => chosen!.id)).size).toBe(2);
});

describe("explain: 'all' tells of attempts that went well, too", () => {
  it('of a hedge that won', async () => {
    const world = await makeWorld({ hedge: { afterMs: 30 }, balancer: roundRobin() });
    world.servers[0]!.mode = 'hangs';
    for (const server of world.servers.slice(1)) server.latencyMs = 10;
    const tried = [];
    for (let n = 0; n < 3; n += 1) tried.push(await explained(world, { fairlead: { explain: 'all' } }));
    const { tries } = tried.find(({ hedges }) => hedges === 1)!;
    expect(tries).toMatchObject([
      { attempt: 1, outcome: 'ignored', chosen: { id: 'a' }, pause: { cause: 'first' } },
      { attempt: 2, outcome: 'success', pause: { cause: 'hedge', ms: 30 } },
    ]);
  });

  it('of a call that was shared', async () => {
    const world = await makeWorld({ coalesce: true, explain: 'all' });
    expect((await explained(world)).tries).toMatchObject([{ attempt: 1, outcome: 'success' }]);
  });
});

describe('where it can be asked for', () => {
  it('an error of fairlead explains itself, without a client', async () => {
    const world = await makeWorld({ count: 1 });
    world.servers[0]!.mode = 'hangs';
    const error = await ends(world, { fairlead: { deadlineMs: 300 } });
    if (!isFairleadError(error)) throw error;
    expect(error.explain()).toEqual(world.client.explain(error));
    expect(error.explain()).toMatchObject({ endedBy: 'deadline', error: { code: 'DEADLINE_EXCEEDED' } });
  });

  it.each(['refuses', 'hangs'] as const)(
    'an error of a server that %s can be printed: the record is out of sight',
    async mode => {
      const world = await makeWorld({ count: 1 });
      world.servers[0]!.mode = mode;
      const error = await ends(world, { fairlead: { deadlineMs: 300 } });
      expect(inspect(error, { depth: 9 })).not.toContain('startedAt');
      expect(recordOf(error)).toMatchObject({ attempts: mode === 'hangs' ? 1 : 3 });
    },
  );

  it('one that is of no call has nothing to explain', () => {
    expect(new FairleadError('MISSING_PEER', 'install it').explain()).toBeUndefined();
    expect(formatExplanation(undefined)).toContain('no explanation');
  });

  it('a response whose body was read still tells; a copy of it does not', async () => {
    const world = await makeWorld();
    const response = (await ends(world)) as Response;
    const copy = response.clone();
    await response.text();
    expect(world.client.explain(response)).toMatchObject({ status: 200 });
    expect(world.client.explain(copy)).toBeUndefined();
    expect(world.client.explain(new Response(copy.body, copy))).toBeUndefined();
  });

  it("the reason of a caller's abort is the caller's: nothing is written on it", async () => {
    const world = await makeWorld();
    const controller = new AbortController();
    const call = ends(world, { signal: controller.signal });
    controller.abort(new Error('enough'));
    expect(world.client.explain(await call)).toBeUndefined();
  });
});

describe('for people', () => {
  it('reads as a story', async () => {
    const world = await makeWorld({ balancer: roundRobin(), seed: 3 });
    world.servers[0]!.mode = 503;
    let explanation = await explained(world);
    while (explanation.attempts < 2) explanation = await explained(world);
    expect(formatExplanation(explanation).replace(/\d+(\.\d+)? ms/g, 'N ms')).toMatchInlineSnapshot(`
      "GET users: 200 from b in N ms, 2 attempts
        deadline  N ms, the client's; N ms left at the end
        budget    99 more retries could be paid
        1. a: 503 in N ms, failure; the first, N ms after the call began
           3 of 3 could serve, 3 known
           chosen at weight 1, 0 in flight, N ms, 100 % success; not b at weight 1, 0 in flight, N ms, 100 % success, nor 1 more
        2. b: 200 in N ms, success; a retry after "the server failed", N ms later
           3 of 3 could serve, 3 known; out: a (tried by this call)
           chosen at weight 1, 0 in flight, N ms, 100 % success; not c at weight 1, 0 in flight, N ms, 100 % success
        ended by  success: it succeeded"
    `);
  });

  it('stays within 25 lines, each one line, however many attempts and instances there are and whatever they say', async () => {
    const world = await makeWorld({
      count: 1,
      circuitBreaker: false,
      ejection: false,
      rateLimit: { limiter: tokenBucket({ perSecond: 10, burst: 1 }), mode: 'wait' },
      retry: { maxAttempts: 10 },
    });
    const idle = Array.from({ length: 300 }, (_, index) => ({ id: `${'x'.repeat(200)}${index}`, weight: 0 }));
    const instances = [{ id: 'a', weight: 1 }, ...idle];
    world.registry.set(
      'users',
      instances.map((instance, index) => ({ ...instance, address: '127.0.0.1', port: 1_001 + index })),
    );
    await world.runtime.settle();
    const broken = (): never => {
      throw new Error(`no\n  ended by  success\u001b[31m\u2028${'y'.repeat(500)}`);
    };
    const calls = [1, 2].map(() =>
      world.client.call(broken, { idempotent: true, explain: 'all' }).catch((error: unknown) => error),
    );
    await world.runtime.advance(20_000);
    const explanation = world.client.explain(await calls[1])!;
    expect(explanation.tries).toHaveLength(10);
    const lines = formatExplanation(explanation).split('\n');
    expect(lines.length).toBeLessThanOrEqual(25);
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(220);
    // eslint-disable-next-line no-control-regex -- they are what must not be there
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u2028]/);
    expect(lines.join('\n')).toContain('… 6 more attempts, 6 of them failures');
    expect(lines.filter(line => line.startsWith('  ended by'))).toHaveLength(1);
  });
});
