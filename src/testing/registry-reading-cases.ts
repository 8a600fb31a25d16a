import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import type { CaseContext, CaseStory } from './registry-contract.js';
import { portsOf } from './registry-reader.js';

const at = (port: number) => ({ id: `i-${port}`, address: '127.0.0.1', port });
const range = (count: number, from = 20_001): number[] => Array.from({ length: count }, (_, index) => from + index);

/** So many at a time: more only wait for one another. */
const AT_ONCE = 50;
/** Writing a thousand is the registry's work, not what is looked at. */
const MANY_WITHIN_MS = 60_000;

/** Watches and reads. They tell instances by their ports: a registry may make up its own ids. */
export const readingCases: readonly CaseStory[] = [
  {
    name: 'each set is whole: what was there stays in it when something is added',
    async run({ register, read }) {
      await Promise.all(range(3).map(port => register(at(port))));
      const reader = read();
      await reader.untilPorts(range(3));
      await register(at(20_004));
      await reader.until('the fourth instance', set => {
        const ports = portsOf(set);
        deepEqual(ports.slice(0, 3), range(3));
        return ports.length === 4;
      });
    },
  },
  {
    name: 'a read and a watch say the same',
    async run({ registry, service, register, read }) {
      await register({ ...at(20_001), metadata: { color: 'blue' }, tags: ['a'], weight: 3 });
      const watched = await read().untilPorts([20_001]);
      deepEqual(await registry.discover(service), watched);
    },
  },
  {
    name: 'a service whose name begins with that of another is another',
    async run({ registry, service, register, read }) {
      const longer = `${service}-admin`;
      await register(at(20_001));
      await register({ ...at(20_002), service: longer });
      await read().untilPorts([20_001]);
      await read(longer).untilPorts([20_002]);
      deepEqual(portsOf(await registry.discover(service)), [20_001]);
      deepEqual(portsOf(await registry.discover(longer)), [20_002]);
    },
  },
  {
    name: 'who reads late gets the newest set only',
    async run({ register, read }) {
      await register(at(20_001));
      const late = read();
      const other = read();
      await late.untilPorts([20_001]);
      for (const port of range(20, 20_002)) await register(at(port));
      await other.untilPorts(range(21));
      const before = late.reads;
      await late.untilPorts(range(21));
      ok(late.reads - before <= 3, `20 changes were read as ${late.reads - before} sets, not as one`);
    },
  },
  {
    name: 'what changes while a watch begins is not missed',
    async run({ register, read }) {
      await register(at(20_000));
      for (const port of range(10)) {
        const reader = read();
        const first = reader.step();
        await register(at(port));
        const { done, value } = await first;
        const had = done !== true && portsOf(value).includes(port);
        const again = read();
        await again.until(`port ${port}`, set => portsOf(set).includes(port));
        // Else nothing more comes.
        if (!had) await reader.until(`port ${port}`, set => portsOf(set).includes(port));
        reader.abort();
        again.abort();
      }
    },
  },
  { name: 'an abort ends a watch quietly, whatever it waits for, and leaves no listener', run: abortsQuietly },
  {
    name: 'a read that is aborted rejects with the reason of that',
    async run({ registry, service, register }) {
      await register(at(20_001));
      const reason = new Error('enough');
      await rejects(registry.discover(service, { signal: AbortSignal.abort(reason) }), reason);
      const controller = new AbortController();
      const reading = registry.discover(service, { signal: controller.signal });
      controller.abort(reason);
      // It may have been answered in that very moment.
      await reading.catch((error: unknown) => equal(error, reason));
      equal(getEventListeners(controller.signal, 'abort').length, 0);
    },
  },
  {
    name: 'watches of one service do not depend on one another',
    async run({ register, read }) {
      await register(at(20_001));
      const [one, other] = [read(), read()];
      await one.next();
      await other.next();
      await one.end();
      await register(at(20_002));
      await other.untilPorts(range(2));
    },
  },
  {
    name: 'many instances are many instances',
    async run({ registry, service, register, read, means: { many = 1_000 } }) {
      await register(at(20_001));
      const reader = read(service, MANY_WITHIN_MS);
      await reader.next();
      for (let next = 1; next < many; next += AT_ONCE)
        await Promise.all(range(Math.min(AT_ONCE, many - next), 20_001 + next).map(port => register(at(port))));
      deepEqual(portsOf(await reader.untilPorts(range(many))), range(many));
      equal((await registry.discover(service)).length, many);
    },
  },
  {
    name: 'close ends watches, may be called twice, and nothing is read after it',
    async run({ registry, service, register, read }) {
      await register(at(20_001));
      const reader = read();
      await reader.next();
      const step = reader.step().then(
        ({ done }) => (done === true ? 'ended' : 'yielded'),
        () => 'threw',
      );
      await reader.within(registry.close(), 'close()');
      await reader.within(registry.close(), 'the second close()');
      notEqual(await step, 'yielded');
      await rejects(registry.discover(service), 'a closed registry was read');
    },
  },
];

async function abortsQuietly({ register, read }: CaseContext): Promise<void> {
  await register(at(20_001));
  const before = read();
  before.abort();
  await before.endsQuietly(before.step());

  const first = read();
  const step = first.step();
  first.abort();
  // A set that was known already may have been on its way.
  if ((await step).done !== true) await first.endsQuietly(first.step());

  const waiting = read();
  await waiting.untilPorts([20_001]);
  const pending = waiting.step();
  waiting.abort();
  await waiting.endsQuietly(pending);

  const between = read();
  await between.untilPorts([20_001]);
  await register(at(20_002));
  await between.end();

  for (const { signal } of [before, first, waiting, between]) equal(getEventListeners(signal, 'abort').length, 0);
}
