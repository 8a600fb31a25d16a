/** How each fault is told, on one server or three; the list of them is in faults.ts. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { eventually, type Cluster, type ServerNode } from '../../servers/index.js';
import {
  BACK_WITHIN_MS,
  BEYOND_TTL_MS,
  calmFor,
  rightAgain,
  setScene,
  settled,
  TTL_MS,
  type Kind,
  type Scene,
  type Witness,
} from './fault-scene.js';
import { openRegistry } from './open-registry.js';
import { countAsked, openWire, type Wire } from './wire.js';

/** The servers of a suite, and a way to each, new for each test. */
export interface Site {
  readonly cluster: Cluster;
  readonly wires: readonly Wire[];
}

export interface Outage {
  readonly what: string;
  strike(site: Site): Promise<void> | void;
  heal(site: Site): Promise<void> | void;
  /** Over before anybody gave up; else it lasts longer than a registration or a session lives. */
  readonly brief?: boolean;
}

export const down = async ({ cluster, wires }: Site): Promise<void> => {
  await cluster.kill();
  await Promise.all(wires.map(wire => wire.down()));
};
export const up = async ({ cluster, wires }: Site): Promise<void> => {
  await cluster.restart();
  await Promise.all(wires.map(wire => wire.up()));
};

const sceneOf = (kind: Kind, { wires }: Site, ttlMs?: number): Scene => {
  const addresses = wires.map(({ address }) => address);
  const times = ttlMs === undefined ? { ttlMs: TTL_MS } : undefined;
  return setScene({ wires, ttlMs, open: () => openRegistry[kind.name](addresses, times) });
};

const tell = (figures: Readonly<Record<string, number>>): void => {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(name === 'perSecond' ? 1 : 0)}`);
  console.log(`${expect.getState().currentTestName}: ${text.join(', ')}`);
};

/** The last set stayed, whatever came. */
const neverEmptied = ({ sizes }: Scene): void => expect(Math.min(...sizes.slice(sizes.indexOf(2)))).toBeGreaterThan(0);

export async function endure(kind: Kind, site: Site, { strike, heal, brief = false }: Outage): Promise<void> {
  const witness = kind.witness(site.cluster.nodes[0]);
  await using scene = await settled(sceneOf(kind, site), witness);
  const registration = await scene.pending;
  await strike(site);
  const perSecond = await calmFor(scene, brief ? 1_000 : BEYOND_TTL_MS);
  if (!brief) {
    expect(scene.told).toEqual(['lost']);
    expect(registration.state).toBe('lost');
    expect(scene.events.map(({ type }) => type)).toContain('registry.lost');
    await expect(scene.reader.discover(scene.service)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  }
  await heal(site);
  tell({ perSecond, ...(await rightAgain(scene, { witness })) });
  neverEmptied(scene);
  expect(scene.told).toEqual(brief ? [] : ['lost', 'restored']);
  await eventually(() => expect(scene.events.map(({ type }) => type)).toContain('registry.restored'));
}

export async function comeLate(kind: Kind, site: Site): Promise<void> {
  await down(site);
  await using scene = sceneOf(kind, site);
  const perSecond = await calmFor(scene, TTL_MS);
  expect(scene.sizes).toEqual([]);
  expect(scene.events.filter(({ type }) => type === 'registry.lost')).toHaveLength(1);
  await up(site);
  tell({ perSecond, ...(await rightAgain(scene, { witness: kind.witness(site.cluster.nodes[0]) })) });
}

export async function besideTheDead(kind: Kind, { cluster, wires }: Site): Promise<void> {
  const mute = createServer(socket => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const gone = await openWire('127.0.0.1:1');
  await gone.down();
  const addresses = [gone.address, `127.0.0.1:${(mute.address() as AddressInfo).port}`, wires[0]!.address];
  const open = () => openRegistry[kind.name](addresses, { ttlMs: TTL_MS });
  const witness = kind.witness(cluster.nodes.at(-1)!);
  await using scene = await settled(setScene({ wires, open }), witness);
  const stop = countAsked(wires);
  await sleep(BEYOND_TTL_MS);
  expect(scene.told).toEqual([]);
  tell({ ...stop(), ...(await rightAgain(scene, { witness })) });
  mute.close();
}

export async function giveUp(kind: Kind, site: Site): Promise<void> {
  await down(site);
  const registry = openRegistry[kind.name]([site.wires[0]!.address], { ttlMs: TTL_MS });
  const controller = new AbortController();
  const input = { id: 'own', service: 'given-up', address: '127.0.0.1', port: 1 };
  const outcome = expect(registry.register(input, { signal: controller.signal })).rejects.toThrow('enough');
  await sleep(500);
  controller.abort(new Error('enough'));
  await outcome;
  await registry.close();
  await up(site);
  await sleep(1_000);
  expect(await kind.witness(site.cluster.nodes[0]).has('given-up', 'own')).toBe(false);
}

export async function byDefault(kind: Kind, site: Site): Promise<void> {
  const witness = kind.witness(site.cluster.nodes[0]);
  const ttlMs = 15_000;
  await using scene = await settled(sceneOf(kind, site, ttlMs), witness);
  await down(site);
  const perSecond = await calmFor(scene, 20_000);
  expect(scene.told).toEqual(['lost']);
  await up(site);
  tell({ perSecond, ...(await rightAgain(scene, { witness, ttlMs })) });
  expect(scene.told).toEqual(['lost', 'restored']);
}

const others = ({ nodes }: Cluster, fallen: ServerNode): ServerNode => nodes.find(node => node !== fallen)!;

/** A majority has a leader, and it works: one that just woke up may still take itself for it. */
const serves = (witness: Witness, { service }: Scene): Promise<void> =>
  eventually(() => witness.put(service, 'mark', 7_004), { withinMs: 50_000, what: 'the servers to go on' });

export async function loseLeader(kind: Kind, site: Site, how: 'kill' | 'pause'): Promise<void> {
  const { cluster } = site;
  const leader = await cluster.leader();
  const witness = kind.witness(others(cluster, leader));
  await using scene = await settled(sceneOf(kind, site), witness);
  await leader[how]();
  try {
    const goesOn = how === 'kill' || kind.outlivesStillLeader;
    if (goesOn) await serves(witness, scene);
    const recovered = goesOn ? await rightAgain(scene, { witness, late: 'early' }) : {};
    tell({ perSecond: await calmFor(scene, BEYOND_TTL_MS, ['other']), ...recovered });
  } finally {
    await (how === 'kill' ? leader.restart() : leader.resume());
  }
  tell({ ...(await rightAgain(scene, { witness })) });
  neverEmptied(scene);
}

export async function loseMajority(kind: Kind, site: Site): Promise<void> {
  const [first, ...rest] = site.cluster.nodes;
  const witness = kind.witness(first);
  await using scene = await settled(sceneOf(kind, site), witness);
  await Promise.all(rest.map(node => node.kill()));
  const perSecond = await calmFor(scene, BEYOND_TTL_MS);
  // The survivor is no source any more.
  await expect(scene.reader.discover(scene.service)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  await Promise.all(rest.map(node => node.restart()));
  await serves(witness, scene);
  tell({ perSecond, ...(await rightAgain(scene, { witness })) });
  neverEmptied(scene);
}

export async function fallInTurn(kind: Kind, site: Site): Promise<void> {
  const { cluster } = site;
  await using scene = await settled(sceneOf(kind, site), kind.witness(cluster.nodes[0]));
  for (const how of kind.outlivesStillLeader ? (['pause', 'kill'] as const) : (['kill'] as const))
    for (const node of cluster.nodes) {
      await node[how]();
      try {
        const witness = kind.witness(others(cluster, node));
        await serves(witness, scene);
        const { backMs } = await rightAgain(scene, { witness, late: `${how}-${node.name}` });
        expect(backMs).toBeLessThan(BACK_WITHIN_MS);
      } finally {
        await (how === 'pause' ? node.resume() : node.restart());
      }
    }
  neverEmptied(scene);
}
