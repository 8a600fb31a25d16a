// One registry with many instances, in a process of its own, whose memory is looked at: node --expose-gc large.js NAME ADDRESS JSON
import { setTimeout as sleep } from 'node:timers/promises';
import { changesSeen } from './changes.js';
import { fields } from './fields.js';
import { discoveryOf, watchOf } from './ours.js';
import { median } from '../statistics.js';
import { countingWire } from './wire.js';

const SMALL = 'small';
const LARGE = 'large';
const [, , registryName, address, json] = process.argv;
const { count, rounds, changes } = JSON.parse(json);
const field = fields[registryName];

/** Of all that is alive, buffers too. */
const liveBytes = async () => {
  for (let n = 0; n < 4; n += 1) {
    await sleep(20);
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const nothing = () => undefined;
const registry = await field.open(address);
const writer = await field.writer(address);
const ways = {
  'registry.watch': look => watchOf(registry, LARGE, look),
  DiscoveryClient: look => discoveryOf(registry, LARGE, look),
  ...Object.fromEntries(Object.entries(field.bares).map(([bare, way]) => [bare, look => way(address, LARGE, look)])),
};

/** All code has run, all connections are there; what is kept for a watch by itself is in the base. */
const warmUp = async () => {
  await writer.fill(SMALL, { from: 900_000, count: 10 });
  await discoveryOf(registry, SMALL, nothing);
};

const firstList = async way => {
  const startedAt = performance.now();
  const stop = await way(nothing);
  const tookMs = performance.now() - startedAt;
  await stop();
  return tookMs;
};

const changesIn = async way => {
  const options = { writer, service: LARGE, from: count, changes, blocks: 1, warmUp: 0, paceMs: field.paceMs };
  const { seen, cpuMs } = await changesSeen({ ...options, watchers: { way } });
  return { changeMs: [...seen.way.join, ...seen.way.leave], cpuMs };
};

/** One after the other, for they would be in each other's way here; and round by round, for the machine may be busy for a while. */
const inRounds = async () => {
  const figures = Object.fromEntries(Object.keys(ways).map(way => [way, { firstMs: [], changeMs: [], cpuMs: [] }]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, way] of Object.entries(ways)) {
      figures[name].firstMs.push(await firstList(way));
      const { changeMs, cpuMs } = await changesIn(way);
      figures[name].changeMs.push(...changeMs);
      figures[name].cpuMs.push(cpuMs);
    }
  const medians = lists => Object.fromEntries(Object.entries(lists).map(([what, list]) => [what, median(list)]));
  return Object.fromEntries(Object.entries(figures).map(([way, lists]) => [way, medians(lists)]));
};

const memoryPerInstance = async before => {
  const stop = await discoveryOf(registry, LARGE, nothing);
  const bytes = ((await liveBytes()) - before) / count;
  await stop();
  return bytes;
};

/** What a watch of ours sends and receives for a change. */
const onTheWire = async () => {
  if (field.wire === undefined) return undefined;
  const wire = await countingWire(address, field.wire);
  const behind = await field.open(wire.address);
  const looked = { last: nothing };
  const stop = await watchOf(behind, LARGE, has => looked.last(has));
  const requestsOfFirst = wire.counts().requests;
  await sleep(200);
  const before = wire.counts();
  for (let nth = 0; nth < changes; nth += 1) {
    await sleep(field.paceMs);
    const seen = new Promise(resolve => (looked.last = resolve));
    await writer[nth % 2 === 0 ? 'join' : 'leave'](LARGE, count + (nth >> 1));
    await seen;
  }
  await sleep(200);
  const after = wire.counts();
  await stop();
  await behind.close();
  wire.close();
  return {
    requestsOfFirst,
    requestsPerChange: (after.requests - before.requests) / changes,
    kBPerChange: (after.bytesIn - before.bytesIn) / changes / 1_000,
  };
};

await warmUp();
const before = await liveBytes();
const filledAt = performance.now();
await writer.fill(LARGE, { from: 0, count });
const fillMs = performance.now() - filledAt;
const bytesPerInstance = await memoryPerInstance(before);
const byWay = await inRounds();
const wire = await onTheWire();
const bytesAfterChanges = await memoryPerInstance(before);
await registry.close();
await writer.close();
process.stdout.write(
  JSON.stringify({ count, fillMs, bytesPerInstance, bytesAfterChanges, ways: byWay, wire: wire ?? null }),
  () => process.exit(0),
);
