import { describe, expect, it } from 'vitest';
import { failedBetween, makeWorld, offer } from './support.js';

describe('the whole service down for 60 s, without a breaker', () => {
  const attempts = (servers: readonly { arrived: number }[]): number =>
    servers.reduce((sum, { arrived }) => sum + arrived, 0);

  it.each([100, 10])(
    'at %i calls/s: attempts stay within the budget, and it is well within 10 s of its return',
    async perSecond => {
      const world = await makeWorld({ deadlineMs: 1_000, circuitBreaker: false });
      await offer(world, { perSecond, forMs: 10_000 });
      for (const server of world.servers) Object.assign(server, { mode: 503, arrived: 0 });
      const down = await offer(world, { perSecond, forMs: 60_000 });
      const most = perSecond >= 100 ? 1.2 * down.calls : 1.2 * down.calls + 10 * (60 + 10);
      expect(down.failed).toBe(down.calls);
      expect(attempts(world.servers)).toBeLessThanOrEqual(most);
      for (const server of world.servers) server.mode = 'ok';
      const from = world.runtime.now();
      const after = await offer(world, { perSecond, forMs: 15_000 });
      expect(failedBetween(after, from + 10_000, Infinity)).toBe(0);
    },
  );
});
