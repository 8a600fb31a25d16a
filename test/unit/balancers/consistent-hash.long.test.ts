import { describe, expect, it } from 'vitest';
import { consistentHash, type Balancer, type Candidates, type ConsistentHashOptions } from 'fairlead';
import { seededRandom, testCall, testCandidates, testEndpoint, type TestEndpoint } from 'fairlead/testing';
import { HashSeats } from '../../../src/balancers/hash-seats.js';
import { Ring } from '../../../src/balancers/ring.js';
import { binomialBound, build, equals, fleetOf, idOf } from './support.js';

const KEYS = Array.from({ length: 20_000 }, (_, index) => `user-${index}`);
const BOTH = [
  ['ring', { algorithm: 'ring' }],
  ['maglev', { algorithm: 'maglev' }],
] as const satisfies readonly (readonly [string, ConsistentHashOptions])[];

/** Where each key goes. */
const map = (balancer: Balancer, from: Candidates, keys: readonly string[] = KEYS): TestEndpoint[] =>
  keys.map(hashKey => balancer.pick(from, testCall({ hashKey })) as TestEndpoint);

const countsOf = (owners: readonly TestEndpoint[]): Map<TestEndpoint, number> => {
  const counts = new Map<TestEndpoint, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return counts;
};

const moved = (before: readonly TestEndpoint[], after: readonly TestEndpoint[]) =>
  before.flatMap((owner, index) => (owner === after[index] ? [] : [[owner, after[index]!] as const]));

const maxOverMean = (owners: readonly TestEndpoint[], size: number): number =>
  Math.max(...countsOf(owners).values()) / (owners.length / size);

describe.each(BOTH)('%s', (_name, options) => {
  it('gives a key to the same instance in every process, whatever order the registry lists them in', () => {
    const members = fleetOf([1, 2, 1, 3, 1, 1, 2, 1]);
    const owners = map(build(consistentHash(options), 1), testCandidates(members));
    expect(map(build(consistentHash(options), 2), testCandidates(members.toReversed()))).toEqual(owners);
    expect(map(build(consistentHash(options), 3), testCandidates(members))).toEqual(owners);
  });

  it('arrives at the same whoever came and left before', () => {
    const random = seededRandom(5);
    const everybody = fleetOf(Array.from({ length: 40 }, () => 1 + Math.floor(random() * 3)));
    const balancer = build(consistentHash(options));
    for (let version = 1; version <= 12; version += 1) {
      for (const endpoint of everybody)
        if (random() < 0.05)
          Object.assign(endpoint, testEndpoint(idOf(endpoint), { weight: 1 + Math.floor(random() * 3) }));
      const members = everybody.filter(() => random() < 0.7);
      const from = testCandidates(members, { version });
      const keys = KEYS.slice(0, 2_000);
      expect(map(balancer, from, keys), `version ${version}`).toEqual(map(build(consistentHash(options)), from, keys));
    }
  });

  it('shares keys by weight, within the binomial bound of 1 600 points or 65 537 entries', () => {
    const members = fleetOf([10, 20, 30, 40]);
    const counts = countsOf(map(build(consistentHash(options)), testCandidates(members)));
    for (const [endpoint, count] of counts) {
      const share = endpoint.weight / 100;
      const points = options.algorithm === 'ring' ? 160 * endpoint.weight : 65_537 * share;
      // Two sources of chance: which keys there are, and where the points lie.
      const bound = binomialBound(KEYS.length, share) + (6 * KEYS.length * share) / Math.sqrt(points);
      expect(Math.abs(count - KEYS.length * share), idOf(endpoint)).toBeLessThan(bound);
    }
  });

  it('moves only the keys of one that falls ill, to several others, and moves them back', () => {
    const members = equals(10);
    const balancer = build(consistentHash(options));
    const before = map(balancer, testCandidates(members));
    for (const [index, ill] of members.entries()) {
      const eligible = members.filter(endpoint => endpoint !== ill);
      const moves = moved(before, map(balancer, testCandidates(members, { eligible, version: 2 + 2 * index })));
      expect(moves.every(([owner]) => owner === ill)).toBe(true);
      expect(moves).toHaveLength(countsOf(before).get(ill)!);
      expect(new Set(moves.map(([, heir]) => heir)).size).toBeGreaterThan(5);
      expect(map(balancer, testCandidates(members, { version: 3 + 2 * index }))).toEqual(before);
    }
  });

  it('still finds the one of a hundred that may serve, and the one that was not tried', () => {
    const members = equals(100);
    const balancer = build(consistentHash(options));
    for (const [index, last] of members.entries()) {
      const from = testCandidates(members, { eligible: [last], version: index });
      expect(balancer.pick(from, testCall({ hashKey: `key ${index}` }))).toBe(last);
      const tried = testCandidates(members, { tried: members.filter(endpoint => endpoint !== last), version: index });
      expect(balancer.pick(tried, testCall({ hashKey: `key ${index}` }))).toBe(last);
    }
  });

  it('sends the retry of one key to one other instance', () => {
    const members = equals(5);
    const balancer = build(consistentHash(options));
    for (const hashKey of KEYS.slice(0, 500)) {
      const first = balancer.pick(testCandidates(members), testCall({ hashKey }));
      const retry = { ...testCandidates(members), allows: (endpoint: unknown) => endpoint !== first };
      const second = balancer.pick(retry, testCall({ hashKey }));
      expect(second).not.toBe(first);
      expect(balancer.pick(retry, testCall({ hashKey }))).toBe(second);
    }
  });
});

describe('ring', () => {
  it.each([3, 10, 50, 100])(
    'gives the next of %d a fair share of the keys, and moves none between the others',
    size => {
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const members = equals(size);
        const balancer = build(consistentHash());
        const before = map(balancer, testCandidates(members));
        const newcomer = testEndpoint(`new ${attempt}`);
        const moves = moved(before, map(balancer, testCandidates([...members, newcomer], { version: 2 })));
        expect(moves.every(([, heir]) => heir === newcomer)).toBe(true);
        expect(moves.length / KEYS.length).toBeGreaterThan(0.5 / (size + 1));
        expect(moves.length / KEYS.length).toBeLessThanOrEqual(1 / (size + 1) + 0.02);
        // And gives them back.
        expect(map(balancer, testCandidates(members, { version: 3 }))).toEqual(before);
      }
    },
  );

  it.each([1, 2, 3, 5])(
    'of %d takes in one more at a price of at most 1/(n + 1) + 2 %% of the circle, in any fleet',
    size => {
      for (let fleet = 0; fleet < 15; fleet += 1) {
        const seats = new HashSeats();
        const ring = new Ring(seats, 160);
        const members = Array.from({ length: size + 1 }, (_, index) =>
          testEndpoint(`fleet ${fleet}, ${size}, ${index}`),
        );
        ring.revise(seats.revise(members.slice(1)));
        const before = ring.owners.slice();
        ring.revise(seats.revise(members));
        const { slot } = seats.of(members[0]!)!;
        let moves = 0;
        for (let place = 0; place < before.length; place += 1) {
          if (ring.owners[place] === before[place]) continue;
          moves += 1;
          if (ring.owners[place] !== slot) expect.fail(`place ${place} moved between two old instances`);
        }
        expect(moves / before.length, `fleet ${fleet}`).toBeLessThanOrEqual(1 / (size + 1) + 0.02);
      }
    },
  );

  it('moves keys only to, or from, one whose weight changes', () => {
    const members = equals(10);
    const balancer = build(consistentHash());
    const before = map(balancer, testCandidates(members));
    const heavier = members.map((endpoint, index) => (index === 3 ? testEndpoint('i3', { weight: 2 }) : endpoint));
    const moves = moved(before, map(balancer, testCandidates(heavier, { version: 2 })));
    const changed = moves.filter(([owner, heir]) => idOf(owner) !== idOf(heir));
    expect(changed.length).toBeGreaterThan(500);
    expect(changed.every(([, heir]) => heir === heavier[3])).toBe(true);
  });

  it.each([
    [10, 1.05],
    [100, 1.1],
    [1_000, 1.3],
  ])('of %d is even: the fullest has at most %f times the mean', (size, bound) => {
    const keys = Array.from({ length: 400_000 }, (_, index) => `k${index}`);
    expect(maxOverMean(map(build(consistentHash()), testCandidates(equals(size)), keys), size)).toBeLessThanOrEqual(
      bound,
    );
  });

  it.each([
    ['huge', [1e308, 1e308, 1e308]],
    ['tiny', [1e-9, 1e-9, 1e-9]],
    ['hundreds', [300, 300, 300]],
    ['fractions', [0.1, 0.1, 0.1]],
  ])('stays within bounds for %s weights', (_weights, weights) => {
    const members = fleetOf(weights);
    const counts = countsOf(map(build(consistentHash()), testCandidates(members)));
    for (const endpoint of members) expect(counts.get(endpoint)! / KEYS.length).toBeGreaterThan(0.2);
  });

  it('gives something to one that is a millionth of the others', () => {
    const members = fleetOf([1e6, 1e6, 1]);
    const balancer = build(consistentHash());
    expect(balancer.pick(testCandidates(members), testCall({ hashKey: 'a' }))).not.toBe(members[2]);
    const only = testCandidates(members, { eligible: [members[2]!], version: 2 });
    expect(balancer.pick(only, testCall({ hashKey: 'a' }))).toBe(members[2]);
  });
});

describe('maglev', () => {
  it.each([10, 100, 1_000])('of %d is even: at most 1.05 times the mean, over what the sample itself varies', size => {
    const keys = Array.from({ length: 400_000 }, (_, index) => `k${index}`);
    const counts = [
      ...countsOf(map(build(consistentHash({ algorithm: 'maglev' })), testCandidates(equals(size)), keys)).values(),
    ];
    // What an ideal scheme would show: keys thrown at random.
    const random = seededRandom(9);
    const ideal = new Uint32Array(size);
    for (let key = 0; key < keys.length; key += 1) ideal[Math.floor(random() * size)]! += 1;
    expect(counts).toHaveLength(size);
    expect(Math.max(...counts) / Math.max(...ideal)).toBeLessThanOrEqual(1.05);
  });

  it.each([10, 100, 600])('of %d moves at most 1 %% of keys needlessly when one joins or leaves', size => {
    const members = equals(size);
    const balancer = build(consistentHash({ algorithm: 'maglev' }));
    const before = map(balancer, testCandidates(members));
    const newcomer = testEndpoint('new');
    const joins = moved(before, map(balancer, testCandidates([...members, newcomer], { version: 2 })));
    expect(joins.filter(([, heir]) => heir !== newcomer).length / KEYS.length).toBeLessThanOrEqual(0.01);
    const leaves = moved(before, map(balancer, testCandidates(members.slice(1), { version: 3 })));
    expect(leaves.filter(([owner]) => owner !== members[0]).length / KEYS.length).toBeLessThanOrEqual(0.01);
  });

  it('gives an entry to one that is a millionth of the others', () => {
    const members = fleetOf([1e6, 1e6, 1]);
    const only = testCandidates(members, { eligible: [members[2]!] });
    expect(build(consistentHash({ algorithm: 'maglev' })).pick(only, testCall({ hashKey: 'a' }))).toBe(members[2]);
  });
});

describe.each(BOTH)('slow start, %s', (_name, options) => {
  it('gives a warming instance its share of its own keys, and never takes one away again', () => {
    const members = equals(5);
    const newcomer = members[4]!;
    const balancer = build(consistentHash(options));
    const warm = map(balancer, testCandidates(members));
    const own = countsOf(warm).get(newcomer)!;
    let before: TestEndpoint[] | undefined;
    for (let step = 1; step <= 10; step += 1) {
      newcomer.weight = step / 10;
      const now = map(balancer, testCandidates([...members], { version: 1 + step }));
      const got = countsOf(now).get(newcomer)!;
      expect(Math.abs(got - (own * step) / 10), `step ${step}`).toBeLessThan(binomialBound(own, step / 10));
      expect(moved(warm, now).every(([owner]) => owner === newcomer)).toBe(true);
      if (before) expect(moved(before, now).every(([, heir]) => heir === newcomer)).toBe(true);
      before = now;
    }
    expect(before).toEqual(warm);
  });

  it('of all at once leaves every key where it belongs', () => {
    const members = equals(4);
    const warm = map(build(consistentHash(options)), testCandidates(members));
    const balancer = build(consistentHash(options));
    for (const endpoint of members) endpoint.weight = 1e-9;
    expect(map(balancer, testCandidates(members))).toEqual(warm);
  });
});

describe.each(BOTH)('bounded load, %s', (_name, options) => {
  it.each([
    ['equals', [1, 1, 1, 1, 1, 1, 1, 1], 1.25],
    ['weights', [1, 2, 3, 4, 5, 6], 1.25],
    ['no slack at all', [1, 1, 1, 1], 1],
  ])('is held at every moment, by keys of which a few are very popular: %s', (_fleet, weights, maxLoadRatio) => {
    const random = seededRandom(11);
    const members = fleetOf(weights);
    const balancer = build(consistentHash({ ...options, maxLoadRatio }));
    const flying: TestEndpoint[] = [];
    let from: Candidates = testCandidates(members);
    let worst = 0;
    for (let step = 0; step < 20_000; step += 1) {
      if (step % 1_000 === 999) {
        const eligible = members.filter((_, index) => index > 1 || random() < 0.5);
        from = testCandidates(members, { eligible, version: step });
      }
      if (flying.length > 200 || (random() < 0.4 && flying.length > 0)) {
        const ended = flying.splice(Math.floor(random() * flying.length), 1)[0]!;
        ended.inFlight -= 1;
        balancer.settled!(ended, 'success', 1);
        continue;
      }
      const hashKey = random() < 0.5 ? 'popular' : `key ${Math.floor(random() * 1_000)}`;
      const picked = balancer.pick(from, testCall({ hashKey })) as TestEndpoint;
      picked.inFlight += 1;
      balancer.started!(picked);
      flying.push(picked);
      const serving = from.eligible as TestEndpoint[];
      const calls = serving.reduce((sum, { inFlight }) => sum + inFlight, 0);
      const total = serving.reduce((sum, { weight }) => sum + weight, 0);
      worst = Math.max(worst, picked.inFlight - Math.ceil((maxLoadRatio * calls * picked.weight) / total));
    }
    expect(worst).toBe(0);
  });

  it('keeps keys at home while there is room, and brings them back when there is again', () => {
    const members = equals(4);
    const balancer = build(consistentHash({ ...options, maxLoadRatio: 1.25 }));
    const from = testCandidates(members);
    const home = build(consistentHash(options)).pick(from, testCall({ hashKey: 'popular' })) as TestEndpoint;
    const flying = Array.from({ length: 40 }, () => {
      const picked = balancer.pick(from, testCall({ hashKey: 'popular' })) as TestEndpoint;
      picked.inFlight += 1;
      balancer.started!(picked);
      return picked;
    });
    expect(home.inFlight).toBe(13);
    for (const endpoint of flying) {
      endpoint.inFlight -= 1;
      balancer.settled!(endpoint, 'success', 1);
    }
    expect(balancer.pick(from, testCall({ hashKey: 'popular' }))).toBe(home);
  });

  it('gives way to going elsewhere: the only one that was not tried is picked, full or not', () => {
    const members = equals(3);
    members[0]!.inFlight = 1_000;
    const from = testCandidates(members, { tried: members.slice(1) });
    const balancer = build(consistentHash({ ...options, maxLoadRatio: 1.25 }));
    expect(balancer.pick(from, testCall({ hashKey: 'a' }))).toBe(members[0]);
  });
});
