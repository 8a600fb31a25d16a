import { describe, expect, it } from 'vitest';
import {
  createServiceClient,
  leastConnections,
  staticRegistry,
  WATCH_BODY,
  type BodyObserver,
  type ServiceClient,
  type ServiceClientOptions,
} from 'fairlead';
import { testRuntime } from 'fairlead/testing';

/** A response of a transport that tells how its body ends: when the test says so. */
const watched = () => {
  const observers: BodyObserver[] = [];
  const response = Object.assign(new Response('body'), {
    [WATCH_BODY]: (observer: () => BodyObserver) => observers.push(observer()) > 0,
  });
  const tell = (then: (observer: BodyObserver) => void): void => observers.splice(0).forEach(then);
  return {
    response,
    end: () => tell(each => each.ended()),
    fail: (error: unknown) => tell(each => each.failed(error)),
  };
};

const world = async (options: Partial<ServiceClientOptions> = {}) => {
  const runtime = testRuntime();
  const bodies: ReturnType<typeof watched>[] = [];
  const asked: string[] = [];
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry(['http://127.0.0.1:1', 'http://127.0.0.1:2']),
    runtime,
    transport: {
      send: (_request, { instance }) => {
        asked.push(`:${instance.port}`);
        bodies.push(watched());
        return Promise.resolve(bodies.at(-1)!.response);
      },
    },
    ...options,
  });
  await client.ready();
  return { runtime, client, bodies, asked };
};

const inFlight = (client: ServiceClient): number[] => client.snapshot().instances.map(each => each.inFlight);
const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

describe('an answer whose transport tells when its body ends', () => {
  it('is in flight until then, for the instance and the client', async () => {
    const { client, bodies } = await world();
    await client.fetch('/');
    expect([sum(inFlight(client)), client.snapshot().inFlight]).toEqual([1, 1]);
    bodies[0]!.end();
    expect([sum(inFlight(client)), client.snapshot().inFlight]).toEqual([0, 0]);
  });

  it('keeps its place with a balancer that counts', async () => {
    const { client, bodies, asked } = await world({ balancer: leastConnections() });
    await client.fetch('/');
    for (let nth = 0; nth < 3; nth += 1) {
      await client.fetch('/');
      bodies.at(-1)!.end();
    }
    expect(new Set(asked.slice(1))).toEqual(new Set([asked[0] === ':1' ? ':2' : ':1']));
  });

  it('holds no place in the bulkhead: who forgets to read must not stop the others', async () => {
    const { client } = await world({ bulkhead: { maxInFlight: 1, maxQueue: 0 } });
    await client.fetch('/');
    expect((await client.fetch('/')).status).toBe(200);
  });

  it('that breaks is counted, told, and charged to its instance', async () => {
    const { client, bodies } = await world();
    const told: unknown[] = [];
    client.on('body.failed', ({ error }) => told.push(error));
    for (let nth = 0; nth < 60; nth += 1) {
      await client.fetch('/');
      bodies.at(-1)!.fail('reset');
    }
    const { instances } = client.snapshot();
    expect(told).toEqual(Array(60).fill('reset'));
    expect(sum(instances.map(each => each.bodiesFailed))).toBe(60);
    expect(instances.map(each => each.state)).toContain('out');
    expect(inFlight(client)).toEqual([0, 0]);
  });

  it('is waited for by close(), so long and no longer', async () => {
    const patient = await world();
    await patient.client.fetch('/');
    let closed = false;
    const closing = patient.client.close().then(() => (closed = true));
    await patient.runtime.advance(5_000);
    expect(closed).toBe(false);
    patient.bodies[0]!.end();
    await closing;
    const { client, runtime, bodies } = await world();
    await client.fetch('/');
    const bounded = client.close({ timeoutMs: 100 });
    await runtime.advance(100);
    // The transport ends what was cancelled.
    bodies[0]!.end();
    await bounded;
    expect(client.snapshot().state).toBe('closed');
  });
});
