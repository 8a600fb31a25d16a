/** Callers and the services that registered themselves, together on virtual time. */
import { expect, it } from 'vitest';
import { createServiceClient, memoryRegistry } from 'fairlead';
import { fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';
import { begin, type Story } from '../unit/lifecycle/support.js';

const FIRST_PORT = 1_001;

/** `count` services and one caller; `arrived` counts requests by service. */
const stage = async (count: number) => {
  const arrived = Array.from({ length: count }, () => 0);
  const runtime: TestRuntime = testRuntime({
    fetch: fakeFetch(async ({ url }) => {
      arrived[Number(new URL(url).port) - FIRST_PORT]! += 1;
      await runtime.sleep(20);
      return new Response('ok');
    }),
  });
  const registry = memoryRegistry();
  const start = (n: number): Story => begin({ id: `i${n}`, port: FIRST_PORT + n, registry, runtime });
  const stories = arrived.map((_, n) => start(n));
  await Promise.all(stories.map(({ service }) => service.ready()));
  const client = createServiceClient({ service: 'users', registry, runtime });
  await runtime.settle();
  /** Calls one after the other for so long; resolves with what arrived where, and how much failed. */
  const callFor = async (ms: number): Promise<{ got: number[]; failed: number }> => {
    const before = [...arrived];
    const until = runtime.now() + ms;
    let failed = 0;
    const work = async (): Promise<void> => {
      while (runtime.now() < until) await client.fetch('/').catch(() => (failed += 1));
    };
    const workers = Array.from({ length: 4 }, work);
    await runtime.advance(ms + 100);
    await Promise.all(workers);
    return { got: arrived.map((times, n) => times - before[n]!), failed };
  };
  return { runtime, registry, stories, start, client, callFor };
};

it('an instance of weight 0 gets no calls, stays READY, and gets its share again when its weight is back', async () => {
  const { stories, client, callFor } = await stage(3);
  const [{ service }] = stories as [Story];
  expect(Math.min(...(await callFor(1_000)).got)).toBeGreaterThan(0);
  await service.update({ weight: 0 });
  expect(service.state).toBe('READY');
  expect(await callFor(1_000)).toMatchObject({ got: [0, expect.any(Number), expect.any(Number)], failed: 0 });
  await service.update({ weight: 1 });
  const { got, failed } = await callFor(1_000);
  expect(got[0]).toBeGreaterThan(0);
  expect(failed).toBe(0);
  await client.close();
});

it('a service that leaves gets no call from the moment on, while its server still answers', async () => {
  const { stories, client, runtime, callFor } = await stage(3);
  const [{ service, server }] = stories as [Story];
  void service.stop();
  await runtime.settle();
  expect(await callFor(4_000)).toMatchObject({ got: [0, expect.any(Number), expect.any(Number)], failed: 0 });
  expect(server.listening).toBe(true);
  await runtime.advance(2_000);
  expect(service.state).toBe('TERMINATED');
  await client.close();
});

it('a rollout stops at the first new instance while the registry is down: those that callers know go on serving', async () => {
  const { stories, client, registry, runtime, start, callFor } = await stage(5);
  const [first] = stories as [Story];
  await Promise.all([first.service.stop(), runtime.advance(6_000)]);
  registry.fail();
  const replacement = start(0);
  expect(await callFor(2_000)).toMatchObject({ failed: 0 });
  // Who waits for readiness, as an orchestrator does, has not touched the next one.
  expect(replacement.service.state).toBe('INIT');
  registry.recover();
  await runtime.advance(11_000);
  const { got, failed } = await callFor(1_000);
  expect(replacement.service.state).toBe('READY');
  expect(got[0]).toBeGreaterThan(0);
  expect(failed).toBe(0);
  await client.close();
});
