import { expect, test } from 'vitest';
import type { InstanceInput, ServiceInstance } from '../../src/core/instance.js';
import type { RegisterOptions, Registry, WatchContext } from '../../src/core/registry.js';
import type { Runtime } from '../../src/core/runtime.js';
import { memoryRegistry, type MemoryRegistry } from '../../src/registries/memory.js';
import { registryContract } from '../../src/testing/registry-contract.js';
import { testRuntime } from '../../src/testing/test-runtime.js';

/** memoryRegistry with one fault each, of those that real adapters were seen with. */
const faulty = (fault: (sound: MemoryRegistry) => Partial<MemoryRegistry>): MemoryRegistry => {
  const sound = memoryRegistry();
  const bound = Object.fromEntries(
    (['watch', 'discover', 'register', 'close'] as const).map(name => [name, sound[name].bind(sound)]),
  );
  return { name: 'faulty', ...bound, ...fault(sound) } as MemoryRegistry;
};

/** Waits for turns of the event loop instead of time: what memory has not told by then, it will never tell. */
const impatient: Runtime = {
  ...testRuntime(),
  after: (_, run) => {
    let turns = 50;
    let timer = setImmediate(function turn() {
      turns -= 1;
      if (turns === 0) run();
      else timer = setImmediate(turn);
    });
    return () => clearImmediate(timer);
  },
};

type Sets = AsyncIterable<readonly ServiceInstance[]>;
const watchingWith = (change: (sets: Sets, context: WatchContext) => Sets) => (sound: MemoryRegistry) => ({
  watch: (service: string, context: WatchContext) => change(sound.watch(service, context), context),
});
const registering = (change: (input: InstanceInput) => InstanceInput) => (sound: MemoryRegistry) => ({
  register: (input: InstanceInput, options?: RegisterOptions) => sound.register(change(input), options),
});

const FAULTS: Record<string, [expected: string, make: () => Registry]> = {
  'throws when aborted': [
    'an abort ends a watch quietly',
    () =>
      faulty(
        watchingWith(async function* (sets, { signal }) {
          yield* sets;
          signal.throwIfAborted();
        }),
      ),
  ],
  'leaves a listener on the signal': [
    'an abort ends a watch quietly',
    () =>
      faulty(
        watchingWith((sets, { signal }) => {
          signal.addEventListener('abort', () => undefined);
          signal.addEventListener('other', () => undefined);
          return sets;
        }),
      ),
  ],
  'says nothing of an empty service': [
    'the first set comes at once',
    () =>
      faulty(
        watchingWith(async function* (sets) {
          for await (const set of sets) if (set.length > 0) yield set;
        }),
      ),
  ],
  'yields what is new instead of all': [
    'each set is whole',
    () =>
      faulty(
        watchingWith(async function* (sets) {
          let before: readonly ServiceInstance[] = [];
          for await (const set of sets) {
            yield set.filter(instance => !before.includes(instance));
            before = set;
          }
        }),
      ),
  ],
  'queues every change for a slow reader': [
    'who reads late gets the newest set only',
    () =>
      faulty(
        watchingWith((sets, { signal }) => {
          const queue: (readonly ServiceInstance[])[] = [];
          let wake = (): void => undefined;
          void (async () => {
            for await (const set of sets) {
              queue.push(set);
              wake();
            }
            wake();
          })().catch(() => undefined);
          return (async function* () {
            while (!signal.aborted) {
              const set = queue.shift();
              if (set === undefined) await new Promise<void>(resolve => (wake = resolve));
              else yield set;
            }
          })();
        }),
      ),
  ],
  'takes a prefix for a name': [
    'a service whose name begins with that of another',
    () => faulty(registering(input => ({ ...input, service: input.service.replace(/-admin$/, '') }))),
  ],
  'drops weights': [
    'what is registered is seen',
    () => faulty(registering(input => ({ ...input, weight: undefined }))),
  ],
  'cuts long ids': [
    'ids and services may be long',
    () => faulty(registering(input => ({ ...input, id: input.id?.slice(0, 63) }))),
  ],
  'cannot tell which of two is newer': [
    'two ids on one address',
    () =>
      faulty(
        watchingWith(async function* (sets) {
          for await (const set of sets)
            yield set.map(({ incarnation, ...rest }) => ({ ...rest, incarnation: `-${incarnation}` }));
        }),
      ),
  ],
  'misses what changes while a watch begins': [
    'what changes while a watch begins',
    () =>
      faulty(sound => ({
        async *watch(service: string, context: WatchContext) {
          const set = await sound.discover(service);
          await new Promise(setImmediate);
          const later = sound.watch(service, context)[Symbol.asyncIterator]();
          await later.next();
          yield set;
          for (;;) {
            const { done, value } = await later.next();
            if (done === true) return;
            yield value;
          }
        },
      })),
  ],
  'reads on though it was aborted': [
    'a read that is aborted',
    () => faulty(sound => ({ discover: (service: string) => sound.discover(service) })),
  ],
  'is read after its end': ['close ends watches', () => faulty(() => ({ discover: async () => [] }))],
  'registers though that was given up': [
    'a registration that is given up',
    () => faulty(sound => ({ register: (input: InstanceInput) => sound.register(input) })),
  ],
  'keeps the incarnation of an id for ever': [
    'an id that is registered anew',
    () => {
      const fixed = (set: readonly ServiceInstance[]) => set.map(instance => ({ ...instance, incarnation: '1' }));
      return faulty(
        watchingWith(async function* (sets) {
          for await (const set of sets) yield fixed(set);
        }),
      );
    },
  ],
};

test.each(Object.entries(FAULTS))('the contract catches a registry that %s', async (_, [expected, make]) => {
  const registry = () => ({ registry: make() as MemoryRegistry, runtime: impatient });
  const failed: string[] = [];
  for (const { name, run } of registryContract('faulty', registry))
    await Promise.resolve()
      .then(run)
      .catch(() => failed.push(name));
  expect(
    failed.some(name => name.startsWith(`faulty: ${expected}`)),
    `failed: ${failed.join('; ')}`,
  ).toBe(true);
});

const dying = registryContract('mortal', () => ({ registry: memoryRegistry(), runtime: impatient }), {
  startOwner: async () => () => undefined,
  spoil: async () => 1,
});

test.each(['what a process registered that died', 'bad entries are told'])(
  'the contract asks only with the means for it, and then in earnest: %s',
  async expected => {
    const without = registryContract('bare', () => ({ registry: memoryRegistry() })).map(({ name }) => name);
    expect(without.filter(name => name.includes(expected))).toEqual([]);
    const { run } = dying.find(({ name }) => name.startsWith(`mortal: ${expected}`))!;
    await expect(run()).rejects.toThrow();
  },
);
