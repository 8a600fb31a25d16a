import { expect, it } from 'vitest';
import { withDeadline } from 'fairlead';
import { load, makeWorld } from './support.js';

it('one instance that fails fast does not attract traffic', async () => {
  const world = await makeWorld({ ejection: false, retry: false });
  world.servers[0]!.mode = 500;
  world.servers[0]!.latencyMs = 1;
  await load(world, { forMs: 2_000 });
  world.servers.forEach(server => (server.arrived = 0));
  await load(world, { forMs: 5_000 });
  const [sick, ...healthy] = world.servers.map(({ arrived }) => arrived);
  expect(sick).toBeLessThan(Math.min(...healthy));
});

it('one of ten instances 20 × slower is left almost alone by p2c', async () => {
  const world = await makeWorld({ count: 10 });
  world.servers[0]!.latencyMs = 1_000;
  const tally = await load(world, { forMs: 10_000 });
  const late = tally.log.filter(([startedAt]) => startedAt > 2_000).map(([, ms]) => ms);
  const p99 = late.sort((a, b) => a - b)[Math.floor(late.length * 0.99)]!;
  expect(p99).toBeLessThanOrEqual(100);
});

it('five calls whose inherited deadline is too short for anybody eject nobody', async () => {
  const world = await makeWorld();
  await load(world, { forMs: 1_000 });
  for (let call = 0; call < 5; call += 1) {
    const cut = expect(withDeadline(20, () => world.client.fetch('/'), world.runtime)).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    await world.runtime.advance(100);
    await cut;
  }
  expect(world.client.snapshot().instances.map(({ state }) => state)).toEqual(['serving', 'serving', 'serving']);
});

it('a timer that comes late, because our own loop was blocked, is nobody’s failure', async () => {
  const world = await makeWorld({ ejection: { consecutiveFailures: 1 } });
  await load(world, { forMs: 200, workers: 3 });
  const { now } = world.runtime;
  let blockedMs = 0;
  Object.assign(world.runtime, { now: () => now() + blockedMs });
  world.servers.forEach(server => (server.mode = 'hangs'));
  const pending = Promise.all([1, 2, 3].map(() => world.client.fetch('/').catch(() => undefined)));
  await world.runtime.advance(4_999);
  blockedMs = 1_000;
  await world.runtime.advance(1);
  expect(world.client.snapshot().instances.map(({ state }) => state)).toEqual(['serving', 'serving', 'serving']);
  await world.runtime.advance(20_000);
  await pending;
});
