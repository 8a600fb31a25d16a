/** Credentials that are refused: from the start, or while all went well. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../servers/index.js';
import {
  BEYOND_TTL_MS,
  calmFor,
  freshService,
  openWires,
  rightAgain,
  SEEN_WITHIN_MS,
  setScene,
  settled,
  TTL_MS,
  type Kind,
  type Locked,
} from './fault-scene.js';
import type { Scene } from './fault-scene.js';

export const lockedCases = (kind: Kind): void => {
  let locked: Locked;
  beforeAll(async () => {
    locked = await kind.locked();
  });
  afterAll(() => locked?.cluster.stop());

  const newScene = async (prepare: (service: string) => Promise<void>): Promise<Scene> => {
    const service = freshService();
    await prepare(service);
    const wires = await openWires(locked.cluster);
    return setScene({ wires, service, open: () => locked.open(wires[0]!.address) });
  };
  const saysNoSecret = (...said: readonly unknown[]): void =>
    expect(said.map(thing => JSON.stringify(thing) + String(thing)).join()).not.toContain(locked.secret);

  it('refuses from the start: that is said at once, nobody is asked in a hurry, and it goes on when it is allowed', async () => {
    await using scene = await newScene(service => locked.revoke(service));
    const refused: unknown = await scene.pending.catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'REGISTRATION_FAILED' });
    const perSecond = await calmFor(scene, 3_000);
    expect(scene.events.filter(({ type }) => type === 'registry.lost')).toHaveLength(1);
    expect(scene.sizes).toEqual([]);
    saysNoSecret(refused, ...scene.events);
    await locked.grant(scene.service);
    const from = performance.now();
    const later = locked.open(scene.wires[0]!.address);
    try {
      await later.register({ id: 'own', service: scene.service, address: '127.0.0.1', port: 1 }, { ttlMs: TTL_MS });
      await eventually(() => expect(scene.ids()).toContain('own'), { withinMs: SEEN_WITHIN_MS });
      console.log(
        `${expect.getState().currentTestName}: perSecond ${perSecond.toFixed(1)}, seen ${(performance.now() - from).toFixed(0)}`,
      );
    } finally {
      await later.close();
    }
  });

  it('takes the rights away, and gives them back: the last set is kept', async () => {
    await using scene = await newScene(service => locked.grant(service));
    await settled(scene, locked.witness);
    await locked.revoke(scene.service);
    // Where its owner may not renew it our own entry ends, and who watches still may be told so.
    const perSecond = await calmFor(scene, BEYOND_TTL_MS, ['other']);
    await expect(scene.reader.discover(scene.service)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    await locked.grant(scene.service);
    const { backMs, seenMs } = await rightAgain(scene, { witness: locked.witness });
    console.log(`${expect.getState().currentTestName}: ${JSON.stringify({ perSecond, backMs, seenMs })}`);
    saysNoSecret(...scene.events);
  });
};
