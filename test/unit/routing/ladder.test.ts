import { describe, expect, it } from 'vitest';
import { isFairleadError } from '../../../src/core/errors.js';
import type { Call } from '../../../src/core/call.js';
import { FAILURE, SUCCESS, instancesOf, routedWorld, tally, type RoutedWorld } from './support.js';

const FLEET = {
  a: { version: '1', zone: 'eu' },
  b: { version: '1', zone: 'us' },
  c: { version: '1', zone: 'us' },
  x: { version: '2', zone: 'eu', tags: ['gpu'] },
} as const;
const TO_2 = { rules: [{ name: 'canary', match: { keys: ['tester'] }, to: { version: '2' } }] };
const STRICT = { ...TO_2, fallback: 'strict' } as const;
const tester = { user: 'tester' };

const refusal = (world: RoutedWorld, call: Call): unknown => {
  try {
    world.pool.acquire(call);
    return 'not refused';
  } catch (error) {
    return error;
  }
};

describe('the ladder', () => {
  it('drops conditions one by one, the one written last first', () => {
    const to = { version: '2', tags: ['gpu'], zone: 'us' };
    const world = routedWorld({ fleet: FLEET, route: { rules: [{ to }] } });
    expect(world.pool.explain(world.call()).route).toMatchObject({ rung: 1, served: 'tag "gpu", version="2"' });
    expect(new Set(world.picks(4))).toEqual(new Set(['x']));
    world.pool.update(instancesOf({ ...FLEET, x: { version: '2', zone: 'eu' } }));
    expect(world.pool.explain(world.call()).route).toMatchObject({ rung: 2, served: 'version="2"' });
    world.pool.update(instancesOf({ a: FLEET.a, b: FLEET.b }));
    expect(world.pool.explain(world.call()).route).toMatchObject({ rung: 3, served: 'any' });
    expect(new Set(world.picks(4))).toEqual(new Set(['a', 'b']));
  });

  it.each([
    ['any', ['a', 'b', 'c', 'x']],
    [
      [{ zone: 'us' }, {}],
      ['b', 'c'],
    ],
    [[{ version: '9' }, { tags: 'gpu' }], ['x']],
  ] as const)('can be written as %j', (fallback, ids) => {
    const route = { rules: [{ to: { version: '3', zone: 'us' }, fallback }] };
    expect(new Set(routedWorld({ fleet: FLEET, route }).picks(12))).toEqual(new Set(ids));
  });

  it('goes down when all that are wanted are ejected, and up again when they are back', async () => {
    const world = routedWorld({ fleet: FLEET, route: TO_2 });
    world.eject('x', tester);
    expect(new Set(world.picks(6, tester))).toEqual(new Set(['a', 'b', 'c']));
    await world.runtime.advance(5_000);
    // Probed by those only whose route wants it.
    expect(new Set(world.picks(6, { user: 'anybody' }))).toEqual(new Set(['a', 'b', 'c']));
    for (let probe = 0; probe < 2; probe += 1) {
      const lease = world.pool.acquire(world.call(tester));
      expect(lease.endpoint.instance.id).toBe('x');
      lease.settle(SUCCESS, world.runtime.now());
    }
    expect(new Set(world.picks(6, tester))).toEqual(new Set(['x']));
  });

  it('goes down when too few are well to carry all, as the panic rule sees it', () => {
    const fleet = { ...FLEET, x2: { version: '2' }, x3: { version: '2' }, x4: { version: '2' }, y: { version: '1' } };
    const world = routedWorld({ fleet, route: TO_2 });
    for (const id of ['x', 'x2']) world.eject(id, tester);
    expect(new Set(world.picks(8, tester))).toEqual(new Set(['x3', 'x4']));
    world.eject('x3', tester);
    // One of four: not asked to do the work of four while others are well.
    expect(tally(world.picks(50, tester))['a']).toBe(10);
  });

  it('lets everybody serve when nobody anywhere is well', () => {
    const world = routedWorld({ fleet: FLEET, route: TO_2 });
    const verdict = { outcome: 'overload', retryable: true, retryAfterMs: 9_000, retryAfterScope: 'instance' } as const;
    for (let turn = 0; turn < 40; turn += 1)
      world.pool.acquire(world.call(turn % 2 ? tester : {})).settle(verdict, world.runtime.now());
    expect(world.pool.panic).toBe(true);
    expect(new Set(world.picks(12, tester))).toEqual(new Set(['a', 'b', 'c', 'x']));
    const call = world.call(tester);
    world.pool.acquire(call);
    expect(world.pool.offersMore(call)).toBe(true);
  });
});

describe('strict', () => {
  it('refuses with NO_ROUTE and the numbers when nobody is what it wants', () => {
    const world = routedWorld({ fleet: { a: FLEET.a, b: FLEET.b }, route: STRICT });
    const error = refusal(world, world.call(tester));
    expect(isFairleadError(error, 'NO_ROUTE') && error.message).toBe(
      'users: no route, rule "canary" wants version="2": none of 2 instances is that',
    );
    expect(new Set(world.picks(4))).toEqual(new Set(['a', 'b']));
  });

  it('says when the first comes back', () => {
    const world = routedWorld({ fleet: FLEET, route: STRICT, panicRatio: 0 });
    world.eject('x', tester);
    const error = refusal(world, world.call(tester));
    expect(isFairleadError(error, 'NO_ROUTE') && error.message).toMatch(
      /all 1 of 4 instances that are that are out, the first returns in \d+ ms/,
    );
    expect(isFairleadError(error) && error.retryAfterMs).toBeGreaterThan(3_900);
  });

  it('stands by the sick where there is nobody else: the panic rule holds in each set', () => {
    const world = routedWorld({ fleet: FLEET, route: STRICT });
    world.eject('x', tester);
    expect(world.state('x')).toBe('out');
    expect(new Set(world.picks(4, tester))).toEqual(new Set(['x']));
    expect(new Set(world.picks(6))).toEqual(new Set(['a', 'b', 'c']));
  });

  it('stands by the sick also where what it could fall back to is empty', () => {
    const route = { rules: [{ ...TO_2.rules[0]!, fallback: [{ version: '9' }] }] };
    const world = routedWorld({ fleet: FLEET, route });
    world.eject('x', tester);
    expect(new Set(world.picks(4, tester))).toEqual(new Set(['x']));
  });

  it('is NO_INSTANCES when there is nobody at all', () => {
    const world = routedWorld({ fleet: {}, route: STRICT });
    expect(refusal(world, world.call(tester))).toMatchObject({ code: 'NO_INSTANCES' });
  });
});

describe('a retry', () => {
  const attempts = (world: RoutedWorld, call: Call, times: number): string[] =>
    Array.from({ length: times }, () => {
      const lease = world.pool.acquire(call);
      lease.settle(FAILURE, world.runtime.now());
      return lease.endpoint.instance.id;
    });

  it('stays within the route as long as there is somebody new, then goes down the ladder', () => {
    const world = routedWorld({ fleet: { ...FLEET, x2: { version: '2' } }, route: TO_2 });
    const call = world.call(tester);
    const ids = attempts(world, call, 5);
    expect(new Set(ids.slice(0, 2))).toEqual(new Set(['x', 'x2']));
    expect(new Set(ids.slice(2))).toEqual(new Set(['a', 'b', 'c']));
    expect(world.pool.offersMore(call)).toBe(false);
  });

  it('of a strict route goes to the same again rather than elsewhere', () => {
    const world = routedWorld({ fleet: FLEET, route: STRICT });
    const call = world.call(tester);
    expect(attempts(world, call, 2)).toEqual(['x', 'x']);
    expect(world.pool.offersMore(call)).toBe(false);
  });

  it('is not dealt another share, nor does it meet rules that were changed meanwhile', () => {
    const fleet = { ...FLEET, x2: { version: '2' }, x3: { version: '2' } };
    const route = { rules: [{ share: 0.5, to: { version: '2' } }], fallback: 'strict' } as const;
    const world = routedWorld({ fleet, route });
    const isNew = (id: string): boolean => id.startsWith('x');
    for (let turn = 0; turn < 50; turn += 1) {
      const call = world.call();
      const sides = attempts(world, call, 3).map(isNew);
      expect(new Set(sides).size).toBe(1);
    }
  });
});
