import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict';
import type { InstanceInput } from '../core/instance.js';
import type { CaseStory } from './registry-contract.js';
import { idsOf } from './registry-reader.js';

const at = (port: number) => ({ id: `i-${port}`, address: '127.0.0.1', port });
const FULL = {
  ...at(20_001),
  protocol: 'https',
  weight: 7,
  zone: 'eu-1',
  version: '1.2.3',
  tags: ['blue', 'grün'],
  metadata: { owner: 'ops', note: 'a=b, "c" ∑' },
};
const BAD: readonly (readonly [string, object])[] = [
  ['a port out of range', { port: 70_000 }],
  ['no address', { address: '' }],
  ['a user name in the address', { address: 'user@host' }],
  ['a path in the address', { address: 'host/path' }],
  ['a negative weight', { weight: -1 }],
];

/** Registrations, and services that have none. */
export const writingCases: readonly CaseStory[] = [
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
    name: 'what is registered is seen, with all that was said of it',
    async run({ service, register, read }) {
      const reader = read();
      await reader.next();
      const registration = await register(FULL);
      equal(registration.state, 'registered');
      equal(registration.id, FULL.id);
      const [seen] = await reader.untilIds([FULL.id]);
      const { metadata, ...plain } = FULL;
      for (const [key, value] of Object.entries(plain)) deepEqual(seen![key as keyof typeof plain], value, key);
      for (const [key, value] of Object.entries(metadata)) equal(seen!.metadata[key], value, key);
      equal(seen!.service, service);
      equal(seen!.status, 'passing');
    },
  },
  {
    name: 'an update is seen, and leaves the rest as it was',
    async run({ register, read }) {
      const registration = await register(FULL);
      const reader = read();
      const [before] = await reader.untilIds([FULL.id]);
      await registration.update({ weight: 0, metadata: { owner: 'dev' } });
      const [after] = await reader.until('weight 0', set => set[0]?.weight === 0);
      equal(after!.metadata['owner'], 'dev');
      deepEqual([after!.port, after!.zone, after!.tags], [before!.port, before!.zone, before!.tags]);
      equal(after!.incarnation, before!.incarnation, 'an update is not a new registration');
      await rejects(registration.update({ weight: -1 }), RangeError);
      equal(registration.state, 'registered');
      await registration.update({ weight: 5 });
      await reader.until('weight 5', set => set[0]?.weight === 5);
    },
  },
  {
    name: 'what is deregistered is gone, and deregistering twice is harmless',
    async run({ registry, service, register, read }) {
      const registration = await register(at(20_001));
      await register(at(20_002));
      const reader = read();
      await reader.untilIds(['i-20001', 'i-20002']);
      await registration.deregister();
      await registration.deregister();
      equal(registration.state, 'closed');
      await reader.untilIds(['i-20002']);
      deepEqual(idsOf(await registry.discover(service)), ['i-20002']);
    },
  },
  {
    name: 'an id that is registered anew has another incarnation',
    async run({ register, read }) {
      const first = await register(at(20_001));
      const reader = read();
      const [before] = await reader.untilIds(['i-20001']);
      await first.deregister();
      await reader.untilIds([]);
      await register(at(20_001));
      const [after] = await reader.untilIds(['i-20001']);
      ok(before!.incarnation !== undefined, 'there is no incarnation');
      notEqual(after!.incarnation, before!.incarnation);
    },
  },
  {
    name: 'two registrations with one id are one entry: the later',
    async run({ registry, service, register, read }) {
      const reader = read();
      await reader.next();
      await register(at(20_001));
      await register({ ...at(20_001), port: 20_009 });
      const accept = (set: readonly { port: number }[]): boolean => set.length === 1 && set[0]?.port === 20_009;
      await reader.until('one entry, on port 20009', accept);
      ok(accept(await registry.discover(service)));
    },
  },
  {
    name: 'two ids on one address are two entries, and it can be told which is newer',
    async run({ register, read }) {
      const place = { address: '127.0.0.1', port: 20_001 };
      await register({ ...place, id: 'first' });
      await read().untilIds(['first']);
      await register({ ...place, id: 'second' });
      const set = await read().untilIds(['first', 'second']);
      const numberOf = (wanted: string) => BigInt(set.find(({ id }) => id === wanted)!.incarnation!);
      ok(numberOf('second') > numberOf('first'), 'the incarnation of the later is no greater number');
    },
  },
  {
    name: 'ids and services may be long and of any script',
    async run({ registry, service, register, read }) {
      const names = ['ключ-雪-😀 é', 'a.b:c~d%2Fe', `long-${'x'.repeat(200)}`];
      for (const [index, id] of names.entries()) await register({ ...at(20_001 + index), id });
      await read().untilIds(names);
      for (const [index, name] of names.entries()) {
        const other = `${service} ${name}`;
        await register({ id: `of-${index}`, address: '127.0.0.1', port: 20_101 + index, service: other });
        await read(other).untilIds([`of-${index}`]);
        deepEqual(idsOf(await registry.discover(other)), [`of-${index}`]);
      }
    },
  },
  {
    name: 'a registration that is given up rejects with the reason, and leaves nothing',
    async run({ registry, registrar, service, read }) {
      const reason = new Error('enough');
      const input = { ...at(20_001), service };
      await rejects(registrar.register(input, { signal: AbortSignal.abort(reason) }), reason);
      const controller = new AbortController();
      const pending = registrar.register(input, { signal: controller.signal });
      controller.abort(reason);
      // It may have been there in that very moment.
      await pending.then(
        registration => registration.deregister(),
        (error: unknown) => equal(error, reason),
      );
      await read().untilIds([]);
      deepEqual(idsOf(await registry.discover(service)), []);
    },
  },
  {
    name: 'a bad instance is refused with a reason, and nothing of it is listed',
    async run({ registry, service, register }) {
      for (const [what, wrong] of BAD) {
        const input = { ...at(20_001), service, ...wrong } as InstanceInput;
        await rejects(register(input), isInputError, `${what} was accepted`);
      }
      deepEqual(await registry.discover(service), []);
    },
  },
];

const isInputError = (error: unknown): boolean => error instanceof TypeError || error instanceof RangeError;
