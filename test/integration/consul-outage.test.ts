/**
 * A real Consul dies under load and comes back, with and without its data. The instances live on meanwhile, so nobody
 * who calls them may notice; Consul itself is asked by a plain fetch what it knows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { consulRegistry, type ConsulRegistry } from 'fairlead/consul';
import { askJson, eventually, serverOrSkip, startConsul, type Consul } from '../servers/index.js';
import { Load, wallNow } from './support/load.js';
import { reasons, setStage, type Stage } from './support/stage.js';

const DOWN_MS = 20_000;
/** The default of a registration. */
const TTL_MS = 15_000;
/** As soon as a registration must be back. */
const SEEN_WITHIN_MS = TTL_MS + 2_000;

const passingAt = async (url: string): Promise<string[]> => {
  const listed = (await askJson(`${url}/v1/health/service/users?passing`)) as { Service: { ID: string } }[];
  return listed.map(({ Service }) => Service.ID).sort();
};

interface Prepared extends Stage {
  readonly registrar: ConsulRegistry;
}

/** Three instances, registered with a TTL, and a client that finds them at Consul. */
const prepare = async (url: string): Promise<Prepared> => {
  const registrar = consulRegistry({ url });
  const registry = consulRegistry({ url });
  const stage = await setStage({ registry });
  await Promise.all(stage.fleet.listed('users').map(instance => registrar.register(instance)));
  await stage.client.ready();
  await eventually(() => stage.client.instances().length === 3);
  const dispose = async (): Promise<void> => {
    await stage[Symbol.asyncDispose]();
    await Promise.all([registrar.close(), registry.close()]);
  };
  return { ...stage, registrar, [Symbol.asyncDispose]: dispose };
};

/** Down for its time, then back; resolves with when it was ready again, in ms since the epoch. */
const breakDown = async (consul: Consul, wiped: boolean): Promise<number> => {
  await consul.kill();
  await expect(passingAt(consul.url)).rejects.toThrow();
  await sleep(DOWN_MS);
  if (wiped) await consul.wipe();
  await consul.restart();
  return wallNow();
};

/** A Consul that came back with its data lists what it remembers, until its checks have expired: for a moment only. */
const STEADY_MS = 3_000;

/** Resolves with when the three were back for good, in ms since the epoch. */
const whenBack = async (url: string): Promise<number> => {
  let since = Infinity;
  const isSteady = async (): Promise<boolean> => {
    const complete = (await passingAt(url)).join() === 'a,b,c';
    since = complete ? Math.min(since, wallNow()) : Infinity;
    return wallNow() - since >= STEADY_MS;
  };
  await eventually(isSteady, { withinMs: SEEN_WITHIN_MS + STEADY_MS, what: 'the registrations' });
  return since;
};

/** One more instance: resolves with the time from its registration to its first answer, in ms. */
const addOne = async ({ fleet, registrar, sentTo }: Prepared): Promise<number> => {
  const added = await fleet.add('d');
  await registrar.register({ id: 'd', service: 'users', address: '127.0.0.1', port: added.port });
  const addedAt = wallNow();
  const isUsed = (): boolean => sentTo(added, 0).some(({ answered }) => answered);
  await eventually(isUsed, { withinMs: SEEN_WITHIN_MS, what: 'the new instance to be used' });
  return wallNow() - addedAt;
};

const server = await serverOrSkip('consul');

describe.skipIf(server === undefined).concurrent('Consul is killed for 20 s under load', () => {
  it.each([
    ['with its data', false],
    ['without its data', true],
  ])('and comes back %s: no call fails, the registrations are back, a new instance is used', async (how, wiped) => {
    const consul = await startConsul();
    const stage = await prepare(consul.url);
    const load = new Load(stage.client, { workers: 10, postEvery: 5, pauseMs: () => 50 });
    try {
      await sleep(1_000);
      const readyAt = await breakDown(consul, wiped);
      const backMs = (await whenBack(consul.url)) - readyAt;
      const usedMs = await addOne(stage);
      await load.stop();

      const calls = load.between(0);
      console.log(
        `consul back ${how}: ${calls.count} calls, failed ${calls.failed().length}, registrations back`,
        `${backMs.toFixed(0)} ms after it was ready, a new instance used ${usedMs.toFixed(0)} ms after its registration`,
      );
      expect(reasons(calls.failed())).toEqual({});
      expect(calls.count).toBeGreaterThan(1_000);
      const told = stage.events.map(({ type }) => type);
      expect(told).toEqual(expect.arrayContaining(['registry.lost', 'registry.restored']));
      expect(
        stage.client
          .instances()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(['a', 'b', 'c', 'd']);
    } finally {
      await load.stop();
      await stage[Symbol.asyncDispose]();
      await consul.stop();
    }
  });
});
