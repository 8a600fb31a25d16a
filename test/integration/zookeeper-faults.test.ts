/** ZooKeeper in trouble, one server and three; and what only sessions do. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, serverOrSkip, type ZooKeeper } from '../servers/index.js';
import { rightAgain, setScene, settled, TTL_MS, type Scene } from './support/fault-scene.js';
import { faultSuite } from './support/faults.js';
import { openRegistry } from './support/open-registry.js';
import { openWire, type Wire } from './support/wire.js';
import { ephemeralsOf, zookeeperKind } from './zookeeper-stage.js';

const server = await serverOrSkip('zookeeper');

describe.skipIf(server === undefined)('zookeeperRegistry in trouble', () => faultSuite(zookeeperKind));

describe.skipIf(server === undefined)('a session with ZooKeeper', () => {
  let zookeeper: ZooKeeper;
  let wire: Wire;
  beforeAll(async () => {
    zookeeper = (await zookeeperKind.start(1)) as ZooKeeper;
  });
  afterEach(() => wire?.[Symbol.asyncDispose]());
  afterAll(() => zookeeper?.stop());

  const sceneOf = async (ttlMs: number): Promise<Scene> => {
    wire = await openWire(zookeeper.connectString);
    const open = () => openRegistry.zookeeper([wire.address], { ttlMs });
    return settled(setScene({ wires: [wire], open, ttlMs }), zookeeperKind.witness(zookeeper.nodes[0]));
  };
  const ownerOf = async ({ service }: Scene): Promise<string | undefined> =>
    (await ephemeralsOf(zookeeper)).get(`/services/${service}/own`);

  it('goes on after a cut connection, and the entry with it', async () => {
    await using scene = await sceneOf(TTL_MS);
    const before = await ownerOf(scene);
    wire.cut();
    await rightAgain(scene, { witness: zookeeperKind.witness(zookeeper.nodes[0]) });
    expect(await ownerOf(scene)).toBe(before);
    expect(scene.told).toEqual([]);
  });

  it('is refused by a server that came back without its data and saw less than we did: a new one is made in time', async () => {
    const ttlMs = 6_000;
    await using scene = await sceneOf(ttlMs);
    const before = await ownerOf(scene);
    await zookeeper.kill();
    await zookeeper.wipe();
    await zookeeper.restart();
    const [made, from] = [wire.made, performance.now()];
    const witness = zookeeperKind.witness(zookeeper.nodes[0]);
    await eventually(async () => expect(await witness.has(scene.service, 'own')).toBe(true), {
      withinMs: ttlMs + 2_000,
      what: 'a new session',
    });
    const tookMs = performance.now() - from;
    const perSecond = (wire.made - made) / (tookMs / 1_000);
    console.log(`refused for ${tookMs.toFixed(0)} ms: ${perSecond.toFixed(1)} connections tried per second`);
    expect(perSecond).toBeLessThan(15);
    expect(await ownerOf(scene)).not.toBe(before);
    await rightAgain(scene, { witness });
  });
});
