import { describe, expect, it } from 'vitest';
import { createServiceClient, staticRegistry } from 'fairlead';
import { testRuntime } from 'fairlead/testing';

/** A body that breaks after its first chunk. */
const breaking = (): Response => {
  let sent = false;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    if (sent) return controller.error(new Error('reset'));
    sent = true;
    controller.enqueue(new Uint8Array(4));
  };
  return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
};

const world = async (respond: () => Response) => {
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry(['http://127.0.0.1:1']),
    runtime: testRuntime(),
    transport: { send: () => Promise.resolve(respond()) },
  });
  const told: unknown[] = [];
  client.on('body.failed', ({ error }) => told.push((error as Error).message));
  await client.ready();
  return { told, ask: () => client.fetch('/') };
};

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

type Read = (response: Response) => Promise<unknown>;

const drain: Read = async response => {
  const reader = response.body!.getReader();
  while (!(await reader.read()).done);
};

const BROKEN: readonly [string, Read][] = [
  ['read as text', response => response.text()],
  ['read twice', async response => [await settled(response.text()), await response.text()]],
  ['read, and then its stream', async response => [await settled(response.text()), await drain(response)]],
  ['read as a stream', drain],
  [
    'read as a stream, by two in turn',
    async response => {
      const stream = response.body!;
      const reader = stream.getReader();
      await settled(reader.read().then(() => reader.read()));
      reader.releaseLock();
      await stream.getReader().read();
    },
  ],
  ['read as a stream, and then as text', async response => [await settled(drain(response)), await response.text()]],
  ['read in two copies', async response => Promise.all([response.clone().text(), response.text()])],
];

describe('a body that breaks is told once', () => {
  it.each(BROKEN)('when it is %s', async (_how, read) => {
    const { told, ask } = await world(breaking);
    await settled(read(await ask()));
    await new Promise(resolve => setImmediate(resolve));
    expect(told).toEqual(['reset']);
  });
});

describe('a read that is refused says nothing about the instance', () => {
  it.each<[string, Read]>([
    ['of a body that was read', async response => [await response.text(), await response.text()]],
    ['of a body that somebody else reads', async response => [response.body!.getReader(), await response.text()]],
    [
      'past fairlead and then again',
      async response => [await Response.prototype.text.call(response), await response.text()],
    ],
  ])('%s', async (_what, read) => {
    const { told, ask } = await world(() => new Response('body'));
    await expect(read(await ask())).rejects.toThrow(TypeError);
    await new Promise(resolve => setImmediate(resolve));
    expect(told).toEqual([]);
  });
});
