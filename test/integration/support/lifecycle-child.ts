/**
 * A program that uses fairlead on the real runtime and then has nothing left to do: `lifecycle.test.ts` looks whether it
 * ends by itself, and what it said. Its arguments: the name of a story, and the `host:port` of an instance.
 */
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServiceClient, memoryRegistry, staticRegistry, type Registry, type ServiceClient } from 'fairlead';
import { consulRegistry } from 'fairlead/consul';

const [, , story = '', place = '', consulUrl = ''] = process.argv;
const [address = '', port = ''] = place.split(':');
const entry = { service: 'users', address, port: Number(port) };

const clientOf = (registry: Registry): ServiceClient => createServiceClient({ service: 'users', registry });
const inStatic = (): ServiceClient => clientOf(staticRegistry([place]));
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;
const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code ?? String(error);

const callAndRead = async (client: ServiceClient): Promise<number> => {
  const responses = await Promise.all(Array.from({ length: 20 }, () => client.fetch('/work')));
  await Promise.all(responses.map(response => response.text()));
  return responses.filter(({ ok }) => ok).length;
};

const callAndClose = async (registry: Registry): Promise<unknown> => {
  const client = clientOf(registry);
  const ok = await callAndRead(client);
  await client.close();
  return { ok, after: await client.fetch('/work').catch(codeOf) };
};

/** Calls on one signal in batches, with the most listeners that were seen on it. */
const callOn = async (signal: AbortSignal, client: ServiceClient): Promise<number> => {
  let most = 0;
  for (let batch = 0; batch < 40; batch += 1) {
    const responses = await Promise.all(Array.from({ length: 50 }, () => client.fetch('/work', { signal })));
    most = Math.max(most, listeners(signal));
    await Promise.all(responses.map(response => response.text()));
    most = Math.max(most, listeners(signal));
  }
  return most;
};

const STORIES: Record<string, () => Promise<unknown>> = {
  'closed, memory': () => callAndClose(memoryRegistry({ instances: [entry] })),
  'closed, static': () => callAndClose(staticRegistry([place])),
  async 'closed, consul'() {
    const registry = consulRegistry({ url: consulUrl });
    const registration = await registry.register(entry);
    const told = await callAndClose(registry);
    await registration.deregister();
    return told;
  },
  async 'closed, small responses unread'() {
    const client = inStatic();
    const responses = await Promise.all(Array.from({ length: 5 }, () => client.fetch('/work')));
    await client.close();
    return responses.length;
  },
  async 'closed, a large response unread'() {
    const client = inStatic();
    const { status } = await client.fetch('/bytes/10000000');
    await client.close();
    return status;
  },
  async 'closed while a call is in flight'() {
    const client = inStatic();
    const pending = client.fetch('/work').then(response => response.text());
    await sleep(10);
    await client.close();
    return pending;
  },
  async 'closed and never used'() {
    await inStatic().close();
  },
  'never closed, static': () => callAndRead(inStatic()),
  'never closed, memory': () => callAndRead(clientOf(memoryRegistry({ instances: [entry] }))),
  async 'never closed, never used'() {
    await Promise.resolve(inStatic());
  },
  // Nothing else keeps this program alive: a call that waits has to.
  'a call waits to be tried again': () =>
    inStatic()
      .fetch('/work')
      .catch((error: unknown) => codeOf((error as Error).cause)),
  'a call waits for the registry': () =>
    clientOf(consulRegistry({ url: consulUrl }))
      .fetch('/work')
      .catch(codeOf),
  'a call waits for a server that hangs': () =>
    inStatic()
      .fetch('/work', { fairlead: { deadlineMs: 300 } })
      .catch(codeOf),
  async 'an abort in the middle of a body'() {
    const client = inStatic();
    const controller = new AbortController();
    const reason = { mine: true };
    const response = await client.fetch('/stream', { signal: controller.signal, headers: { 'x-id': 'stream' } });
    const reader = response.body!.getReader();
    await reader.read();
    const reading = (async () => {
      while (!(await reader.read()).done);
    })().catch((error: unknown) => error);
    await sleep(100);
    const abortedAt = performance.now();
    controller.abort(reason);
    const caught = await reading;
    const withinMs = performance.now() - abortedAt;
    const { instances } = client.snapshot();
    return { ownReason: caught === reason, withinMs, left: listeners(controller.signal), instances };
  },
  async '2 000 calls on one signal'() {
    const client = inStatic();
    const { signal } = new AbortController();
    const most = await callOn(signal, client);
    return { most, left: listeners(signal) };
  },
  async 'responses that nobody reads'() {
    const client = inStatic();
    const { signal } = new AbortController();
    for (let n = 0; n < 50; n += 1) await client.fetch('/work', { signal });
    const before = listeners(signal);
    // Collection comes when it comes: a bounded number of requests for it.
    let tries = 0;
    for (; tries < 200 && listeners(signal) > 0; tries += 1) {
      gc?.();
      await sleep(20);
    }
    return { before, left: listeners(signal), tries };
  },
};

const told = await STORIES[story]!();
console.log(JSON.stringify({ told }));
