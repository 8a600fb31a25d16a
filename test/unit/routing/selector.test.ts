import { describe, expect, it, vi } from 'vitest';
import { conditionsOf, selectionOf, type InstanceSelector } from '../../../src/routing/selector.js';
import { instancesOf } from './support.js';

const FLEET = instancesOf({
  a: { version: '1', zone: 'eu', tags: ['gpu'] },
  b: { version: '2', zone: 'eu', tags: ['gpu', 'big'], metadata: { env: 'prod' } },
  c: { version: '2', zone: 'us', metadata: { env: 'test', toString: 'x' } },
  d: {},
});

const select = (selector: InstanceSelector): string =>
  FLEET.filter(instance => selectionOf(conditionsOf(selector)).selects(instance))
    .map(({ id }) => id)
    .join('');

describe('a selector', () => {
  it.each<[string, InstanceSelector, string]>([
    ['nothing', {}, 'abcd'],
    ['a version', { version: '2' }, 'bc'],
    ['one of several versions', { version: ['1', '2'] }, 'abc'],
    ['version and zone', { version: '2', zone: 'eu' }, 'b'],
    ['a tag', { tags: 'gpu' }, 'ab'],
    ['all of several tags', { tags: ['gpu', 'big'] }, 'b'],
    ['metadata', { metadata: { env: 'prod' } }, 'b'],
    ['one of several values', { metadata: { env: ['prod', 'test'] } }, 'bc'],
    ['a key that objects have anyway', { metadata: { toString: 'x' } }, 'c'],
    ['a key that nobody has', { metadata: { constructor: 'Object' } }, ''],
    ['not', { not: { version: '2' } }, 'ad'],
    ['not both', { zone: 'eu', not: { tags: ['gpu', 'big'] } }, 'a'],
    ['a function', { where: ({ id }) => id > 'b' }, 'cd'],
    ['undefined', { version: undefined, tags: undefined }, 'abcd'],
  ])('by %s', (_name, selector, ids) => {
    expect(select(selector)).toBe(ids);
  });

  it('that was written in another order is the same', () => {
    const key = (selector: InstanceSelector): string => selectionOf(conditionsOf(selector)).key;
    expect(key({ zone: 'eu', version: ['2', '1'] })).toBe(key({ version: ['1', '2'], zone: 'eu' }));
    expect(key({ zone: 'a, version="2"' })).not.toBe(key({ zone: 'a', version: '2' }));
    expect(key({ tags: ['x'] })).not.toBe(key({ metadata: { x: 'x' } }));
    const where = (): boolean => true;
    expect(key({ where })).toBe(key({ where }));
    expect(key({ where })).not.toBe(key({ where: () => true }));
  });

  it('whose function throws selects nobody, and says so once', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const where = (): boolean => {
      throw new Error('broken');
    };
    expect(select({ where: where })).toBe('');
    const [message] = warned.mock.calls[0]!;
    expect(String(message)).toMatch(/where.*broken/s);
    warned.mockRestore();
  });
});
