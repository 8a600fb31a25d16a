import { describe, expect, it } from 'vitest';
import type { InstanceInput } from '../../../src/core/instance.js';
import { normalise } from '../../../src/discovery/normalise.js';

const entry = (id: string, more: Partial<InstanceInput> = {}) => ({ id, service: 's', address: id, port: 80, ...more });
const ids = (entries: readonly unknown[], includeWarning = false) =>
  normalise(entries, { includeWarning }).instances.map(({ id }) => id);

/** JSON makes an own key of it, as a registry's answer would. */
const poisoned = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
const hostile = new Proxy(
  {},
  {
    get: () => {
      throw new Error('do not look');
    },
  },
);

describe('normalise', () => {
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a number', 7],
    ['a string', 'host:80'],
    ['an array', []],
    ['an empty object', {}],
    ['a port of 0', entry('x', { port: 0 })],
    ['a port of 70000', entry('x', { port: 70_000 })],
    ['a port as text', entry('x', { port: '80' as unknown as number })],
    ['no address', entry('x', { address: '' })],
    ['a user name', entry('x', { address: 'user@host' })],
    ['a path', entry('x', { address: 'host/path' })],
    ['a space', entry('x', { address: 'ho st' })],
    ['a line break', entry('x', { id: 'x\r\ny' })],
    ['a weight that is none', entry('x', { weight: NaN })],
    ['a status that is none', entry('x', { status: 'up' as 'passing' })],
    ['a protocol that is none', entry('x', { protocol: 5 as unknown as string })],
    ['tags that are no list', entry('x', { tags: 'a,b' as unknown as string[] })],
    ['metadata __proto__', entry('x', { metadata: poisoned })],
    ['metadata that is no record', entry('x', { metadata: ['a'] as unknown as Record<string, string> })],
    ['an object that throws when read', hostile],
  ])('skips %s, tells why, and keeps the good ones', (_, bad) => {
    const { instances, problems } = normalise([entry('a'), bad, entry('b')], { includeWarning: false });
    expect(instances.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ kind: 'bad-entry' });
    expect(problems[0]?.message).toMatch(/^entry .+ is skipped: .+/);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('names a bad entry by its id, else by its place', () => {
    const { problems } = normalise([entry('web-1', { port: 0 }), null], { includeWarning: false });
    expect(problems.map(({ message }) => message)).toEqual([
      'entry "web-1" is skipped: port 0 is not 1–65535',
      'entry 1 is skipped: it is not an object',
    ]);
    expect(problems[0]?.entry).toBe('web-1');
  });

  it('keeps passing ones, warning ones if asked, and weight 0', () => {
    const all = [
      entry('p'),
      entry('w', { status: 'warning' }),
      entry('c', { status: 'critical' }),
      entry('z', { weight: 0 }),
    ];
    expect(ids(all)).toEqual(['p', 'z']);
    expect(ids(all, true)).toEqual(['p', 'w', 'z']);
  });

  const twin = (id: string, incarnation?: string) => entry(id, { address: 'h', incarnation });
  it.each([
    ['the later, where nothing else tells', [twin('a'), twin('b')], 'b'],
    ['the greater number', [twin('a', '100'), twin('b', '99')], 'a'],
    ['the greater number beyond 2^53', [twin('a', '9007199254740993'), twin('b', '9007199254740992')], 'a'],
    ['the greater number in hexadecimal', [twin('a', '0x100000002'), twin('b', '0xff')], 'a'],
    ['the later of equal numbers', [twin('a', '7'), twin('b', '7')], 'b'],
    ['the later, where one is no number', [twin('a', '100'), twin('b', 'x')], 'b'],
  ])('counts two ids on one address once: %s', (_, entries, winner) => {
    const { instances, problems } = normalise(entries, { includeWarning: false });
    expect(instances.map(({ id }) => id)).toEqual([winner]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ kind: 'duplicate-address', entry: winner === 'a' ? 'b' : 'a' });
    expect(problems[0]?.message).toContain('are both on h port 80');
  });

  it('does not let a failing twin hide a passing one', () => {
    expect(ids([twin('a', '1'), { ...twin('b', '2'), status: 'critical' }])).toEqual(['a']);
  });

  it('takes one id on two addresses, and one address with two ports, as two', () => {
    expect(ids([entry('a'), entry('a', { address: 'other' }), entry('b', { address: 'a', port: 81 })])).toHaveLength(3);
  });
});
