import { expect, it } from 'vitest';
import { recordOf, roundRobin, type AttemptExplanation } from 'fairlead';
import { makeWorld } from './support.js';

const triesOf = (target: unknown): readonly AttemptExplanation[] => recordOf(target)!.tries;

it('a call that goes well at once keeps no explanation', async () => {
  const { client, runtime } = await makeWorld();
  const call = client.fetch('/');
  await runtime.advance(100);
  expect(triesOf(await call)).toEqual([]);
});

it('… unless it is asked for', async () => {
  const { client, runtime } = await makeWorld();
  const call = client.fetch('/', { fairlead: { explain: 'all' } });
  await runtime.advance(100);
  expect(triesOf(await call)).toMatchObject([
    {
      attempt: 1,
      outcome: 'success',
      status: 200,
      durationMs: 50,
      route: null,
      known: 3,
      members: 3,
      eligible: 3,
      out: [],
    },
  ]);
});

it('a retried call tells where each attempt could go, who was out and why, and who was chosen by what numbers', async () => {
  const { client, runtime, servers } = await makeWorld({ circuitBreaker: false, balancer: roundRobin() });
  const ask = async (): Promise<Response> => {
    const call = client.fetch('/');
    await runtime.advance(400);
    return call;
  };
  servers[0]!.mode = 503;
  while (client.snapshot().instances[0]!.state === 'serving') await ask();
  servers[1]!.mode = 503;
  let response = await ask();
  while (triesOf(response).length < 2) response = await ask();
  const [first, second] = triesOf(response);
  expect(first).toMatchObject({ attempt: 1, outcome: 'failure', status: 503, known: 3, members: 3, eligible: 2 });
  expect(first).toMatchObject({ out: [{ id: 'a', reason: '5 failures in a row' }], chosen: { id: 'b', weight: 1 } });
  expect(second).toMatchObject({ attempt: 2, outcome: 'success', status: 200, chosen: { id: 'c' } });
  expect(second!.out).toContainEqual({ id: 'b', reason: 'tried by this call', availableInMs: null });
  expect(JSON.parse(JSON.stringify(triesOf(response)))).toEqual(triesOf(response));
  expect(client.explain(response)!.tries).toEqual(triesOf(response));
  expect(client.explain(new Response())).toBeUndefined();
});

it('a call without an answer tells it on its error', async () => {
  const { client, runtime, servers } = await makeWorld({ count: 1, retry: false });
  servers[0]!.mode = 'refuses';
  const failed = client.fetch('/').catch((error: unknown) => error);
  await runtime.advance(100);
  expect(triesOf(await failed)).toMatchObject([{ attempt: 1, outcome: 'failure', status: null, chosen: { id: 'a' } }]);
});

it('of a large fleet no more than 50 are named', async () => {
  const { client, runtime, registry } = await makeWorld({ count: 1 });
  const idle = Array.from({ length: 200 }, (_, index) => ({
    id: `idle-${index}`,
    address: '127.0.0.1',
    port: 2_000 + index,
    weight: 0,
  }));
  registry.set('users', [{ id: 'a', address: '127.0.0.1', port: 1_001 }, ...idle]);
  await runtime.settle();
  const call = client.fetch('/', { fairlead: { explain: 'all' } });
  await runtime.advance(100);
  const [told] = triesOf(await call);
  expect(told).toMatchObject({ known: 201, members: 1, eligible: 1 });
  expect(told!.out).toHaveLength(50);
});

it('a wrong value is refused by name', async () => {
  const { client } = await makeWorld();
  await expect(client.fetch('/', { fairlead: { explain: true as never } })).rejects.toThrow(
    'init.fairlead.explain: expected "failures" or "all", got true',
  );
});
