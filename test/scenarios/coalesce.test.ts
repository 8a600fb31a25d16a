import { describe, expect, it } from 'vitest';
import { recordOf } from 'fairlead';
import { oneInstance, type OneInstance } from './one-instance.js';

/** Answers after 100 ms, in two pieces. */
const slow = (): Promise<OneInstance> =>
  oneInstance(
    async (request, runtime) => {
      await runtime.sleep(100, request.signal);
      return new Response(`answer to ${new URL(request.url).pathname}`);
    },
    { coalesce: true },
  );

const text = (call: Promise<Response>): Promise<string> => call.then(response => response.text());

describe('identical GETs in flight', () => {
  it('are sent once, and each caller has a body of its own', async () => {
    const { client, runtime, requests } = await slow();
    const calls = Array.from({ length: 5 }, () => client.fetch('/a'));
    await runtime.advance(100);
    const responses = await Promise.all(calls);
    expect(new Set(responses).size).toBe(5);
    expect(await Promise.all(responses.map(response => response.text()))).toEqual(Array(5).fill('answer to /a'));
    expect(responses.map(({ url }) => url)).toEqual(Array(5).fill('http://10.0.0.1:8080/a'));
    expect(responses.map(response => recordOf(response)!.servedFrom)).toEqual([
      'instance',
      ...Array(4).fill('coalesced'),
    ]);
    expect(recordOf(responses[4])).toMatchObject({ attempts: 1, instance: 'users-10.0.0.1-8080', status: 200 });
    expect(requests).toHaveLength(1);
  });

  it('are sent once, whatever options of its own one of them has', async () => {
    const { client, runtime, requests } = await slow();
    const calls = [client.fetch('/a'), client.fetch('/a', { fairlead: { deadlineMs: 1_000 } }), client.fetch('/a')];
    await runtime.advance(100);
    expect(await Promise.all(calls.map(text))).toEqual(Array(3).fill('answer to /a'));
    expect(requests).toHaveLength(1);
  });

  it('are sent again once the answer is there', async () => {
    const { client, runtime, requests } = await slow();
    for (let i = 0; i < 2; i += 1) {
      const call = text(client.fetch('/a'));
      await runtime.advance(100);
      await call;
    }
    expect(requests).toHaveLength(2);
  });

  it.each<[string, RequestInit, RequestInit]>([
    ['who asks', { headers: { authorization: 'a' } }, { headers: { authorization: 'b' } }],
    ['method', {}, { method: 'HEAD' }],
    ['what is accepted', {}, { headers: { accept: 'text/html' } }],
    ['no-store', {}, { cache: 'no-store' } as RequestInit],
    ['POST', { method: 'POST', body: 'x' }, { method: 'POST', body: 'x' }],
  ])('not when they differ by %s', async (_name, one, other) => {
    const { client, runtime, requests } = await slow();
    const calls = [client.fetch('/a', one), client.fetch('/a', other)];
    await runtime.advance(100);
    await Promise.all(calls);
    expect(requests).toHaveLength(2);
  });

  it('headers of tracing do not make them different', async () => {
    const { client, runtime, requests } = await slow();
    const calls = ['a', 'b'].map(id => client.fetch('/a', { headers: { traceparent: id } }));
    await runtime.advance(100);
    await Promise.all(calls);
    expect(requests).toHaveLength(1);
  });
});

describe('who gives up', () => {
  it('leaves the others their answer, the first one too', async () => {
    const { client, runtime, requests } = await slow();
    const controller = new AbortController();
    const leader = client.fetch('/a', { signal: controller.signal });
    const follower = text(client.fetch('/a'));
    await runtime.advance(50);
    controller.abort('enough');
    await expect(leader).rejects.toBe('enough');
    await runtime.advance(50);
    expect(await follower).toBe('answer to /a');
    expect(requests).toHaveLength(1);
    expect(client.snapshot().inFlight).toBe(0);
  });

  it('ends the request when it was the last', async () => {
    const { client, runtime, requests } = await slow();
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => client.fetch('/a', { signal }));
    await runtime.advance(50);
    controllers[0]!.abort('one');
    await expect(calls[0]).rejects.toBe('one');
    expect(requests[0]!.signal.aborted).toBe(false);
    controllers[1]!.abort('two');
    await expect(calls[1]).rejects.toBe('two');
    expect(requests[0]!.signal.aborted).toBe(true);
    await runtime.settle();
    expect(client.snapshot().instances[0]!.inFlight).toBe(0);
    expect(client.snapshot().bulkhead!.inFlight).toBe(0);
  });

  it('leaves at its own deadline', async () => {
    const { client, runtime } = await slow();
    const short = client.fetch('/a', { fairlead: { deadlineMs: 20 } });
    const long = text(client.fetch('/a'));
    const refused = expect(short).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await runtime.advance(100);
    await refused;
    expect(await long).toBe('answer to /a');
  });

  it('while the body is read: its own breaks, and no other', async () => {
    let send: ((text: string) => void) | undefined;
    let cancelled = false;
    const { client, runtime } = await oneInstance(
      () =>
        new Response(
          new ReadableStream({
            start: controller => {
              send = part => (part === '' ? controller.close() : controller.enqueue(new TextEncoder().encode(part)));
            },
            cancel: () => {
              cancelled = true;
            },
          }),
        ),
      { coalesce: true },
    );
    const controller = new AbortController();
    const [one, two] = await Promise.all([client.fetch('/a', { signal: controller.signal }), client.fetch('/a')]);
    const first = one.text();
    const second = two.text();
    send!('half');
    await runtime.settle();
    controller.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    send!(' and half');
    send!('');
    expect(await second).toBe('half and half');
    expect(cancelled).toBe(false);
  });
});

it('a failure is everybody’s', async () => {
  const { client } = await oneInstance(() => Promise.reject(new TypeError('fetch failed')), {
    coalesce: true,
    retry: false,
  });
  const calls = await Promise.allSettled([client.fetch('/a'), client.fetch('/a')]);
  expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

it('a wrong option is refused by name', async () => {
  await expect(oneInstance(() => new Response(), { coalesce: { key: 1 } as never })).rejects.toThrow(
    'coalesce.key: no such option; there are ignoreHeaders',
  );
});
