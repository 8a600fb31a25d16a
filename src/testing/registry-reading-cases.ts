import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import type { CaseContext, CaseStory } from './registry-contract.js';
import { idsOf } from './registry-reader.js';

const at = (port: number) => ({ id: `i-${port}`, address: '127.0.0.1', port });
const range = (count: number, from: number): number[] => Array.from({ length: count }, (_, index) => from + index);

/** Watches and reads. */
export const readingCases: readonly CaseStory[] = [
  {
    name: 'the first set comes at once, and is empty for a service that nobody registered',
    async run({ registry, service, read }) {
      const reader = read();
      deepEqual(await reader.next(), []);
      deepEqual(await reader.within(registry.discover(service), 'a read'), []);
      await reader.end();
    },
  },
  {
    name: 'each set is whole: what was there stays in it when something is added',
    async run({ register, read }) {
      await Promise.all(range(3, 20_001).map(port => register(at(port))));
      const reader = read();
      await reader.untilIds(['i-20001', 'i-20002', 'i-20003']);
      await register(at(20_004));
      await reader.until('the fourth instance', set => {
        const ids = idsOf(set);
        deepEqual(ids.slice(0, 3), ['i-20001', 'i-20002', 'i-20003']);
        return ids.length === 4;
      });
    },
  },
  {
    name: 'a read and a watch say the same',
    async run({ registry, service, register, read }) {
      await register({ ...at(20_001), metadata: { color: 'blue' }, tags: ['a'], weight: 3 });
      const watched = await read().untilIds(['i-20001']);
      deepEqual(await registry.discover(service), watched);
    },
  },
  {
    name: 'a service whose name begins with that of another is another',
    async run({ registry, service, register, read }) {
      const longer = `${service}-admin`;
      await register(at(20_001));
      await register({ ...at(20_002), service: longer });
      await read().untilIds(['i-20001']);
      await read(longer).untilIds(['i-20002']);
      deepEqual(idsOf(await registry.discover(service)), ['i-20001']);
      deepEqual(idsOf(await registry.discover(longer)), ['i-20002']);
    },
  },
  {
    name: 'who reads late gets the newest set only',
    async run({ register, read }) {
      const late = read();
      const other = read();
      deepEqual(await late.next(), []);
      const ports = range(20, 20_001);
      for (const port of ports) await register(at(port));
      await other.untilIds(ports.map(port => `i-${port}`));
      const before = late.reads;
      await late.untilIds(ports.map(port => `i-${port}`));
      ok(late.reads - before <= 3, `20 changes were read as ${late.reads - before} sets, not as one`);
    },
  },
  { name: 'an abort ends a watch quietly, whatever it waits for, and leaves no listener', run: abortsQuietly },
  {
    name: 'watches of one service do not depend on one another',
    async run({ register, read }) {
      const [one, other] = [read(), read()];
      await one.next();
      await other.next();
      await one.end();
      await register(at(20_001));
      await other.untilIds(['i-20001']);
    },
  },
  {
    name: '200 instances are 200 instances',
    async run({ register, read }) {
      const ports = range(200, 20_001);
      const reader = read();
      await reader.next();
      await Promise.all(ports.map(port => register(at(port))));
      const set = await reader.until('200 instances', ({ length }) => length === 200);
      equal(new Set(set.map(({ port }) => port)).size, 200);
    },
  },
  {
    name: 'close ends watches, and may be called twice',
    async run({ registry, read }) {
      const reader = read();
      await reader.next();
      const step = reader.step().then(
        ({ done }) => (done === true ? 'ended' : 'yielded'),
        () => 'threw',
      );
      await reader.within(registry.close(), 'close()');
      await reader.within(registry.close(), 'the second close()');
      notEqual(await step, 'yielded');
    },
  },
];

async function abortsQuietly({ register, read }: CaseContext): Promise<void> {
  const before = read();
  before.abort();
  await before.endsQuietly(before.step());

  const first = read();
  const step = first.step();
  first.abort();
  // A set that was known already may have been on its way.
  if ((await step).done !== true) await first.endsQuietly(first.step());

  await register(at(20_001));
  const waiting = read();
  await waiting.untilIds(['i-20001']);
  const pending = waiting.step();
  waiting.abort();
  await waiting.endsQuietly(pending);

  const between = read();
  await between.untilIds(['i-20001']);
  await register(at(20_002));
  await between.end();

  for (const { signal } of [before, first, waiting, between]) equal(getEventListeners(signal, 'abort').length, 0);
}
