import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createServiceClient, recordOf, staticRegistry, type ClientEvent, type ServiceClientOptions } from 'fairlead';
import { fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';

interface Hop {
  readonly afterMs: number;
  /** A status, or an error to reject with. */
  readonly gives: number | Error;
}

interface Scene {
  readonly runtime: TestRuntime;
  readonly client: ReturnType<typeof createServiceClient>;
  readonly events: ClientEvent[];
  /** [ms of the arrival, port, was it aborted?] of each request. */
  readonly arrived: { readonly at: number; readonly port: string; aborted: boolean; readonly request: Request }[];
  /** Bodies of responses: handed out by the server, and cancelled. */
  readonly bodies: { cancelled: boolean }[];
  outcomes(): string[];
}

/** The nth request, wherever it goes, ends as the nth hop says. */
const scene = async (hops: readonly Hop[], options: Partial<ServiceClientOptions> = {}): Promise<Scene> => {
  const events: ClientEvent[] = [];
  const arrived: Scene['arrived'] = [];
  const bodies: Scene['bodies'] = [];
  const runtime: TestRuntime = testRuntime({
    fetch: fakeFetch(async request => {
      const hop = hops[arrived.length] ?? { afterMs: 0, gives: 200 };
      const arrival = { at: runtime.now(), port: new URL(request.url).port, aborted: false, request };
      request.signal.addEventListener('abort', () => (arrival.aborted = true));
      arrived.push(arrival);
      await runtime.sleep(hop.afterMs);
      if (typeof hop.gives !== 'number') throw hop.gives;
      const body = { cancelled: false };
      bodies.push(body);
      return new Response(new ReadableStream({ cancel: () => void (body.cancelled = true) }), { status: hop.gives });
    }),
  });
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry([1, 2, 3].map(port => ({ address: '127.0.0.1', port }))),
    runtime,
    hedge: { afterMs: 100 },
    circuitBreaker: false,
    onEvent: event => void events.push(event),
    ...options,
  });
  await runtime.settle();
  const outcomes = (): string[] =>
    events.flatMap(event => (event.type === 'attempt.ended' ? [`${event.attempt} ${event.outcome}`] : []));
  return { runtime, client, events, arrived, bodies, outcomes };
};

const after = async <T>({ runtime }: Scene, ms: number, work: Promise<T>): Promise<T | Error> => {
  const ended = work.catch((error: unknown) => error as Error);
  await runtime.advance(ms);
  return ended;
};

const quiet = ({ client }: Scene): void => {
  const { inFlight, bulkhead, instances } = client.snapshot();
  expect([inFlight, bulkhead?.inFlight, ...instances.map(instance => instance.inFlight)]).toEqual([0, 0, 0, 0, 0]);
};

describe('a hedge', () => {
  it('goes elsewhere when the first attempt takes long; the first answer wins, the other attempt is aborted', async () => {
    const at = await scene([
      { afterMs: 1_000, gives: 200 },
      { afterMs: 30, gives: 200 },
    ]);
    const response = (await after(at, 130, at.client.fetch('/'))) as Response;
    expect(response.status).toBe(200);
    expect(at.arrived.map(({ at: ms, aborted }) => [ms, aborted])).toEqual([
      [0, true],
      [100, false],
    ]);
    expect(at.arrived[0]!.port).not.toBe(at.arrived[1]!.port);
    expect(recordOf(response)).toMatchObject({
      attempts: 2,
      hedges: 1,
      status: 200,
      instance: `users-127.0.0.1-${at.arrived[1]!.port}`,
      endedBy: 'success',
      durationMs: 130,
    });
    expect(at.events.filter(({ type }) => type.startsWith('call.'))).toMatchObject([
      { type: 'call.hedged', attempt: 2, afterMs: 100 },
      { type: 'call.ended', attempts: 2, outcome: 'success', status: 200 },
    ]);
    quiet(at);
  });

  it('leaves no mark on the instance that lost', async () => {
    const at = await scene([
      { afterMs: 1_000, gives: 200 },
      { afterMs: 30, gives: 200 },
    ]);
    await after(at, 130, at.client.fetch('/'));
    expect(at.outcomes()).toEqual(['2 success', '1 ignored']);
    expect(at.client.snapshot().instances.map(({ successRatio, state }) => [successRatio, state])).toEqual([
      [1, 'serving'],
      [1, 'serving'],
      [1, 'serving'],
    ]);
  });

  it('is not sent when the first attempt is in time', async () => {
    const timersAfter = async (hedge: ServiceClientOptions['hedge']): Promise<number> => {
      const at = await scene([{ afterMs: 99, gives: 200 }], { hedge });
      await after(at, 99, at.client.fetch('/'));
      const { pendingTimers } = at.runtime;
      await at.runtime.advance(1_000);
      expect(at.arrived).toHaveLength(1);
      return pendingTimers;
    };
    expect(await timersAfter({ afterMs: 100 })).toBe(await timersAfter(false));
  });

  it('is not sent while the first one waits on our side', async () => {
    const at = await scene([{ afterMs: 10, gives: 200 }], {
      layers: { attempt: [next => call => at.runtime.sleep(450).then(() => next(call))] },
    });
    await after(at, 460, at.client.fetch('/'));
    expect([at.arrived.length, at.client.snapshot().budget]).toEqual([1, { balance: 100 }]);
  });

  it.each<[string, RequestInit, number]>([
    ['POST', { method: 'POST', body: 'x' }, 1],
    ['POST with an Idempotency-Key', { method: 'POST', body: 'x', headers: { 'idempotency-key': '1' } }, 2],
    ['PUT', { method: 'PUT', body: 'x' }, 2],
    ['PUT of a stream', { method: 'PUT', body: new Blob(['x']).stream(), duplex: 'half' }, 1],
  ])('%s', async (_name, init, requests) => {
    const at = await scene([{ afterMs: 400, gives: 200 }]);
    await after(at, 400, at.client.fetch('/', init));
    expect(at.arrived).toHaveLength(requests);
  });

  it('needs another instance', async () => {
    const registry = staticRegistry(['http://127.0.0.1:1']);
    const at = await scene([{ afterMs: 400, gives: 200 }], { registry });
    await after(at, 400, at.client.fetch('/'));
    expect([at.arrived.length, at.client.snapshot().budget]).toEqual([1, { balance: 100 }]);
  });

  it('needs a budget, and takes one from it', async () => {
    const budget = { ratio: 0, minPerSecond: 1, ttlMs: 1_000 };
    const slow = { afterMs: 400, gives: 200 };
    const at = await scene([slow, slow, slow, slow], { retry: { budget } });
    await after(at, 400, Promise.all([at.client.fetch('/'), at.client.fetch('/')]));
    expect(at.arrived).toHaveLength(3);
    expect(at.client.snapshot().budget).toEqual({ balance: 0 });
  });

  it('is sent as often as max says, each to another instance', async () => {
    const at = await scene(
      [
        { afterMs: 1_000, gives: 200 },
        { afterMs: 1_000, gives: 200 },
        { afterMs: 10, gives: 200 },
      ],
      { hedge: { afterMs: 100, max: 5 } },
    );
    await after(at, 210, at.client.fetch('/'));
    expect(at.arrived.map(({ at: ms, aborted }) => [ms, aborted])).toEqual([
      [0, true],
      [100, true],
      [200, false],
    ]);
    expect(new Set(at.arrived.map(({ port }) => port)).size).toBe(3);
    quiet(at);
  });

  it('is sent at once with afterMs: 0', async () => {
    const at = await scene(
      [
        { afterMs: 20, gives: 200 },
        { afterMs: 10, gives: 200 },
      ],
      { hedge: { afterMs: 0 } },
    );
    await after(at, 10, at.client.fetch('/'));
    expect(at.arrived.map(({ at: ms, aborted }) => [ms, aborted])).toEqual([
      [0, true],
      [0, false],
    ]);
  });

  it('is a wish of one call, too, and so is none', async () => {
    const slow = [{ afterMs: 400, gives: 200 }];
    const off = await scene(slow, { hedge: false, retry: false });
    await after(off, 400, off.client.fetch('/', { fairlead: { hedge: { afterMs: 10 } } }));
    expect(off.arrived.map(({ at }) => at)).toEqual([0, 10]);
    const on = await scene(slow);
    await after(on, 400, on.client.fetch('/', { fairlead: { hedge: false } }));
    expect(on.arrived).toHaveLength(1);
  });

  it('works around a function, when the function may run twice', async () => {
    const at = await scene([]);
    const signals: AbortSignal[] = [];
    const fn = async ({ signal, attempt }: { signal: AbortSignal; attempt: number }): Promise<number> => {
      signals.push(signal);
      await at.runtime.sleep(attempt === 1 ? 1_000 : 10, signal);
      return attempt;
    };
    expect(await after(at, 110, at.client.call(fn, { idempotent: true }))).toBe(2);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(await after(at, 1_000, at.client.call(fn))).toBe(1);
    quiet(at);
  });
});

describe('when legs of a hedged round fail', () => {
  it('a failed hedge does not end the call', async () => {
    const at = await scene([
      { afterMs: 200, gives: 200 },
      { afterMs: 10, gives: 503 },
    ]);
    expect(await after(at, 200, at.client.fetch('/'))).toMatchObject({ status: 200 });
    expect(at.outcomes()).toEqual(['2 failure', '1 success']);
    expect(at.bodies.map(({ cancelled }) => cancelled)).toEqual([true, false]);
    quiet(at);
  });

  it('nor does a failed first attempt', async () => {
    const at = await scene([
      { afterMs: 150, gives: new TypeError('fetch failed', { cause: new Error('reset') }) },
      { afterMs: 100, gives: 200 },
    ]);
    const response = (await after(at, 200, at.client.fetch('/'))) as Response;
    expect(recordOf(response)).toMatchObject({ status: 200, attempts: 2, errors: [{ message: 'fetch failed' }] });
  });

  it('a first attempt that fails before the hedge leaves the matter to retry', async () => {
    const at = await scene([{ afterMs: 50, gives: 503 }]);
    await after(at, 1_000, at.client.fetch('/'));
    expect(at.outcomes()).toEqual(['1 failure', '2 success']);
    expect(at.events.some(({ type }) => type === 'call.hedged')).toBe(false);
  });

  it('all of them: retry sees one failed round, and goes on with the number of attempts that it has', async () => {
    const reset = (): Error => new TypeError('fetch failed', { cause: new Error('reset') });
    const at = await scene(
      [
        { afterMs: 150, gives: 503 },
        { afterMs: 100, gives: reset() },
        { afterMs: 10, gives: reset() },
        { afterMs: 10, gives: reset() },
      ],
      { retry: { maxAttempts: 3, baseMs: 10, maxMs: 10 } },
    );
    const error = await after(at, 1_000, at.client.fetch('/'));
    expect(at.outcomes()).toEqual(['1 failure', '2 failure', '3 failure', '4 failure']);
    expect(at.bodies.map(({ cancelled }) => cancelled)).toEqual([true]);
    expect(recordOf(error)).toMatchObject({ attempts: 4, hedges: 1, endedBy: 'attempts' });
    expect(recordOf(error)?.errors).toHaveLength(2);
    quiet(at);
  });

  it.each([
    ['at once', 0],
    ['after the first one failed', 100],
  ])('a hedge that was refused %s does not stand for the answer of the first', async (_name, ms) => {
    let attempts = 0;
    const refuse = async (): Promise<never> => {
      await at.runtime.sleep(ms);
      throw new Error('refused');
    };
    const at = await scene([{ afterMs: 150, gives: 503 }], {
      retry: { maxAttempts: 1 },
      layers: { attempt: [next => call => ((attempts += 1) === 2 ? refuse() : next(call))] },
    });
    const response = await after(at, 250, at.client.fetch('/'));
    expect(response).toMatchObject({ status: 503 });
    expect(recordOf(response)).toMatchObject({ attempts: 1, hedges: 1, errors: [{ message: 'refused' }] });
    quiet(at);
  });

  it('the deadline: rejects once, and the attempt that had its time counts as failed', async () => {
    const at = await scene(
      [
        { afterMs: 9_999, gives: 200 },
        { afterMs: 9_999, gives: 200 },
      ],
      { deadlineMs: 500 },
    );
    const error = await after(at, 500, at.client.fetch('/'));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', attempts: 2, errors: [] });
    expect(recordOf(error)).toMatchObject({ endedBy: 'deadline', errors: [] });
    expect(at.arrived.every(({ aborted }) => aborted)).toBe(true);
    quiet(at);
  });
});

it('a redirect through the pool after a hedge: the new round has the attempts that a round has', async () => {
  const arrived: string[] = [];
  const at = await scene([], {
    retry: { baseMs: 1, maxMs: 1 },
    transport: {
      send: async ({ path }) => {
        arrived.push(path);
        if (path === '/b') return new Response(null, { status: 503 });
        if (arrived.length === 1) await at.runtime.sleep(1_000);
        return new Response(null, { status: 302, headers: { location: 'http://users/b' } });
      },
    },
  });
  expect(await after(at, 1_000, at.client.fetch('/a'))).toMatchObject({ status: 503 });
  expect(arrived).toEqual(['/a', '/a', '/b', '/b', '/b']);
});

describe('bodies and the caller’s signal under hedging', () => {
  it('a loser that answered in the same moment has its body cancelled', async () => {
    const answers: ((response: Response) => void)[] = [];
    const send = (): Promise<Response> => new Promise(resolve => answers.push(resolve));
    const at = await scene([], { transport: { send } });
    const winner = at.client.fetch('/');
    await at.runtime.advance(100);
    const cancelled: number[] = [];
    const bodyOf = (leg: number): ReadableStream => new ReadableStream({ cancel: () => void cancelled.push(leg) });
    answers.forEach((answer, leg) => answer(new Response(bodyOf(leg))));
    await winner;
    await at.runtime.settle();
    expect(cancelled).toEqual([1]);
    expect(at.outcomes()).toEqual(['1 success', '2 success']);
    quiet(at);
  });

  it('a loser whose transport does not listen has its body cancelled when it comes', async () => {
    let sent = 0;
    const at = await scene([], {
      transport: {
        send: async () => {
          await at.runtime.sleep((sent += 1) === 1 ? 500 : 10);
          const body = { cancelled: false };
          at.bodies.push(body);
          return new Response(new ReadableStream({ cancel: () => void (body.cancelled = true) }));
        },
      },
    });
    await after(at, 1_000, at.client.fetch('/'));
    expect(at.bodies.map(({ cancelled }) => cancelled)).toEqual([false, true]);
  });

  it('an abort ends all legs, with the caller’s reason', async () => {
    const at = await scene([
      { afterMs: 1_000, gives: 200 },
      { afterMs: 1_000, gives: 200 },
    ]);
    const controller = new AbortController();
    const caught = at.client.fetch('/', { signal: controller.signal }).catch((error: unknown) => error);
    await at.runtime.advance(200);
    controller.abort('enough');
    expect(await caught).toBe('enough');
    expect(at.arrived.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(at.outcomes()).toEqual(['1 ignored', '2 ignored']);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    quiet(at);
  });

  it('an abort while the winner’s body is read cuts it', async () => {
    const at = await scene([
      { afterMs: 1_000, gives: 200 },
      { afterMs: 10, gives: 200 },
    ]);
    const controller = new AbortController();
    const response = (await after(at, 110, at.client.fetch('/', { signal: controller.signal }))) as Response;
    expect(at.arrived.map(({ aborted }) => aborted)).toEqual([true, false]);
    controller.abort('enough');
    expect(at.arrived.map(({ aborted }) => aborted)).toEqual([true, true]);
    await response.body?.cancel();
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });
});

describe('a hedge at a quantile', () => {
  it('waits until enough attempts were measured, then for what is slow among them', async () => {
    const hops: Hop[] = Array.from({ length: 200 }, (_, index) => ({ afterMs: 20 + (index % 20), gives: 200 }));
    const at = await scene(hops, { hedge: { quantile: 0.9 } });
    const slow = async (): Promise<Response> => {
      hops[at.arrived.length] = { afterMs: 900, gives: 200 };
      return (await after(at, 1_000, at.client.fetch('/'))) as Response;
    };
    for (let call = 0; call < 10; call += 1) await after(at, 40, at.client.fetch('/'));
    expect(recordOf(await slow())?.hedges).toBe(0);
    for (let call = 0; call < 40; call += 1) await after(at, 100, at.client.fetch('/'));
    const from = at.runtime.now();
    expect(recordOf(await slow())?.hedges).toBe(1);
    // Nine of ten took 38 ms or less; the sketch is off by at most 2.5 %.
    expect(at.arrived.at(-1)!.at - from).toBeGreaterThan(36);
    expect(at.arrived.at(-1)!.at - from).toBeLessThan(40);
  });

  it('comes later when slow becomes usual: an attempt that was cut counts as having taken at least so long', async () => {
    const hops: Hop[] = Array.from({ length: 30 }, () => ({ afterMs: 20, gives: 200 }));
    const at = await scene(hops, { hedge: { quantile: 0.9 }, retry: { budget: false } });
    for (let call = 0; call < 30; call += 1) await after(at, 50, at.client.fetch('/'));
    for (let call = 0; call < 40; call += 1) {
      hops[at.arrived.length] = { afterMs: 1_000, gives: 200 };
      hops[at.arrived.length + 1] = { afterMs: 20, gives: 200 };
      await after(at, 1_000, at.client.fetch('/'));
    }
    const waits = at.events.flatMap(event => (event.type === 'call.hedged' ? [event.afterMs] : []));
    expect(waits[0]).toBeLessThan(22);
    expect(waits.at(-1)).toBeGreaterThan(60);
  });

  it('cuts the tail, for a few hedges', async () => {
    const tail = async (hedge: ServiceClientOptions['hedge']): Promise<{ p99: number; hedges: number }> => {
      // One in thirty takes a second, the others 20–39 ms.
      const hops = Array.from({ length: 4_000 }, (_, n) => ({
        afterMs: (n * 7) % 30 === 0 ? 1_000 : 20 + ((n * 11) % 20),
        gives: 200,
      }));
      const at = await scene(hops, { hedge });
      const took: number[] = [];
      for (let call = 0; call < 1_000; call += 1) {
        void at.client.fetch('/').then(response => took.push(recordOf(response)!.durationMs));
        await at.runtime.advance(10);
      }
      await at.runtime.advance(2_000);
      expect(took).toHaveLength(1_000);
      took.sort((a, b) => a - b);
      return { p99: took[990]!, hedges: at.arrived.length - 1_000 };
    };
    expect((await tail(false)).p99).toBe(1_000);
    const hedged = await tail({ quantile: 0.95 });
    expect(hedged.p99).toBeLessThan(120);
    expect(hedged.hedges).toBeLessThan(100);
  });
});

describe('hedge options', () => {
  const make = (hedge: unknown) => () =>
    createServiceClient({ service: 'users', registry: staticRegistry([]), hedge: hedge as never });

  it.each<[unknown, RegExp]>([
    [100, /^hedge: expected an object, got 100; write \{ afterMs: 100 \}/],
    [true, /^hedge: expected an object, got true/],
    [{ afterMs: -1 }, /^hedge\.afterMs: expected a number >= 0 and <= 60000, got -1/],
    [{ quantile: 1 }, /^hedge\.quantile: expected a number > 0 and <= 0.999, got 1/],
    [{ quantile: 95 }, /^hedge\.quantile: .* got 95/],
    [{ max: 0 }, /^hedge\.max: expected a whole number >= 1 and <= 5, got 0/],
    [{ minCalls: 0.5 }, /^hedge\.minCalls: expected a whole number/],
    [{ afterMs: 5, quantile: 0.9 }, /^hedge: expected afterMs or quantile/],
    [{ delayMs: 5 }, /^hedge\.delayMs: no such option/],
  ])('%j is refused', (hedge, message) => {
    expect(make(hedge)).toThrow(message);
  });

  it.each([undefined, false, {}, { afterMs: undefined }, { max: 2 }, { afterMs: 0 }])('%j is taken', hedge => {
    expect(make(hedge)).not.toThrow();
  });

  it('are checked for one call, too', async () => {
    const at = await scene([]);
    await expect(at.client.fetch('/', { fairlead: { hedge: { afterMs: -1 } } })).rejects.toThrow(
      /^init\.fairlead\.hedge\.afterMs/,
    );
  });
});
