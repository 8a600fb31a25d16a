import { describe, expect, it } from 'vitest';
import { roundRobin, type ClientEvent } from 'fairlead';
import { load, makeWorld } from './support.js';

type PanicEvent = Extract<ClientEvent, { type: 'panic.entered' | 'panic.left' }>;

/** So many of n ask to be left alone for a minute: that is not limited as ejection is. */
const askedToLeaveAlone = async (count: number, sick: number, ejection = {}) => {
  const told: PanicEvent[] = [];
  const world = await makeWorld({
    count,
    balancer: roundRobin(),
    ejection,
    onEvent: event => (event.type === 'panic.entered' || event.type === 'panic.left') && told.push(event),
  });
  world.servers.slice(0, sick).forEach(server => (server.mode = 'asks for 60 s'));
  await load(world, { forMs: 2_000, workers: 6 });
  return { world, told };
};

describe('panic: all serve when so few may that they would not survive it', () => {
  it.each<[n: number, sick: number, panicRatio: number | undefined, panic: boolean]>([
    [1, 1, undefined, true],
    [2, 1, undefined, false],
    [2, 2, undefined, true],
    [3, 2, undefined, false],
    [3, 3, undefined, true],
    // 3 of 10 is not fewer than 30 %.
    [10, 7, undefined, false],
    [10, 8, undefined, true],
    [10, 8, 0.1, false],
    [10, 1, 1, true],
    // 0 = never: better an error than load on the sick.
    [3, 3, 0, false],
  ])('%i instances, %i sick, panicRatio %s: %s', async (count, sick, panicRatio, panic) => {
    const { world, told } = await askedToLeaveAlone(count, sick, { panicRatio });
    expect(world.client.snapshot().panic).toBe(panic);
    expect(told.map(({ type }) => type)).toEqual(panic ? ['panic.entered'] : []);
    if (panic) expect(told[0]).toMatchObject({ members: count });
    const before = world.servers.map(({ arrived }) => arrived);
    await load(world, { forMs: 1_000, workers: 6 });
    const served = world.servers.filter(({ arrived }, index) => arrived > before[index]!).length;
    if (panic) expect(served).toBe(count);
    await world.client.close();
  });

  it('where nobody may serve and panic is off, a call is refused at once, and says when the first returns', async () => {
    const { world } = await askedToLeaveAlone(3, 3, { panicRatio: 0 });
    // One probe each, and their time is not up yet again.
    for (let probe = 0; probe < 3; probe += 1) await world.client.fetch('/');
    const refused = await world.client.fetch('/').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'NO_INSTANCES' });
    expect((refused as Error).message).toMatch(/^users: no instances, all 3 are out, the first returns in \d+ ms$/);
    await world.client.close();
  });

  it('is left as soon as enough are well again, and the sick ones are left alone again', async () => {
    const { world, told } = await askedToLeaveAlone(4, 3);
    expect(world.client.snapshot().panic).toBe(true);
    world.servers.slice(1).forEach(server => (server.mode = 'ok'));
    await load(world, { forMs: 30_000, workers: 6 });
    expect(world.client.snapshot().panic).toBe(false);
    expect(told.map(({ type }) => type)).toEqual(['panic.entered', 'panic.left']);
    expect(
      world.client
        .snapshot()
        .instances.slice(1)
        .map(({ state }) => state),
    ).toEqual(['serving', 'serving', 'serving']);
    world.servers.forEach(server => (server.arrived = 0));
    await load(world, { forMs: 2_000, workers: 6 });
    expect(world.servers[0]!.arrived).toBeLessThan(5);
    await world.client.close();
  });

  it('outcomes go on counting: who answers in a panic keeps its books', async () => {
    const { world } = await askedToLeaveAlone(2, 2);
    world.servers.forEach(server => (server.mode = 500));
    await load(world, { forMs: 1_000, workers: 6 });
    for (const { successRatio } of world.client.snapshot().instances) expect(successRatio).toBeLessThan(1);
    await world.client.close();
  });
});
