/**
 * The promise of registerService(): all of five instances, processes of their own, are restarted one after the other under
 * 300 calls a second, and no call fails and no POST is processed twice. All with the defaults: the 5 s in which callers hear
 * of it are what a busy machine needs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createServiceClient, memoryRegistry, type ClientEvent, type MemoryRegistry, type Registry } from 'fairlead';
import { consulRegistry } from 'fairlead/consul';
import { etcdRegistry } from 'fairlead/etcd';
import { zookeeperRegistry } from 'fairlead/zookeeper';
import { serverOrSkip, startConsul, startEtcd, startZooKeeper } from '../servers/index.js';
import { processedTwice } from './support/journal.js';
import { Calls } from './support/load.js';
import type { RollingSetup } from './support/rolling-protocol.js';
import { startRolling, steadyLoad, type Moment } from './support/rolling.js';
import { reasons } from './support/stage.js';

const COUNT = 5;
const PER_SECOND = 300;

interface Place {
  /** Of the caller. */
  readonly registry: Registry;
  readonly at: string;
  readonly memory?: MemoryRegistry;
  stop(): Promise<unknown>;
}

const PLACES: Record<RollingSetup['registry']['kind'], () => Promise<Place>> = {
  async ipc() {
    const memory = memoryRegistry();
    return { registry: memory, memory, at: '', stop: () => memory.close() };
  },
  async consul() {
    const server = await startConsul({ persistent: false });
    return { registry: consulRegistry({ url: server.url }), at: server.url, stop: () => server.stop() };
  },
  async etcd() {
    const server = await startEtcd();
    const at = server.endpoints[0]!;
    return { registry: etcdRegistry({ endpoints: at }), at, stop: () => server.stop() };
  },
  async zookeeper() {
    const server = await startZooKeeper();
    const at = server.connectString;
    return { registry: zookeeperRegistry({ servers: at }), at, stop: () => server.stop() };
  },
};

/** What happened in which order, for people who look for the reason of a failure. */
const story = (moments: readonly Moment[], events: readonly ClientEvent[]): string => {
  const told = events.flatMap(event => {
    if (event.type === 'attempt.ended' && event.outcome !== 'failure') return [];
    if (event.type === 'instances.changed')
      return [{ at: event.at, text: `client: +${event.added.join(' ')} -${event.removed.join(' ')}` }];
    const { at, type, service: _service, ...rest } = event;
    return [
      { at, text: `client: ${type} ${JSON.stringify({ ...rest, error: String('error' in rest && rest.error) })}` },
    ];
  });
  const lines = [...told, ...moments.map(({ at, id, what }) => ({ at, text: `${id}: ${what}` }))];
  const from = Math.min(...lines.map(({ at }) => at));
  return lines
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => `${(at - from).toFixed(0).padStart(7)} ${text}`)
    .join('\n');
};

const rollingRestart = async (kind: RollingSetup['registry']['kind']): Promise<void> => {
  const place = await PLACES[kind]();
  const service = `rolling-${kind}`;
  try {
    const { memory, at } = place;
    await using rolling = await startRolling({
      ...{ service, count: COUNT, memory },
      registry: { kind, at },
    });
    const events: ClientEvent[] = [];
    const onEvent = (event: ClientEvent): unknown => event.type !== 'call.ended' && events.push(event);
    await using client = createServiceClient({ service, registry: place.registry, onEvent });
    await client.ready();
    const load = steadyLoad(client, PER_SECOND);
    await sleep(1_000);
    const codes = await rolling.restartAll();
    await sleep(1_000);
    const { calls, seconds } = await load.stop();
    const journal = await rolling.journals();
    const books = new Calls(calls);
    const attempts = events.filter(({ type }) => type === 'attempt.ended').length;
    if (books.failed().length > 0) console.log(story(rolling.moments, events));
    const posts = calls.filter(({ method }) => method === 'POST');
    const processed = new Set(journal.filter(({ method }) => method === 'POST').map(({ id }) => id));
    console.log(
      `${kind}: ${books.count} calls in ${seconds.toFixed(1)} s (${(books.count / seconds).toFixed(0)}/s), failed`,
      `${JSON.stringify(reasons(books.failed()))}, attempts +${attempts - books.count}, POSTs ${posts.length},`,
      `processed twice ${processedTwice(journal, 'POST').length},`,
      `p50 ${books.quantileMs(0.5).toFixed(0)} p99 ${books.quantileMs(0.99).toFixed(0)} ms, exit codes ${codes.join(' ')}`,
    );
    expect(reasons(books.failed())).toEqual({});
    expect(processedTwice(journal, 'POST')).toEqual([]);
    expect(posts.filter(({ id }) => !processed.has(id))).toEqual([]);
    expect(codes).toEqual(Array.from({ length: COUNT }, () => 0));
    expect(rolling.moments.filter(({ what }) => what.startsWith('trouble'))).toEqual([]);
    expect(books.count).toBeGreaterThan(10 * PER_SECOND);
  } finally {
    await place.registry.close();
    await place.stop();
  }
};

describe('a rolling restart of five under 300 calls a second: no call fails, no POST is processed twice', () => {
  it('with a registry in memory, over a channel between processes', () => rollingRestart('ipc'));
});

for (const kind of ['consul', 'etcd', 'zookeeper'] as const) {
  const server = await serverOrSkip(kind);
  it.skipIf(server === undefined)(`a rolling restart with a real ${kind}`, () => rollingRestart(kind));
}
