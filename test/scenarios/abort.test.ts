import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createServiceClient, staticRegistry, type Transport } from 'fairlead';
import { load, makeWorld } from './support.js';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('a caller’s abort', () => {
  it.each([
    ['before', true],
    ['while it waits', false],
  ])('%s: rejects at once, with its own reason, and counts against nobody', async (_name, before) => {
    const world = await makeWorld();
    const controller = new AbortController();
    const reason = { mine: true };
    if (before) controller.abort(reason);
    const pending = world.client.fetch('/', { signal: controller.signal });
    const caught = pending.catch((error: unknown) => error);
    if (!before) await world.runtime.advance(10);
    controller.abort(reason);
    expect(await caught).toBe(reason);
    expect(world.client.snapshot().instances).toMatchObject([
      { successRatio: 1, inFlight: 0 },
      { successRatio: 1, inFlight: 0 },
      { successRatio: 1, inFlight: 0 },
    ]);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('ends a wait between two attempts', async () => {
    const world = await makeWorld({ retry: { baseMs: 10_000, maxMs: 10_000 } });
    for (const server of world.servers) server.mode = 503;
    const controller = new AbortController();
    const caught = world.client.fetch('/', { signal: controller.signal }).catch((error: unknown) => error);
    await world.runtime.advance(10);
    controller.abort('enough');
    expect(await caught).toBe('enough');
    await world.client.close();
    expect(world.runtime.pendingTimers).toBe(0);
  });

  it('ends a wait for a place in the bulkhead', async () => {
    const world = await makeWorld({ bulkhead: { maxInFlight: 1, maxQueue: 10 } });
    world.servers.forEach(server => (server.mode = 'hangs'));
    const controller = new AbortController();
    void world.client.fetch('/').catch(() => undefined);
    const caught = world.client.fetch('/', { signal: controller.signal }).catch((error: unknown) => error);
    await world.runtime.settle();
    expect(world.client.snapshot().bulkhead).toEqual({ inFlight: 1, queued: 1 });
    controller.abort('enough');
    expect(await caught).toBe('enough');
    expect(world.client.snapshot().bulkhead).toEqual({ inFlight: 1, queued: 0 });
  });

  it('ends at once where the transport does not listen', async () => {
    const transport: Transport = { send: () => new Promise(() => undefined) };
    const world = await makeWorld({ transport });
    const controller = new AbortController();
    const caught = world.client.fetch('/', { signal: controller.signal }).catch((error: unknown) => error);
    await world.runtime.advance(10);
    controller.abort('enough');
    expect(await caught).toBe('enough');
  });
});

describe('bodies and the caller’s signal', () => {
  /** A response whose body comes in two pieces, the second when told, and which breaks when `signal` aborts. */
  const slowBody = (signal: AbortSignal | undefined): { response: Response; finish: () => void } => {
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: given => void (controller = given) });
    controller!.enqueue(new TextEncoder().encode('a'));
    signal?.addEventListener('abort', () => controller.error(signal.reason), { once: true });
    return { response: new Response(body), finish: () => controller.close() };
  };
  const clientOf = (finishers: (() => void)[]) =>
    createServiceClient({
      service: 'users',
      registry: staticRegistry(['http://127.0.0.1:1']),
      transport: {
        send: (_request, _endpoint, signal) => {
          const { response, finish } = slowBody(signal);
          finishers.push(finish);
          return Promise.resolve(response);
        },
      },
    });

  it('an abort after the headers breaks the body, with the caller’s reason', async () => {
    const client = clientOf([]);
    const controller = new AbortController();
    const response = await client.fetch('/', { signal: controller.signal });
    const text = response.text();
    controller.abort('enough');
    await expect(text).rejects.toBe('enough');
    expect(listeners(controller.signal)).toBe(0);
    await client.close();
  });

  it.each<[string, (response: Response) => Promise<unknown>]>([
    ['text()', response => response.text()],
    ['arrayBuffer()', response => response.arrayBuffer()],
    ['json() of what is no JSON', response => response.json().catch(() => 'refused')],
    [
      'a reader',
      async response => {
        const reader = response.body!.getReader();
        while (!(await reader.read()).done);
      },
    ],
    [
      'for await',
      async response => {
        for await (const _chunk of response.body!);
      },
    ],
    ['pipeTo', response => response.body!.pipeTo(new WritableStream())],
    ['pipeThrough', response => new Response(response.body!.pipeThrough(new TransformStream())).text()],
    ['a clone and the original', response => Promise.all([response.clone().text(), response.text()])],
    ['another Response', response => new Response(response.body, response).text()],
  ])('read by %s: one listener until the end, then none', async (_name, read) => {
    const finishers: (() => void)[] = [];
    const client = clientOf(finishers);
    const { signal } = new AbortController();
    const response = await client.fetch('/', { signal });
    expect(listeners(signal)).toBe(1);
    const reading = read(response);
    finishers.forEach(finish => finish());
    await reading;
    await new Promise(resolve => setImmediate(resolve));
    expect(listeners(signal)).toBe(0);
    await client.close();
  });

  it('given up: none is left', async () => {
    const client = clientOf([]);
    const { signal } = new AbortController();
    const response = await client.fetch('/', { signal });
    await response.body!.cancel();
    expect(listeners(signal)).toBe(0);
    await client.close();
  });

  it('stays a true Response', async () => {
    const finishers: (() => void)[] = [];
    const client = clientOf(finishers);
    const response = await client.fetch('/');
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.bodyUsed, Object.prototype.toString.call(response)]).toEqual([
      200,
      false,
      '[object Response]',
    ]);
    finishers.forEach(finish => finish());
    expect(await response.text()).toBe('a');
    expect(response.bodyUsed).toBe(true);
    await expect(response.text()).rejects.toBeInstanceOf(TypeError);
    await client.close();
  });

  it('counts a body that breaks apart from the attempt', async () => {
    const client = createServiceClient({
      service: 'users',
      registry: staticRegistry(['http://127.0.0.1:1']),
      transport: {
        send: () =>
          Promise.resolve(
            new Response(new ReadableStream({ start: controller => controller.error(new Error('cut')) })),
          ),
      },
    });
    const told: unknown[] = [];
    client.on('body.failed', event => told.push(event));
    await expect((await client.fetch('/')).text()).rejects.toThrow('cut');
    expect(client.snapshot().instances).toMatchObject([{ bodiesFailed: 1, successRatio: 1 }]);
    expect(told).toMatchObject([{ type: 'body.failed' }]);
    await client.close();
  });
});

it('a deadline does not cut a body that was handed out', async () => {
  const world = await makeWorld({ deadlineMs: 100 });
  const pending = world.client.fetch('/');
  await world.runtime.advance(50);
  const response = await pending;
  await world.runtime.advance(1_000);
  expect(await response.text()).toBe('ok');
});

it('leaves nothing behind after a load with aborts', async () => {
  const world = await makeWorld();
  const controller = new AbortController();
  const loaded = load(world, { forMs: 500, init: { signal: controller.signal } });
  controller.abort();
  await loaded;
  await world.client.close();
  expect([world.runtime.pendingTimers, listeners(controller.signal), world.client.snapshot().inFlight]).toEqual([
    0, 0, 0,
  ]);
});
