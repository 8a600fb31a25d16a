import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  createServiceClient,
  recordOf,
  remainingMs,
  staticRegistry,
  withClientIp,
  withCriticality,
  withDeadline,
  withInboundDeadline,
  type InboundRequest,
  type ServiceClient,
  type ServiceClientOptions,
} from 'fairlead';
import { fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';
import { oneInstance } from './one-instance.js';

const TOLD = ['x-request-timeout-ms', 'x-request-attempt', 'x-request-criticality'];

interface Scene {
  readonly runtime: TestRuntime;
  readonly client: ServiceClient;
  /** What each request told, in the order of `TOLD`. */
  readonly told: (string | null)[][];
  readonly inbound: <T>(request: InboundRequest, fn: () => T) => T;
  readonly ends: (work: Promise<unknown>) => Promise<unknown>;
}

const scene = async (
  answer: (request: Request, nth: number) => Response | Promise<Response> = () => new Response('ok'),
  options: Partial<ServiceClientOptions> = {},
): Promise<Scene> => {
  const told: Scene['told'] = [];
  const runtime: TestRuntime = testRuntime({
    fetch: fakeFetch(request => {
      told.push(TOLD.map(name => request.headers.get(name)));
      return answer(request, told.length);
    }),
  });
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry([1, 2, 3].map(port => ({ address: '127.0.0.1', port }))),
    runtime,
    ...options,
  });
  await runtime.settle();
  const ends = async (work: Promise<unknown>): Promise<unknown> => {
    const ended = work.catch((error: unknown) => error);
    await runtime.advance(20_000);
    return ended;
  };
  return { runtime, client, told, ends, inbound: (request, fn) => withInboundDeadline(request, fn, runtime) };
};

describe('a deadline that travels', () => {
  it('is told to the instance, anew at each attempt', async () => {
    const at = await scene(
      async (_request, nth) => {
        await at.runtime.sleep(100);
        return new Response(null, { status: nth < 3 ? 503 : 200 });
      },
      { retry: { baseMs: 50, maxMs: 50, jitter: 'equal' } },
    );
    await at.ends(withDeadline(2_000.5, () => at.client.fetch('/'), at.runtime));
    const left = at.told.map(([ms]) => Number(ms));
    expect(left[0]).toBe(2_000);
    expect(left[1]).toBeLessThanOrEqual(1_875);
    expect(left[2]).toBeLessThanOrEqual(left[1]! - 125);
    expect(at.told.map(([, attempt]) => attempt)).toEqual(['1', '2', '3']);
  });

  it('is told by a hedge, with its own number', async () => {
    const at = await scene(async () => {
      await at.runtime.sleep(500);
      return new Response('ok');
    });
    await at.ends(
      withDeadline(2_000, () => at.client.fetch('/', { fairlead: { hedge: { afterMs: 100 } } }), at.runtime),
    );
    expect(at.told).toEqual([
      ['2000', '1', null],
      ['1900', '2', null],
    ]);
  });

  it('shrinks along a chain of services', async () => {
    const seen: number[] = [];
    const at = await scene(async request => {
      // Each service works for 100 ms, then calls the next one with what it was told.
      seen.push(Number(request.headers.get('x-request-timeout-ms')));
      await at.runtime.sleep(100);
      if (seen.length === 4) return new Response('ok');
      return at.inbound(request, () => at.client.fetch('/'));
    });
    await at.ends(withDeadline(1_000, () => at.client.fetch('/'), at.runtime));
    expect(seen).toEqual([1_000, 900, 800, 700]);
  });

  it('ends a chain where time is up: who is late sends nothing', async () => {
    const at = await scene(async request => {
      await at.runtime.sleep(400);
      return at.inbound(request, () => at.client.fetch('/'));
    });
    const error = await at.ends(
      withDeadline(1_000, () => at.client.fetch('/', { fairlead: { retry: false } }), at.runtime),
    );
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(at.told.map(([ms]) => ms)).toEqual(['1000', '600', '200']);
  });

  it('that has passed refuses at once', async () => {
    const at = await scene();
    const error = await at
      .inbound({ 'x-request-timeout-ms': '0' }, () => at.client.fetch('/'))
      .catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      attempts: 0,
      message: 'users: the deadline had passed before the call began',
    });
    expect(recordOf(error)).toMatchObject({ endedBy: 'deadline', attempts: 0 });
    expect(at.told).toEqual([]);
    expect(at.client.snapshot()).toMatchObject({ inFlight: 0, bulkhead: { inFlight: 0 } });
  });

  it('never lengthens the client’s own', async () => {
    const at = await scene(() => new Promise(() => undefined));
    const from = at.runtime.now();
    let took = NaN;
    const work = at.inbound({ 'x-request-timeout-ms': '60000' }, () => at.client.fetch('/'));
    await at.ends(work.catch(() => (took = at.runtime.now() - from)));
    expect([took, at.told[0]![0]]).toEqual([15_000, '15000']);
  });
});

describe('what is told', () => {
  it.each<[ServiceClientOptions['propagate'], boolean, (string | null)[]]>([
    [undefined, false, [null, null, null]],
    [undefined, true, ['900', '1', null]],
    ['inherited', true, ['900', '1', null]],
    ['always', false, ['15000', '1', null]],
    ['always', true, ['900', '1', null]],
    [false, true, [null, null, null]],
  ])('propagate: %s, inside a deadline: %s', async (propagate, inside, told) => {
    const at = await scene(undefined, { propagate });
    await (inside ? withDeadline(900, () => at.client.fetch('/'), at.runtime) : at.client.fetch('/'));
    expect(at.told).toEqual([told]);
  });

  it('nothing of a deadline that there is not', async () => {
    const at = await scene(undefined, { propagate: 'always', deadlineMs: false });
    await at.client.fetch('/');
    expect(at.told).toEqual([[null, '1', null]]);
  });

  it('the caller’s own headers stay, and so do the request and the headers it gave', async () => {
    const at = await scene(undefined, { propagate: 'always' });
    const headers = new Headers({ 'X-Request-Timeout-Ms': '7', 'x-other': '1' });
    await at.client.fetch('/', { headers });
    expect(at.told).toEqual([['7', '1', null]]);
    expect([...headers.keys()]).toEqual(['x-other', 'x-request-timeout-ms']);
  });

  it('is refused as an option when it is something else', () => {
    const make = () =>
      createServiceClient({ service: 'users', registry: staticRegistry([]), propagate: true as never });
    expect(make).toThrow(/^propagate: expected "inherited" or "always" or false, got true/);
  });
});

describe('criticality', () => {
  it.each<[string, string | null]>([
    ['sheddable', 'sheddable'],
    ['CRITICAL_PLUS', 'critical-plus'],
    ['urgent', null],
    ['critical, sheddable', null],
  ])('%j comes in, %j goes out', async (given, told) => {
    const at = await scene();
    await at.inbound({ 'x-request-criticality': given }, () => at.client.fetch('/'));
    expect(at.told).toEqual([['15000', '1', told]]);
  });

  it('is set for what one does oneself, within the deadline there is', async () => {
    const at = await scene();
    await withDeadline(
      900,
      () => withCriticality('sheddable-plus', () => at.client.fetch('/'), at.runtime),
      at.runtime,
    );
    expect(at.told).toEqual([['900', '1', 'sheddable-plus']]);
    expect(() => withCriticality('high' as never, () => 1)).toThrow(/^withCriticality: expected "critical-plus"/);
  });

  it('survives a deadline set further in', async () => {
    const at = await scene();
    await at.inbound({ 'x-request-criticality': 'sheddable' }, () =>
      withDeadline(300, () => at.client.fetch('/'), at.runtime),
    );
    expect(at.told).toEqual([['300', '1', 'sheddable']]);
  });
});

describe('withInboundDeadline reads', () => {
  const leftOf = (request: InboundRequest): number => {
    const runtime = testRuntime();
    return withInboundDeadline(request, () => remainingMs(), runtime);
  };
  const message = new IncomingMessage(new Socket());
  message.headers['x-request-timeout-ms'] = '700';

  it.each<[string, InboundRequest]>([
    ['a request of node:http', message],
    ['a web Request', new Request('http://a/', { headers: { 'X-Request-Timeout-Ms': '700' } })],
    ['Headers', new Headers({ 'x-request-timeout-ms': '700' })],
    ['an object by name', { 'x-request-timeout-ms': '700' }],
    ['names written otherwise', { headers: { 'X-Request-Timeout-MS': '700' } }],
    ['a list of one', { headers: { 'x-request-timeout-ms': ['700'] } }],
    ['a header that is called headers', { headers: 'x', 'x-request-timeout-ms': '700' }],
    ['the tighter of two', { 'x-request-timeout-ms': '700', 'grpc-timeout': '2S' }],
    ['grpc-timeout in milliseconds', { 'grpc-timeout': '700m' }],
    ['… in microseconds', { 'grpc-timeout': '700000u' }],
  ])('%s', (_name, request) => {
    expect(leftOf(request)).toBe(700);
  });

  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3_000],
    ['500000n', 0.5],
    ['0S', 0],
  ])('grpc-timeout %s as %f ms', (value, ms) => {
    expect(leftOf({ 'grpc-timeout': value })).toBe(ms);
  });

  it.each<[string, string | string[]]>([
    ['x-request-timeout-ms', ''],
    ['x-request-timeout-ms', '-5'],
    ['x-request-timeout-ms', '+5'],
    ['x-request-timeout-ms', '1.5'],
    ['x-request-timeout-ms', '1e3'],
    ['x-request-timeout-ms', '0x10'],
    ['x-request-timeout-ms', '5ms'],
    ['x-request-timeout-ms', '5, 6'],
    ['x-request-timeout-ms', ['5', '6']],
    ['x-request-timeout-ms', '99999999999999999999'],
    ['x-request-timeout-ms', '86400001'],
    ['x-request-timeout-ms', 'Infinity'],
    ['x-request-timeout-ms', '٥'],
    ['grpc-timeout', '5'],
    ['grpc-timeout', '123456789S'],
    ['grpc-timeout', '5s'],
    ['grpc-timeout', '25H'],
    ['grpc-timeout', '1.5S'],
    ['grpc-timeout', 'S'],
  ])('%s: %j as none', (name, value) => {
    expect(leftOf({ [name]: value })).toBe(Infinity);
  });

  it('own properties only', () => {
    const inherited = Object.create({ 'x-request-timeout-ms': '5' }) as Record<string, string>;
    expect(leftOf(inherited)).toBe(Infinity);
    expect(leftOf(JSON.parse('{"__proto__":{"x-request-timeout-ms":"5"}}') as Record<string, string>)).toBe(Infinity);
  });

  it.each([undefined, null, 'x-request-timeout-ms: 5', 5])('and refuses %j', request => {
    expect(() => withInboundDeadline(request as never, () => 1)).toThrow(
      /^withInboundDeadline: request: expected a request or its headers, got/,
    );
  });

  it('hands back what the function gives, and what it throws', async () => {
    const runtime = testRuntime();
    expect(await withInboundDeadline({}, async () => 42, runtime)).toBe(42);
    expect(() =>
      withInboundDeadline(
        {},
        () => {
          throw new Error('mine');
        },
        runtime,
      ),
    ).toThrow('mine');
  });

  it('nothing outside: no deadline is left behind', () => {
    expect(remainingMs()).toBe(Infinity);
  });
});

it('tells nothing where only the client of the served request is known', async () => {
  const { client, requests } = await oneInstance(() => new Response());
  await withClientIp('10.1.1.1', () => client.fetch('/'));
  await withDeadline(1_000, () => withClientIp('10.1.1.1', () => client.fetch('/')));
  expect(requests.map(({ headers }) => headers.has('x-request-timeout-ms'))).toEqual([false, true]);
});
