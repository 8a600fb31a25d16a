/** The promise to users: however long a registry was away, all is right again within TTL + 2 s after it is back. */
import { describe, expect, it } from 'vitest';
import { toInstance, type ServiceInstance } from '../../../src/core/instance.js';
import { DiscoveryClient } from '../../../src/discovery/discovery-client.js';
import { KeptRegistration } from '../../../src/registries/shared/kept-registration.js';
import { testRuntime } from '../../../src/testing/test-runtime.js';

const TTL_MS = 15_000;
const BACK_WITHIN_MS = TTL_MS + 2_000;
/** The default time limit of a request. */
const HANGS_MS = 5_000;
const WEB = { id: 'web-1', service: 'web', address: '10.0.0.1', port: 80 };

/** Chance at its worst: every pause is as long as it may be. */
const unlucky = () => Object.assign(testRuntime(), { random: () => 1 - Number.EPSILON });

/** A registry that answers, or lets each request hang until its time limit, for those that began while it was away. */
const registryOn = (runtime: ReturnType<typeof unlucky>) => {
  const state = { away: false };
  const ask = async (): Promise<void> => {
    if (!state.away) return;
    await runtime.sleep(HANGS_MS);
    throw new Error('no answer');
  };
  return Object.assign(state, { ask });
};

/** Every moment of a whole round of tries and pauses. */
const MOMENTS = Array.from({ length: 32 }, (_, index) => 600_000 + index * 500);

describe('after ten minutes and some of the worst luck', () => {
  it('a watch knows the set again in time, whenever the registry comes back', async () => {
    for (const awayMs of MOMENTS) {
      const runtime = unlucky();
      const site = registryOn(runtime);
      let listed: readonly ServiceInstance[] = [toInstance(WEB)];
      let breakDown: (error: Error) => void = () => undefined;
      const registry = {
        name: 'hanging',
        async *watch() {
          await site.ask();
          yield listed;
          await new Promise<never>((_, reject) => (breakDown = reject));
        },
        discover: async () => listed,
        close: async () => undefined,
      };
      const discovery = new DiscoveryClient({ registry, runtime });
      let ids: string[] = [];
      discovery.subscribe('web', { changed: ({ instances }) => (ids = instances.map(({ id }) => id)) });
      await runtime.advance(10_000);
      site.away = true;
      breakDown(new Error('reset'));
      await runtime.advance(awayMs);
      expect(ids).toEqual(['web-1']);
      listed = [toInstance(WEB), toInstance({ ...WEB, id: 'web-2', port: 81 })];
      site.away = false;
      await runtime.advance(BACK_WITHIN_MS);
      expect(ids, `away for ${awayMs} ms`).toEqual(['web-1', 'web-2']);
      breakDown(new Error('over'));
      await discovery.close();
    }
  });

  it.each([1_000, 3_000, TTL_MS, 60_000, 3_600_000])('a registration of %d ms is back in time', async ttlMs => {
    for (const awayMs of MOMENTS) {
      const runtime = unlucky();
      const site = registryOn(runtime);
      let present = false;
      const registration = new KeptRegistration({
        entry: {
          ...{ name: 'entry', ownStatus: true },
          write: () => site.ask().then(() => void (present = true)),
          pulse: () => site.ask().then(() => present),
          remove: async () => undefined,
        },
        ...{ input: WEB, ttlMs, pulseMs: ttlMs / 3, runtime, ended: () => undefined },
      });
      await registration.start();
      site.away = true;
      await runtime.advance(Math.max(awayMs, 2 * ttlMs + awayMs));
      expect(registration.state).toBe('lost');
      present = false;
      site.away = false;
      await runtime.advance(Math.max(HANGS_MS, ttlMs) + 2_000);
      expect([present, registration.state], `away for ${awayMs} ms`).toEqual([true, 'registered']);
      await registration.deregister();
    }
  });
});
