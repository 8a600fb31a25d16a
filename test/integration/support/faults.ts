/**
 * What may happen to a registry, one server and three, while a registration lives and a DiscoveryClient watches. In each:
 * the last good set is kept, nobody asks in a hurry (the figure is printed), no rejection goes unhandled, and registration
 * and set are right again in time. The same script for every kind of registry.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Cluster } from '../../servers/index.js';
import * as cases from './fault-cases.js';
import { down, up, type Outage } from './fault-cases.js';
import { openWires, type Kind } from './fault-scene.js';
import { lockedCases } from './locked-faults.js';
import type { Wire } from './wire.js';

const OUTAGES: readonly Outage[] = [
  { what: 'killed, and back with its data', strike: down, heal: up },
  {
    what: 'killed, and back without its data',
    strike: down,
    heal: async site => {
      await site.cluster.wipe();
      await up(site);
    },
  },
  {
    what: 'stopped for longer than a lease, and goes on',
    strike: ({ cluster }) => cluster.pause(),
    heal: ({ cluster }) => cluster.resume(),
  },
  {
    what: 'out of reach for longer than a lease',
    strike: async ({ wires }) => void (await Promise.all(wires.map(wire => wire.down()))),
    heal: async ({ wires }) => void (await Promise.all(wires.map(wire => wire.up()))),
  },
  {
    what: 'behind connections that fall silent',
    strike: ({ wires }) => wires.forEach(wire => wire.stall(true)),
    heal: ({ wires }) => wires.forEach(wire => (wire.cut(), wire.stall(false))),
  },
  {
    what: 'cut off under a watch, for a moment',
    strike: ({ wires }) => wires.forEach(wire => wire.cut()),
    heal: () => undefined,
    brief: true,
  },
];

export const faultSuite = (kind: Kind): void => {
  const rejections: unknown[] = [];
  const collect = (reason: unknown): void => void rejections.push(reason);
  beforeAll(() => {
    for (const event of ['unhandledRejection', 'uncaughtException'] as const) process.on(event, collect);
  });
  afterEach(() => expect(rejections.splice(0)).toEqual([]));
  afterAll(() => {
    for (const event of ['unhandledRejection', 'uncaughtException'] as const) process.off(event, collect);
  });
  describe.each([1, 3] as const)(`${kind.name}, servers: %d`, count => {
    const site: { cluster: Cluster; wires: readonly Wire[] } = { cluster: undefined as unknown as Cluster, wires: [] };
    beforeAll(async () => {
      site.cluster = await kind.start(count);
    });
    beforeEach(async () => {
      if (site.cluster.nodes.some(({ state }) => state !== 'running')) await site.cluster.restart();
      site.wires = await openWires(site.cluster);
    });
    afterAll(() => site.cluster?.stop());
    for (const outage of OUTAGES) it(outage.what, () => cases.endure(kind, site, outage));
    it('up only after its clients', () => cases.comeLate(kind, site));
    it('named beside a dead endpoint, and one that only takes connections', () => cases.besideTheDead(kind, site));
    if (count === 1) {
      it('given up by a registration while it is away', () => cases.giveUp(kind, site));
      it('killed for 20 s, with every option at its default', () => cases.byDefault(kind, site));
    } else {
      it.each(['kill', 'pause'] as const)('whose leader falls: %s', how => cases.loseLeader(kind, site, how));
      it('without a majority', () => cases.loseMajority(kind, site));
      it('each of which falls in turn, so those too that are asked and watched', () => cases.fallInTurn(kind, site));
    }
  });
  describe(`${kind.name} that asks for credentials`, () => lockedCases(kind));
};
