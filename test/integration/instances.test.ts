/**
 * The main promise on real processes: calls keep succeeding while instances die, fail, hang and come back. Counts and
 * orders are asserted; times on the wall are printed, for they belong to the machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { p2c, roundRobin } from 'fairlead';
import { eventually } from '../servers/index.js';
import type { Mood } from './support/instance.js';
import { processedTwice } from './support/journal.js';
import { callOnce, Load, wallNow, type LoadOptions } from './support/load.js';
import { BACK_WITHIN_MS, Outage, quantiles } from './support/outage.js';
import { reasons, setStage, waitUntil, type Stage } from './support/stage.js';

const HUNDRED: LoadOptions = { workers: 100, postEvery: 10 };
const FEW: LoadOptions = { workers: 4, postEvery: 10, pauseMs: () => 20 };
const stages = new Set<Stage>();
const aStage = async (...options: Parameters<typeof setStage>): Promise<Stage> => {
  const stage = await setStage(...options);
  stages.add(stage);
  return stage;
};

interface Killing {
  readonly downMs: number;
  readonly load: LoadOptions;
  readonly leastInFlight: number;
  readonly onlyProbesAfterMs: number;
}

/** One of three is killed under load, is down for some time, and comes back. */
const killing = async (
  stage: Stage,
  { downMs, load: options, leastInFlight, onlyProbesAfterMs }: Killing,
): Promise<void> => {
  const load = new Load(stage.client, options);
  const [victim] = stage.fleet.instances;
  await sleep(3_000);
  const busy = (): boolean => stage.inFlightOn(victim).length >= leastInFlight;
  await eventually(busy, { everyMs: 1, what: `${leastInFlight} calls in flight on one` });
  const outage = new Outage(stage, victim);
  await victim.kill();
  await waitUntil(outage.from + downMs);
  const restartedAt = wallNow();
  await victim.start();
  const usedAgainMs = await outage.usedAgain();
  await load.stop();

  const calls = load.between(0);
  const { counts } = stage;
  const caught = outage.caught();
  const lostPosts = calls.failed('POST').map(({ id }) => id);
  console.log(
    `killed for ${downMs / 1_000} s: ${calls.count} calls, failed ${JSON.stringify(reasons(calls.failed()))},`,
    `attempts +${counts.attempts - counts.calls}, in flight ${outage.inFlight.length} (${caught.length} until it was out),`,
    `out after ${outage.outAfterMs} ms, ${outage.sentAfter(1_000, restartedAt).length} probes,`,
    `used again after ${usedAgainMs.toFixed(0)} ms; before ${quantiles(load, outage.from - 2_000, outage.from)},`,
    `2 s after ${quantiles(load, outage.from + 2_000, restartedAt)}`,
  );
  expect(outage.inFlight.length).toBeGreaterThanOrEqual(leastInFlight);
  expect(reasons(calls.failed('GET'))).toEqual({});
  expect(lostPosts.length).toBeLessThanOrEqual(outage.inFlight.length);
  expect(caught.map(({ id }) => id)).toEqual(expect.arrayContaining(lostPosts));
  expect(counts.attempts).toBeLessThanOrEqual(counts.calls + outage.inFlight.length + 20);
  expect(outage.moreThanProbes(onlyProbesAfterMs, restartedAt)).toEqual([]);
  expect(usedAgainMs).toBeLessThanOrEqual(BACK_WITHIN_MS);
  expect(processedTwice(await stage.fleet.journals(), 'POST')).toEqual([]);
};

/** Most of it is waiting under hardly any load: it runs beside the other stories. */
let longOutage: Promise<void>;
beforeAll(() => {
  longOutage = setStage().then(async stage => {
    await using _stage = stage;
    await killing(stage, { downMs: 60_000, load: FEW, leastInFlight: 1, onlyProbesAfterMs: 10_000 });
  });
  longOutage.catch(() => undefined);
});
/** Such as of too many listeners on one signal. */
const warnings: string[] = [];
const remember = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`);
beforeAll(() => void process.on('warning', remember));
afterAll(() => {
  process.off('warning', remember);
  expect(warnings).toEqual([]);
});
afterEach(async () => {
  await Promise.all([...stages].map(stage => stage[Symbol.asyncDispose]()));
  stages.clear();
});

it('one of three is killed with 30 calls in flight, and is back after 5 s', async () => {
  await killing(await aStage(), { downMs: 5_000, load: HUNDRED, leastInFlight: 30, onlyProbesAfterMs: 1_000 });
});

/** By when nothing but single probes reach it: one that hangs is known by the attempts that timed out, after 5 s. */
const OUT_WITHIN_MS = { fails: 1_000, 'asks for 60 s': 1_000, resets: 1_000, hangs: 10_000 } as const;

it.each(['fails', 'asks for 60 s', 'resets', 'hangs'] as const)(
  'one of three %s: few GETs fail in the first 10 s and none later, and it is used again when it is well',
  async mood => {
    const stage = await aStage();
    const load = new Load(stage.client, HUNDRED);
    const [victim] = stage.fleet.instances;
    await sleep(1_500);
    const outage = new Outage(stage, victim);
    await victim.become(mood);
    await waitUntil(outage.from + 13_000);
    const wellAt = wallNow();
    await victim.become('ok');
    const usedAgainMs = await outage.usedAgain();
    await load.stop();

    const first = load.between(outage.from, outage.from + 10_000);
    const later = load.between(outage.from + 10_000);
    console.log(
      `${mood}: ${first.count} + ${later.count} calls, failed ${JSON.stringify(reasons(first.failed()))}`,
      `+ ${JSON.stringify(reasons(later.failed()))}, out after ${outage.outAfterMs} ms,`,
      `${outage.sentAfter(OUT_WITHIN_MS[mood], wellAt).length} probes, used again after ${usedAgainMs.toFixed(0)} ms;`,
      `before ${quantiles(load, 0, outage.from)}, 2 s after ${quantiles(load, outage.from + 2_000, wellAt)}`,
    );
    expect(first.failed('GET').length).toBeLessThan(0.005 * first.count);
    expect(reasons(later.failed('GET'))).toEqual({});
    expect(outage.moreThanProbes(OUT_WITHIN_MS[mood], wellAt)).toEqual([]);
    expect(usedAgainMs).toBeLessThanOrEqual(BACK_WITHIN_MS);
    expect(processedTwice(await stage.fleet.journals(), 'POST')).toEqual([]);
  },
);

it.each([
  ['p2c', p2c()],
  ['roundRobin', roundRobin()],
])('two of three answer 503, with %s(): hardly a call fails', async (name, balancer) => {
  const stage = await aStage({ balancer });
  const load = new Load(stage.client, { workers: 100 });
  const [a, b] = stage.fleet.instances;
  await sleep(1_000);
  const from = wallNow();
  await Promise.all([a.become('fails'), b.become('fails')]);
  await waitUntil(from + 8_000);
  await load.stop();
  const calls = load.between(from);
  const failed = JSON.stringify(reasons(calls.failed()));
  console.log(`two of three fail, ${name}: ${calls.count} calls, failed ${failed}, ${quantiles(load, from)}`);
  expect(calls.failed().length).toBeLessThan(0.005 * calls.count);
});

it('the first 100 calls of a client, all at once, with one of three refusing: none fails', async () => {
  const stage = await aStage();
  await stage.fleet.instances[1].kill();
  const calls = await Promise.all(
    Array.from({ length: 100 }, (_, n) => callOnce(stage.client, { method: 'GET', id: `cold-${n}` })),
  );
  console.log(`cold burst: 100 calls, attempts ${stage.counts.attempts}`);
  expect(reasons(calls.filter(({ ok }) => !ok))).toEqual({});
});

it('connections that the servers close while they are idle: no GET fails', async () => {
  // As many connections as workers, each idle for about as long as the server suffers it.
  const stage = await aStage({ fleet: { latencyMs: 1, keepAliveMs: 20 } });
  await stage.fleet.instances[0].become('crosses');
  const load = new Load(stage.client, { workers: 40, pauseMs: () => 10 + Math.random() * 20 });
  await sleep(6_000);
  await load.stop();
  const { attempts, calls } = stage.counts;
  console.log(`idle connections: ${calls} calls, ${attempts - calls} met a closing connection and went again`);
  expect(attempts).toBeGreaterThan(calls);
  expect(reasons(load.between(0).failed())).toEqual({});
});

const KEY = { 'idempotency-key': 'k' };

it.each<[what: string, moods: [Mood, Mood, Mood], headers: Record<string, string>, processed: number]>([
  ['every instance breaks the connection: it is processed once', ['resets', 'resets', 'resets'], {}, 1],
  ['… with an Idempotency-Key: as often as it may be tried', ['resets', 'resets', 'resets'], KEY, 3],
  ['every instance answers 503: it is not processed', ['fails', 'fails', 'fails'], {}, 0],
  ['two say that they did not process it: the third does', ['nacks', 'nacks', 'ok'], {}, 1],
])('a POST when %s', async (_what, moods, headers, processed) => {
  const stage = await aStage({ fleet: { latencyMs: 1 } });
  await Promise.all(stage.fleet.instances.map((instance, n) => instance.become(moods[n]!)));
  const { ok } = await callOnce(stage.client, { method: 'POST', id: 'one', headers });
  const journal = await stage.fleet.journals();
  expect(ok).toBe(moods.includes('ok'));
  expect(journal.filter(({ what, id }) => what === 'processed' && id === 'one')).toHaveLength(processed);
});

it('POSTs of which two of three instances refuse the connection: each is processed once', async () => {
  const stage = await aStage({ fleet: { latencyMs: 1 } });
  const [a, b] = stage.fleet.instances;
  await Promise.all([a.kill(), b.kill()]);
  const ids = Array.from({ length: 20 }, (_, n) => `post-${n}`);
  const calls = await Promise.all(ids.map(id => callOnce(stage.client, { method: 'POST', id })));
  const journal = await stage.fleet.journals();
  expect(reasons(calls.filter(({ ok }) => !ok))).toEqual({});
  const processed = journal.filter(({ what }) => what === 'processed').map(({ id }) => id);
  expect(processed.sort()).toEqual(ids.sort());
});

it('one of three is killed, and is back after 60 s', () => longOutage);
