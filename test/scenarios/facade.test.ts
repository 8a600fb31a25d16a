import { describe, expect, it } from 'vitest';
import {
  createServiceClient,
  isFairleadError,
  memoryRegistry,
  p2c,
  recordOf,
  staticRegistry,
  withDeadline,
  type ServiceClientOptions,
} from 'fairlead';
import { fakeFetch, testRuntime } from 'fairlead/testing';
import { makeWorld } from './support.js';

/** A client of one instance that answers by a function. */
const clientOf = (
  answer: (request: Request) => Response | Promise<Response>,
  options: Partial<ServiceClientOptions> = {},
) => {
  const requests: Request[] = [];
  const runtime = testRuntime({
    fetch: fakeFetch(request => {
      requests.push(request.clone());
      return answer(request);
    }),
  });
  const registry = staticRegistry(['http://10.0.0.1:8080']);
  return { client: createServiceClient({ service: 'users', registry, runtime, ...options }), runtime, requests };
};
const ok = (): Response => new Response('ok');

describe('what fetch takes', () => {
  it.each<[string, Parameters<typeof fetch>, object]>([
    ['a path', ['/a?b=1'], { url: 'http://10.0.0.1:8080/a?b=1', method: 'GET' }],
    ['a URL that names the service', [new URL('http://USERS/a')], { url: 'http://10.0.0.1:8080/a' }],
    [
      'a Request',
      [new Request('http://users/a', { method: 'POST', body: 'x', headers: { a: '1' } })],
      { method: 'POST' },
    ],
    ['init over a Request', [new Request('http://users/a', { method: 'POST' }), { method: 'put' }], { method: 'PUT' }],
    ['a method in lower case', ['/', { method: 'post', body: 'x' }], { method: 'POST' }],
    ['a method that is not normalised', ['/', { method: 'patch' }], { method: 'patch' }],
  ])('%s', async (_name, args, expected) => {
    const { client, requests } = clientOf(ok);
    const { fetch } = client;
    expect(await (await fetch(...args)).text()).toBe('ok');
    expect(requests[0]).toMatchObject(expected);
  });

  it('sends headers and body as given', async () => {
    const { client, requests } = clientOf(ok);
    await client.fetch('/', { method: 'POST', body: '{}', headers: [['content-type', 'application/json']] });
    await client.fetch(new Request('http://users/', { method: 'POST', body: 'b', headers: { 'x-a': '1' } }));
    expect(requests[0]!.headers.get('content-type')).toBe('application/json');
    expect(await requests[0]!.text()).toBe('{}');
    expect([requests[1]!.headers.get('x-a'), await requests[1]!.text()]).toEqual(['1', 'b']);
  });

  it.each<[string, Parameters<typeof fetch>]>([
    ['another host', ['http://other/']],
    ['an authority in disguise', ['//evil']],
    ['a backslash', ['/\\evil']],
    ['a control character', ['/\t/evil']],
    ['a leading blank', [' //evil']],
    ['a line break in a path', ['/a\r\nx: y']],
    ['a line break in a header', ['/', { headers: { a: 'b\r\nc: d' } }]],
    ['https for an http instance', ['https://users/']],
    ['a body for GET', ['/', { body: 'x' }]],
  ])('refuses %s with a TypeError, and sends nothing', async (_name, args) => {
    const { client, requests } = clientOf(ok);
    await expect(client.fetch(...args)).rejects.toBeInstanceOf(TypeError);
    expect(requests).toEqual([]);
    expect(client.snapshot().instances[0]).toMatchObject({ inFlight: 0, successRatio: 1 });
  });

  it.each([
    [{ deadlineMs: 0 }, RangeError],
    [{ deadlineMs: '5' }, TypeError],
    [{ retry: 3 }, TypeError],
    [{ retry: { maxAttempts: 0 } }, RangeError],
    [{ timeout: 5 }, TypeError],
  ])('refuses init.fairlead %j', async (fairlead, type) => {
    const { client } = clientOf(ok);
    await expect(client.fetch('/', { fairlead: fairlead as never })).rejects.toBeInstanceOf(type);
  });
});

describe('redirects', () => {
  const redirect = (location: string, status = 302): Response => new Response(null, { status, headers: { location } });

  it('follows inside the instance, and says so', async () => {
    const { client, requests } = clientOf(request => (request.url.endsWith('/a') ? redirect('/b', 303) : ok()));
    const response = await client.fetch('/a', { method: 'POST', body: 'x' });
    expect([response.status, response.redirected, requests.map(({ method, url }) => `${method} ${url}`)]).toEqual([
      200,
      true,
      ['POST http://10.0.0.1:8080/a', 'GET http://10.0.0.1:8080/b'],
    ]);
  });

  it.each(['http://evil.example/', '//evil.example/', 'https://10.0.0.1:8080/', 'http://10.0.0.1:9090/'])(
    'refuses to leave it for %s',
    async location => {
      const { client, requests } = clientOf(() => redirect(location));
      await expect(client.fetch('/')).rejects.toMatchObject({ code: 'REDIRECT_REFUSED' });
      expect(requests).toHaveLength(1);
      expect(client.snapshot().instances[0]).toMatchObject({ state: 'serving', successRatio: 1 });
    },
  );

  it('leaves it when told so, without the credentials', async () => {
    const { client, requests } = clientOf(
      request => (request.url.includes('10.0.0.1') ? redirect('http://other.example/') : ok()),
      { redirects: 'any' },
    );
    await client.fetch('/', { headers: { authorization: 'secret', 'x-kept': '1' } });
    expect([requests[1]!.url, requests[1]!.headers.get('authorization'), requests[1]!.headers.get('x-kept')]).toEqual([
      'http://other.example/',
      null,
      '1',
    ]);
  });

  it('sends a Location that names the service through the pool', async () => {
    const { client, requests } = clientOf(request => (request.url.endsWith('/a') ? redirect('http://users/b') : ok()));
    const response = await client.fetch('/a');
    expect([await response.text(), response.redirected, requests.at(-1)!.url]).toEqual([
      'ok',
      true,
      'http://10.0.0.1:8080/b',
    ]);
  });

  it('ends a loop through the pool', async () => {
    const { client } = clientOf(() => redirect('http://users/a'));
    expect((await client.fetch('/a')).status).toBe(302);
  });

  it('leaves redirect: manual to the caller', async () => {
    const { client } = clientOf(() => redirect('http://users/a'));
    expect((await client.fetch('/a', { redirect: 'manual' })).status).toBe(302);
  });
});

describe('call()', () => {
  it('hands over an instance, a signal and the attempt, and gives back what was resolved', async () => {
    const { client } = clientOf(ok);
    const result = await client.call(async ({ instance, signal, attempt }) => [instance.port, signal.aborted, attempt]);
    expect(result).toEqual([8080, false, 1]);
  });

  it('is tried once unless idempotent, and rejects with the last error', async () => {
    const { client, runtime } = clientOf(ok);
    let runs = 0;
    const failing = (): Promise<never> => Promise.reject(new Error(`run ${(runs += 1)}`));
    await expect(client.call(failing)).rejects.toThrow('run 1');
    const retried = expect(client.call(failing, { idempotent: true })).rejects.toThrow('run 4');
    await runtime.advance(1_000);
    await retried;
  });

  it('believes classify', async () => {
    const { client } = clientOf(ok);
    await expect(
      client.call(() => Promise.reject(new Error('not found')), {
        classify: () => ({ outcome: 'success', retryable: false }),
      }),
    ).rejects.toThrow('not found');
    expect(client.snapshot().instances[0]!.successRatio).toBe(1);
  });

  it('cuts an attempt, and aborts its signal', async () => {
    const { client, runtime } = clientOf(ok);
    let seen: AbortSignal | undefined;
    const cut = expect(
      client.call(({ signal }) => new Promise(() => (seen = signal)), { attemptTimeoutMs: 100 }),
    ).rejects.toMatchObject({ code: 'ATTEMPT_TIMEOUT', name: 'TimeoutError' });
    await runtime.advance(100);
    await cut;
    expect(seen!.aborted).toBe(true);
  });
});

describe('faults of those that fairlead is given', () => {
  const quietly = async (run: () => Promise<void>): Promise<string[]> => {
    const warnings: string[] = [];
    const warn = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', warn);
    await run();
    await new Promise(resolve => setImmediate(resolve));
    process.off('warning', warn);
    return warnings;
  };

  it('a transport that resolves with nothing is an error, not a call that hangs', async () => {
    const { client } = clientOf(ok, { transport: { send: () => Promise.resolve(undefined as never) }, retry: false });
    await expect(client.fetch('/')).rejects.toBeInstanceOf(TypeError);
    expect(client.snapshot().instances[0]!.inFlight).toBe(0);
  });

  it.each([
    () => {
      throw new Error('mine');
    },
    () => ({ outcome: 'banana', retryable: true }) as never,
  ])('a classify with a fault is warned of and passed over', async classify => {
    const { client } = clientOf(ok, { classify });
    const warnings = await quietly(async () => expect((await client.fetch('/')).status).toBe(200));
    expect(warnings).toHaveLength(warnings.length);
  });

  it('a balancer whose hooks throw loses no count', async () => {
    const broken = (): never => {
      throw new Error('mine');
    };
    const { client } = clientOf(ok, {
      balancer: () => ({ pick: from => from.eligible[0]!, started: broken, settled: broken }),
    });
    const warnings = await quietly(async () => expect((await client.fetch('/')).status).toBe(200));
    expect([client.snapshot().instances[0]!.inFlight, warnings.length]).toEqual([0, 1]);
  });
});

describe('deadlines', () => {
  it('the tighter of own and inherited counts', async () => {
    const world = await makeWorld();
    world.servers.forEach(server => (server.mode = 'hangs'));
    const after = async (call: () => Promise<unknown>): Promise<number> => {
      const from = world.runtime.now();
      let ms = NaN;
      const ended = call().catch(() => (ms = world.runtime.now() - from));
      await world.runtime.advance(20_000);
      await ended;
      return ms;
    };
    const { fetch } = world.client;
    expect(await after(() => fetch('/'))).toBe(15_000);
    expect(await after(() => fetch('/', { fairlead: { deadlineMs: 700 } }))).toBe(700);
    expect(
      await after(() => withDeadline(300, () => fetch('/', { fairlead: { deadlineMs: 700 } }), world.runtime)),
    ).toBe(300);
    expect(
      await after(() => withDeadline(900, () => withDeadline(2_000, () => fetch('/'), world.runtime), world.runtime)),
    ).toBe(900);
    expect(await after(() => withDeadline(0, () => fetch('/'), world.runtime))).toBe(0);
  });

  it('says who, how long and how often', async () => {
    const world = await makeWorld({ deadlineMs: 8_000 });
    world.servers.forEach(server => (server.mode = 'hangs'));
    const caught = world.client.fetch('/').catch((error: unknown) => error);
    await world.runtime.advance(8_000);
    expect(await caught).toMatchObject({
      name: 'TimeoutError',
      code: 'DEADLINE_EXCEEDED',
      message: 'users: no answer within the deadline of 8000 ms (attempt 2)',
      attempts: 2,
      errors: [{ code: 'ATTEMPT_TIMEOUT' }],
    });
  });
});

describe('close', () => {
  it('lets calls in flight finish, then refuses', async () => {
    const world = await makeWorld();
    const pending = world.client.fetch('/');
    const closing = world.client.close();
    await expect(world.client.fetch('/')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await world.runtime.advance(50);
    expect((await pending).status).toBe(200);
    await closing;
    expect([world.client.snapshot().state, world.runtime.pendingTimers, world.registry.watching('users')]).toEqual([
      'closed',
      0,
      0,
    ]);
  });

  it('does not wait for ever', async () => {
    const world = await makeWorld();
    world.servers.forEach(server => (server.mode = 'hangs'));
    const caught = world.client.fetch('/').catch((error: unknown) => error);
    const closing = world.client.close({ timeoutMs: 1_000 });
    await world.runtime.advance(1_000);
    await closing;
    expect(isFairleadError(await caught, 'CLIENT_CLOSED')).toBe(true);
  });

  it('may be called twice, and ends who waits for ready()', async () => {
    const client = createServiceClient({ service: 'users', registry: memoryRegistry(), runtime: testRuntime() });
    const waiting = expect(client.ready()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await Promise.all([client.close(), client[Symbol.asyncDispose]()]);
    await waiting;
  });
});

describe('ready and instances', () => {
  it('waits for the first instance', async () => {
    const registry = memoryRegistry();
    const client = createServiceClient({ service: 'users', registry, runtime: testRuntime() });
    const ready = client.ready();
    await registry.register({ id: 'a', service: 'users', address: '10.0.0.1', port: 80 });
    await ready;
    expect(client.instances().map(({ id }) => id)).toEqual(['a']);
  });

  it('rejects with the caller’s reason', async () => {
    const client = createServiceClient({ service: 'users', registry: memoryRegistry(), runtime: testRuntime() });
    await expect(client.ready({ signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
  });
});

describe('events and records', () => {
  it('tells attempts, retries and the end of a call', async () => {
    const world = await makeWorld();
    world.servers.forEach(server => (server.mode = 503));
    const types: string[] = [];
    for (const type of ['attempt.ended', 'call.retried', 'call.ended'] as const)
      world.client.on(type, event => types.push(event.type));
    const pending = world.client.fetch('/');
    await world.runtime.advance(1_000);
    expect(recordOf(await pending)).toMatchObject({
      service: 'users',
      method: 'GET',
      attempts: 3,
      endedBy: 'attempts',
    });
    expect(types).toEqual([
      'attempt.ended',
      'call.retried',
      'attempt.ended',
      'call.retried',
      'attempt.ended',
      'call.ended',
    ]);
  });

  it('a listener that throws fails no call', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    const { client } = clientOf(ok, {
      onEvent: () => {
        throw new Error('mine');
      },
    });
    expect((await client.fetch('/')).status).toBe(200);
    expect((await client.fetch('/')).status).toBe(200);
    await new Promise(resolve => setImmediate(resolve));
    process.off('warning', warn);
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('Error: mine')]);
  });

  it('snapshot is plain JSON', async () => {
    const { client } = clientOf(ok);
    await client.fetch('/', { headers: { authorization: 'secret' } });
    const snapshot = client.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(JSON.stringify(snapshot)).not.toContain('secret');
  });
});

describe('layers', () => {
  it('stand in the order listed, around the call and around each attempt', async () => {
    const told: string[] = [];
    const named = (name: string) => (next: (call: never) => Promise<unknown>) => async (call: never) => {
      told.push(`${name} >`);
      return next(call).finally(() => told.push(`< ${name}`));
    };
    const { client } = clientOf(ok, {
      layers: { call: [named('outer'), named('inner')], attempt: [named('attempt')] } as never,
    });
    await client.fetch('/');
    expect(told).toEqual(['outer >', 'inner >', 'attempt >', '< attempt', '< inner', '< outer']);
  });

  it.each(['call', 'attempt'] as const)(
    'of kind %s keep what they know for all calls, with options or without',
    async kind => {
      const numbers: number[] = [];
      const numbering = (next: (call: never) => Promise<unknown>) => {
        let calls = 0;
        return (call: never) => {
          numbers.push((calls += 1));
          return next(call);
        };
      };
      const { client } = clientOf(ok, { layers: { [kind]: [numbering] } });
      await client.fetch('/');
      await client.fetch('/', { fairlead: { deadlineMs: 1_000 } });
      await client.fetch('/');
      expect(numbers).toEqual([1, 2, 3]);
    },
  );
});

describe('options', () => {
  const registry = memoryRegistry();
  it.each<[object, RegExp]>([
    [{ registry }, /^service: expected the name/],
    [{ service: 'users' }, /^registry: expected a registry such as/],
    [{ service: 'users', registry: {} }, /^registry: expected an object with a method discover\(\)/],
    [{ service: 'users', registry, deadlineMs: 0 }, /^deadlineMs: expected a number > 0, or false, got 0/],
    [{ service: 'users', registry, deadlineMs: Number.NaN }, /^deadlineMs: .* got NaN/],
    [{ service: 'users', registry, retry: 3 }, /^retry: expected an object, got 3; write \{ maxAttempts: 3 \}/],
    [
      { service: 'users', registry, retry: { maxAttempts: 0 } },
      /^retry\.maxAttempts: expected a whole number >= 1 and <= 10, got 0/,
    ],
    [{ service: 'users', registry, ejection: { failureRatio: 2 } }, /^ejection\.failureRatio: .* got 2/],
    [{ service: 'users', registry, timeout: 5 }, /^timeout: no such option/],
    [{ service: 'users', registry, balancer: 'p2c' }, /^balancer: expected a function, got "p2c"/],
    [{ service: 'users', registry, redirects: 'all' }, /^redirects: expected "same-origin" or "any", got "all"/],
  ])('%j is refused at construction', (options, message) => {
    expect(() => createServiceClient(options as never)).toThrow(message);
  });

  it('takes undefined for every default', () => {
    const options = {
      deadlineMs: undefined,
      attemptTimeoutMs: undefined,
      retry: undefined,
      bulkhead: undefined,
      ejection: undefined,
      balancer: undefined,
    };
    expect(() => createServiceClient({ service: 'users', registry, ...options })).not.toThrow();
    expect(() =>
      createServiceClient({
        service: 'users',
        registry,
        retry: false,
        bulkhead: false,
        ejection: false,
        balancer: p2c(),
      }),
    ).not.toThrow();
  });
});
