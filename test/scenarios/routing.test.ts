import { createServiceClient, memoryRegistry, type InstanceInput, type ServiceClientOptions } from 'fairlead';
import { connectionRefused, fakeFetch, testRuntime } from 'fairlead/testing';
import { describe, expect, it } from 'vitest';

type Fleet = Readonly<Record<string, Partial<InstanceInput>>>;

const instancesOf = (fleet: Fleet): InstanceInput[] =>
  Object.entries(fleet).map(([id, own], at) => ({ id, service: 'shop', address: '10.0.0.1', port: at + 1, ...own }));

/** A client of a fleet whose instances answer with their id, or refuse where they are listed as down. */
const world = async (fleet: Fleet, options: Partial<ServiceClientOptions>) => {
  const down = new Set<string>();
  const ids = Object.keys(fleet);
  const runtime = testRuntime({
    fetch: fakeFetch(async request => {
      const id = ids[Number(new URL(request.url).port || 80) - 1]!;
      if (down.has(id)) throw connectionRefused();
      return new Response(id);
    }),
  });
  const registry = memoryRegistry({ instances: instancesOf(fleet) });
  const client = createServiceClient({ service: 'shop', registry, runtime, ...options });
  await runtime.settle();
  /** Who answers a user. */
  const ask = async (user: string, init: Parameters<typeof client.fetch>[1] = {}): Promise<string> => {
    const pending = client.fetch('/cart', { headers: { 'x-user-id': user }, ...init });
    pending.catch(() => undefined);
    await runtime.advance(1_000);
    return (await pending).text();
  };
  const askAll = async (init?: Parameters<typeof client.fetch>[1]): Promise<string[]> => {
    const answers: string[] = [];
    for (let user = 0; user < 60; user += 1) answers.push(await ask(`user ${user}`, init));
    return answers;
  };
  return { client, registry, runtime, down, ask, askAll };
};

const FLEET = { a: { version: '1' }, b: { version: '1' }, x: { version: '2' } };
const canary = (share: number) => ({
  rules: [{ name: 'canary', share, to: { version: '2' } }],
  key: { header: 'x-user-id' },
});
const isNew = (id: string): boolean => id === 'x';

describe('a release', () => {
  it('grows from 5 to 100 % while calls are made, moves nobody back, and is taken back at once', async () => {
    const { client, askAll } = await world(FLEET, { route: canary(0.05) });
    let before = (await askAll()).map(isNew);
    for (const share of [0.2, 0.5, 1]) {
      client.update({ route: canary(share) });
      const now = (await askAll()).map(isNew);
      expect(now.filter((on, user) => !on && before[user])).toEqual([]);
      expect(now.filter(Boolean).length).toBeGreaterThan(before.filter(Boolean).length);
      before = now;
    }
    expect(before.every(Boolean)).toBe(true);
    client.update({ route: canary(0) });
    expect((await askAll()).some(isNew)).toBe(false);
    client.update({ route: false });
    expect(new Set(await askAll())).toEqual(new Set(['a', 'b', 'x']));
    await client.close();
  });

  it('whose only instance is down costs no call: retries go down the ladder, then it is ejected', async () => {
    const { client, down, askAll, registry, runtime } = await world(FLEET, { route: canary(1) });
    down.add('x');
    const answers = await askAll();
    expect(new Set(answers)).toEqual(new Set(['a', 'b']));
    expect(client.snapshot().instances.find(({ id }) => id === 'x')?.state).not.toBe('serving');
    expect(client.snapshot().routes).toEqual([
      expect.objectContaining({
        instances: 'version="2"',
        members: 1,
        panic: true,
        out: [],
      }),
    ]);
    down.delete('x');
    await runtime.advance(10_000);
    expect(new Set((await askAll()).slice(2))).toEqual(new Set(['x']));
    expect(registry.name).toBe('memory');
    await client.close();
  });

  it('that is strict fails instead, with the numbers, and tells so', async () => {
    const { client, registry, ask, runtime } = await world(FLEET, { route: { ...canary(1), fallback: 'strict' } });
    const refused: string[] = [];
    client.on('call.refused', ({ code, message }) => refused.push(`${code} ${message}`));
    expect(await ask('ann')).toBe('x');
    registry.set('shop', instancesOf({ a: FLEET.a, b: FLEET.b }));
    await runtime.advance(120_000);
    await expect(ask('ann')).rejects.toMatchObject({ code: 'NO_ROUTE', service: 'shop', attempts: 0 });
    expect(refused).toEqual(['NO_ROUTE shop: no route, rule "canary" wants version="2": none of 2 instances is that']);
    expect(await ask('ann', { fairlead: { route: { to: { version: '1' } } } })).toMatch(/[ab]/);
    await client.close();
  });
});

describe('a hedge', () => {
  it('goes the way of its call, also where that was dealt out by chance', async () => {
    const seen = new Map<string, string[]>();
    const runtime = testRuntime({
      fetch: fakeFetch(async request => {
        const call = request.headers.get('x-call')!;
        seen.set(call, [...(seen.get(call) ?? []), Number(new URL(request.url).port) % 2 ? 'odd' : 'even']);
        await runtime.sleep(50, request.signal);
        return new Response('ok');
      }),
    });
    const fleet = Array.from({ length: 4 }, (_, at) => [
      `i${at}`,
      { version: at % 2 ? 'even' : 'odd', port: at + 1_001 },
    ]);
    const client = createServiceClient({
      service: 'shop',
      registry: memoryRegistry({ instances: instancesOf(Object.fromEntries(fleet) as Fleet) }),
      runtime,
      hedge: { afterMs: 10 },
      route: { rules: [{ share: 0.5, to: { version: 'odd' } }] },
    });
    await runtime.settle();
    for (let call = 0; call < 40; call += 1) {
      const pending = client.fetch('/', { headers: { 'x-call': `${call}` } });
      await runtime.advance(100);
      await (await pending).text();
    }
    const ways = [...seen.values()];
    expect(ways.filter(sides => sides.length === 2).length).toBeGreaterThan(20);
    expect(ways.filter(sides => new Set(sides).size > 1)).toEqual([]);
    expect(new Set(ways.flat())).toEqual(new Set(['odd', 'even']));
    await client.close();
  });
});

describe('a comparison of versions', () => {
  it('by header, for fetch and for call(), without those who did not ask for it', async () => {
    const route = { rules: [{ match: { headers: { 'x-group': 'b' } }, to: { version: '2' } }] };
    const { client, runtime, askAll } = await world(FLEET, { route });
    expect(new Set(await askAll({ headers: { 'X-Group': 'b' } }))).toEqual(new Set(['x']));
    expect(new Set(await askAll())).toEqual(new Set(['a', 'b']));
    const where = client.call(({ instance }) => instance.id, { route: { to: { version: '2' } } });
    await runtime.settle();
    expect(await where).toBe('x');
    await client.close();
  });
});

describe('update', () => {
  it('refuses what is wrong, naming it, and then nothing has changed', async () => {
    const { client, askAll } = await world(FLEET, { route: canary(1) });
    expect(() => client.update({ route: canary(2) })).toThrow(
      new RangeError('route.rules[0].share: expected a number >= 0 and <= 1, got 2'),
    );
    expect(() => client.update({ balancer: undefined } as never)).toThrow(/^update\.balancer: no such option/);
    expect(() => client.update(undefined as never)).toThrow(/^update: expected an object/);
    client.update({});
    client.update({ route: undefined });
    expect(new Set(await askAll())).toEqual(new Set(['x']));
    await client.close();
  });
});

describe('a subset of a large fleet', () => {
  it('is used as a whole, shown in the snapshot, and the same after a restart', async () => {
    const fleet = Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`i${at}`, {}]));
    const used = async (): Promise<string[]> => {
      const { client } = await world(fleet, { subset: { size: 10, key: 'pod-1' } });
      const ids = client.snapshot().instances.flatMap(({ id, used }) => (used ? [id] : []));
      await client.close();
      return ids;
    };
    const first = await used();
    expect(first).toHaveLength(10);
    expect(await used()).toEqual(first);
    const { client, askAll } = await world(fleet, { subset: { size: 10, key: 'pod-1' } });
    for (const id of await askAll()) expect(first).toContain(id);
    await client.close();
  });
});
