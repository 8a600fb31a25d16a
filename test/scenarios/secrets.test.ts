import { inspect } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { DiscoveryClient, keyed, registerService, tokenBucket, type ServiceRequestInit } from 'fairlead';
import { consulRegistry } from 'fairlead/consul';
import { testRuntime } from 'fairlead/testing';
import {
  leaksOf,
  makeSecretWorld,
  makeSinks,
  secret,
  tellTaleRegistry,
  type Answer,
  type SecretWorld,
} from './secrets-world.js';

const worlds: SecretWorld[] = [];

afterEach(async () => {
  for (const { client, runtime, sinks } of worlds.splice(0)) {
    await Promise.all([client.close(), runtime.advance(20_000)]);
    sinks.stop();
  }
});

const world = async (answer: Answer, options?: Parameters<typeof makeSecretWorld>[1]): Promise<SecretWorld> => {
  const made = await makeSecretWorld(answer, options);
  worlds.push(made);
  return made;
};

/** A request with a secret wherever one is usual. */
const path = `/v1/users?page=visible-7&token=${secret('query')}&api_key=${secret('key')}&X-Amz-Signature=${secret('signature')}`;
const init = (more: ServiceRequestInit = {}): ServiceRequestInit => ({
  ...more,
  headers: {
    authorization: `Bearer ${secret('bearer')}`,
    'proxy-authorization': `Basic ${secret('basic')}`,
    cookie: `session=${secret('cookie')}`,
    'x-api-key': secret('header'),
  },
  fairlead: { hashKey: secret('hash-key'), ...more.fairlead },
});

const refuses = (): never => {
  throw new TypeError('fetch failed', {
    cause: Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1001'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
    }),
  });
};

it.each<[string, Answer]>([
  ['succeed', () => new Response(secret('body'), { headers: { 'set-cookie': `session=${secret('set-cookie')}` } })],
  ['fail with a status', () => new Response(secret('body'), { status: 503 })],
  ['ask for time', () => new Response(null, { status: 429, headers: { 'retry-after': '60' } })],
  ['find nobody', refuses],
  ['hang', () => new Promise<Response>(() => undefined)],
  [
    'are sent away',
    () => Response.redirect(`http://svc:${secret('location')}@evil/?token=${secret('location-token')}`, 302),
  ],
  [
    'are sent to nowhere',
    () => new Response(null, { status: 302, headers: { location: `http://[?token=${secret('bad-location')}` } }),
  ],
])('of calls that %s, no secret comes out', async (_, answer) => {
  const { client, sinks, ends } = await world(answer, {
    rateLimit: keyed(
      () => tokenBucket({ perSecond: 1, burst: 12 }),
      () => secret('limiter-key'),
    ),
    hedge: { afterMs: 20 },
    health: { headers: { authorization: secret('health') }, path: `/health?token=${secret('health-token')}` },
  });
  for (let n = 0; n < 3; n += 1) await ends(client.fetch(path, init({ method: n === 2 ? 'POST' : 'GET' })));
  // Until the circuit opens, and the limiter refuses.
  for (let n = 0; n < 4; n += 1) {
    await Promise.all(Array.from({ length: 8 }, () => ends(client.fetch(path, init()))));
  }
  await sinks.collect();
  expect(leaksOf(sinks)).toEqual([]);
  // It is looked at where something is to be seen.
  expect(sinks.told['span']!.join()).toContain('visible-7');
  for (const sink of ['event', 'console', 'pino', 'channel', 'metrics', 'explanation', 'formatted', 'snapshot'])
    expect(sinks.told[sink]!.length).toBeGreaterThan(0);
});

it('a registry that quotes its URL and its token tells neither', async () => {
  const runtime = testRuntime();
  const sinks = makeSinks(runtime);
  const registry = tellTaleRegistry([]);
  const { client, ends } = await world(() => new Response(), { registry, sinks });
  registry.fail();
  await ends(client.fetch('/'));
  const discovery = new DiscoveryClient({ registry, runtime, firstTimeoutMs: 100 });
  const watched = Promise.all([
    discovery.getInstances('users').catch((error: unknown) => sinks.note('error', error)),
    discovery.whenKnown('users').catch((error: unknown) => sinks.note('error', error)),
  ]);
  await runtime.advance(1_000);
  await watched;
  await discovery.close();
  expect(leaksOf(sinks)).toEqual([]);
  expect(sinks.told['event']!.join()).toContain('registry.lost');
  expect(sinks.told['event']!.join()).toContain('registry.problem');
});

it('a registrar that quotes them tells neither when a service cannot be registered', async () => {
  const runtime = testRuntime();
  const sinks = makeSinks(runtime);
  const failed = () =>
    Promise.reject(new Error(`PUT http://svc:${secret('registrar')}@consul/?token=${secret('register')}`));
  const service = registerService({
    service: 'users',
    registry: { register: failed },
    address: '10.0.0.7',
    port: 8_080,
    metadata: { password: secret('metadata') },
    runtime,
    onEvent: sinks.log,
    signals: false,
  });
  service.on('error', event => sinks.note('event', event));
  await runtime.advance(60_000);
  await Promise.all([service.stop(), runtime.advance(60_000)]);
  sinks.stop();
  expect(leaksOf(sinks)).toEqual([]);
  expect(sinks.told['console']!.join()).toContain('register failed');
});

it('a transport that quotes the request is thrown as it is, and told without what it quotes', async () => {
  const quoting = Object.assign(new Error(`GET http://127.0.0.1${path} failed`), {
    config: { headers: { authorization: secret('config') } },
  });
  const { client, runtime, sinks } = await world(() => Promise.reject(quoting));
  const calls = [client.fetch(path, init()), client.call(() => Promise.reject(quoting), { idempotent: true })].map(
    call => call.catch((error: unknown) => error),
  );
  await runtime.advance(20_000);
  for (const call of calls) {
    const error = await call;
    expect(error).toBe(quoting);
    sinks.note('explanation', client.explain(error));
  }
  await sinks.collect();
  expect(leaksOf(sinks)).toEqual([]);
});

it('what cannot be sent is refused without being quoted', async () => {
  const { client, sinks, ends } = await world(() => new Response());
  for (const input of [
    `http://me:${secret('user-info')}@users/`,
    `http://other/?token=${secret('query')}`,
    `//evil/?access_token=${secret('query')}`,
    `http://users:8080/?password=${secret('query')}`,
    `/\n?api_key=${secret('query')}`,
  ])
    await ends(client.fetch(input));
  await ends(client.fetch('/', { headers: { authorization: `a\n${secret('header')}` } }));
  expect(leaksOf(sinks)).toEqual([]);
  expect(sinks.told['error']).toHaveLength(6);
});

it('an agent of Consul that cannot be reached is named without its token', async () => {
  const registry = consulRegistry({ url: 'http://127.0.0.1:1', token: secret('consul-token') });
  const error: unknown = await registry.discover('users').catch((thrown: unknown) => thrown);
  await registry.close();
  expect(inspect(error, { depth: 12, showHidden: true })).not.toContain('hunter2');
  expect(inspect(error)).toContain('REGISTRY_UNAVAILABLE');
  expect(inspect(registry, { depth: 12, showHidden: true })).not.toContain('hunter2');
});
