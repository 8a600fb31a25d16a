/** Consul in trouble, one server and three; and what only agents do: an entry lives on one of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askJson, eventually, serverOrSkip, type Consul, type ConsulNode } from '../servers/index.js';
import { consulKind, passing } from './consul-stage.js';
import { BACK_WITHIN_MS, openWires, SEEN_WITHIN_MS, setScene, settled, TTL_MS } from './support/fault-scene.js';
import { faultSuite } from './support/faults.js';
import { openRegistry } from './support/open-registry.js';

const server = await serverOrSkip('consul');
const BACK = { withinMs: BACK_WITHIN_MS, what: 'the registration on the next agent' };
const SEEN = { withinMs: SEEN_WITHIN_MS, what: 'the set to be right' };

describe.skipIf(server === undefined)('consulRegistry in trouble', () => faultSuite(consulKind));

describe.skipIf(server === undefined)('three Consul agents', () => {
  let consul: Consul;
  let nodes: readonly [ConsulNode, ConsulNode, ConsulNode];
  beforeAll(async () => {
    consul = (await consulKind.start(3)) as Consul;
    const leader = await consul.leader();
    // Not the leader: on one that stands still the others wait, for a time of their own.
    nodes = [...consul.nodes.filter(node => node !== leader), leader] as unknown as typeof nodes;
  });
  afterAll(() => consul?.stop());

  it.each([
    ['is killed', (node: ConsulNode) => node.kill(), (node: ConsulNode) => node.restart()],
    ['stands still', (node: ConsulNode) => node.pause(), async (node: ConsulNode) => node.resume()],
  ])(
    'the one in use %s: reads and registration move to the next, and count once when it is back',
    async (how, fail, heal) => {
      const [first, second, third] = nodes;
      const wires = await openWires(consul);
      const open = () =>
        openRegistry.consul(
          nodes.map(({ address }) => address),
          { ttlMs: TTL_MS },
        );
      await using scene = await settled(setScene({ wires, open }), consulKind.witness(second));
      await fail(first);
      const failedAt = performance.now();
      try {
        await eventually(async () => {
          const path = `/v1/catalog/service/${scene.service}`;
          const listed = (await askJson(third.url + path)) as { Node: string; ServiceID: string }[];
          const agents = listed.filter(({ ServiceID }) => ServiceID === 'own').map(({ Node }) => Node);
          expect(agents).toContain(second.name);
        }, BACK);
        console.log(
          `consul ${how}: registered on the next agent after ${(performance.now() - failedAt).toFixed(0)} ms`,
        );
        expect(scene.ids()).toEqual(['other', 'own']);
        // News come by the next agent.
        await consulKind.witness(third).put(scene.service, 'third', 7_003);
        await eventually(() => expect(scene.ids()).toEqual(['other', 'own', 'third']), SEEN);
      } finally {
        await heal(first);
      }
      await eventually(async () => expect(await passing(first.url, scene.service)).toContain('third'));
      await eventually(() => expect(scene.ids()).toEqual(['other', 'own', 'third']), SEEN);
      await (await scene.pending).deregister();
      await eventually(async () => expect(await passing(third.url, scene.service)).toEqual(['other', 'third']));
    },
  );
});
