import { describe, expect, it } from 'vitest';
import { routedWorld, slack, tally, type RoutedWorld } from './support.js';

const FLEET = {
  a: { version: '1', zone: 'eu' },
  b: { version: '1', zone: 'us' },
  c: { version: '2', zone: 'eu' },
  d: { version: '2', zone: 'us', tags: ['gpu'] },
} as const;
const user = (turn: number) => ({ user: `user ${turn}` });
const versionsOf = (world: RoutedWorld, turns: number, own = user): string[] => {
  const versions = new Map([...world.pool.endpoints].map(({ instance: { id, version } }) => [id, version!]));
  return world.picks(turns, own).map(id => versions.get(id)!);
};

describe('a gray release', () => {
  const canary = (share: number) => ({ rules: [{ name: 'canary', share, to: { version: '2' } }] });

  it('gives the new version its share, and the others none of it', () => {
    const seen = tally(versionsOf(routedWorld({ fleet: FLEET, route: canary(0.05) }), 10_000));
    expect(Math.abs(seen['2']! - 500)).toBeLessThan(slack(10_000, 0.05));
    expect(seen['1']).toBe(10_000 - seen['2']!);
  });

  it('keeps each user on his side, in every client, and moves nobody back while the share grows', () => {
    const sides = [0.05, 0.05, 0.2, 0.5, 1].map((share, seed) =>
      versionsOf(routedWorld({ fleet: FLEET, route: canary(share), seed }), 500),
    );
    expect(sides[1]).toEqual(sides[0]);
    for (let stage = 1; stage < sides.length; stage += 1)
      for (const [turn, version] of sides[stage]!.entries())
        if (sides[stage - 1]![turn] === '2') expect(version).toBe('2');
    expect(new Set(sides.at(-1))).toEqual(new Set(['2']));
  });

  it('moves nobody when another rule is put before it, and the shares of both hold', () => {
    const split = { split: [{ share: 0.05, to: { version: '2' } }] };
    const alone = versionsOf(routedWorld({ fleet: FLEET, route: { rules: [split] } }), 500);
    const route = { rules: [{ match: { keys: ['nobody'] }, to: { zone: 'eu' } }, split] };
    // Who lands in the rest now avoids zone eu too, so only sides are compared.
    const second = versionsOf(routedWorld({ fleet: FLEET, route }), 500);
    expect(second).toEqual(alone);
  });

  it('deals calls without a key by chance', () => {
    const seen = tally(versionsOf(routedWorld({ fleet: FLEET, route: canary(0.2) }), 5_000, () => ({}) as never));
    expect(Math.abs(seen['2']! - 1_000)).toBeLessThan(slack(5_000, 0.2));
  });

  it('splits one rule over several, in their shares', () => {
    const fleet = { ...FLEET, e: { version: '3' }, f: { version: '4' } };
    const split = [
      { share: 0.1, to: { version: '2' } },
      { share: 0.2, to: { version: '3' } },
      { share: 0.3, to: { version: '4' } },
    ];
    const seen = tally(versionsOf(routedWorld({ fleet, route: { rules: [{ split }] } }), 10_000));
    for (const [version, share] of [
      ['1', 0.4],
      ['2', 0.1],
      ['3', 0.2],
      ['4', 0.3],
    ] as const)
      expect(Math.abs(seen[version]! - 10_000 * share), version).toBeLessThan(slack(10_000, share));
  });

  it('reads the user from a header', () => {
    const route = { ...canary(0.5), key: { header: 'x-user-id' } };
    const world = routedWorld({ fleet: FLEET, route });
    const sides = Array.from({ length: 40 }, (_, turn) => {
      const headers = { 'X-User-Id': `u${turn % 10}` };
      return versionsOf(world, 1, () => ({ headers, user: `other key ${turn}` }) as never)[0];
    });
    expect(sides.slice(10)).toEqual(sides.slice(0, 30));
    expect(new Set(sides).size).toBe(2);
  });

  it('deals by chance where the key function throws or gives nothing', () => {
    for (const key of [
      () => undefined,
      () => '',
      () => 7 as never,
      () => {
        throw new Error('broken');
      },
    ]) {
      const seen = tally(
        versionsOf(routedWorld({ fleet: FLEET, route: { ...canary(0.5), key } }), 400, () => ({}) as never),
      );
      expect(Math.abs(seen['2']! - 200)).toBeLessThan(slack(400, 0.5));
    }
  });
});

describe('rules', () => {
  it('the first that matches decides; who matches none goes to those that no rule names', () => {
    const route = {
      rules: [
        { match: { headers: { 'x-tester': true } }, to: { version: '2', zone: 'eu' } },
        { match: { keys: ['ann'] }, to: { tags: 'gpu' } },
        { match: { headers: { 'x-group': 'b' } }, to: { version: '2' } },
      ],
    };
    const { picks } = routedWorld({ fleet: FLEET, route });
    expect(new Set(picks(6, { headers: { 'x-tester': '1' }, user: 'ann' }))).toEqual(new Set(['c']));
    expect(new Set(picks(6, { user: 'ann' }))).toEqual(new Set(['d']));
    expect(new Set(picks(6, { headers: { 'x-group': 'b' } }))).toEqual(new Set(['c', 'd']));
    expect(new Set(picks(6, { headers: { 'x-group': 'a' } }))).toEqual(new Set(['a', 'b']));
  });

  it.each([
    ['any', ['a', 'b', 'c', 'd']],
    [{ version: '1', zone: 'us' }, ['b']],
    [undefined, ['a', 'b']],
  ] as const)('otherwise %j', (otherwise, ids) => {
    const route = { rules: [{ match: { keys: ['ann'] }, to: { version: '2' } }], otherwise };
    expect(new Set(routedWorld({ fleet: FLEET, route }).picks(12))).toEqual(new Set(ids));
  });

  it('that name everybody leave the others everybody, even where they are strict', () => {
    const route = { rules: [{ share: 0.1, to: { version: ['1', '2'] } }], fallback: 'strict' } as const;
    expect(new Set(routedWorld({ fleet: FLEET, route }).picks(12))).toEqual(new Set(['a', 'b', 'c', 'd']));
  });

  it('do not apply to a call that says where it goes', () => {
    const { picks } = routedWorld({ fleet: FLEET, route: { rules: [{ to: { version: '1' } }] } });
    expect(new Set(picks(6, { route: { to: { tags: ['gpu'] } } }))).toEqual(new Set(['d']));
    expect(new Set(picks(12, { route: { to: {} } }))).toEqual(new Set(['a', 'b', 'c', 'd']));
  });

  it('need not exist for a call to say where it goes', () => {
    const { picks } = routedWorld({ fleet: FLEET });
    expect(new Set(picks(6, { route: { to: { version: '2' } } }))).toEqual(new Set(['c', 'd']));
    expect(new Set(picks(8))).toEqual(new Set(['a', 'b', 'c', 'd']));
  });

  it('take the key that a call brings for its share', () => {
    const world = routedWorld({
      fleet: FLEET,
      route: { rules: [{ share: 0.5, to: { version: '2' } }], key: () => 'all the same' },
    });
    const sides = new Set(versionsOf(world, 40, turn => ({ route: { key: `k${turn}` } }) as never));
    expect(sides.size).toBe(2);
  });
});
