import { describe, expect, it, vi } from 'vitest';
import { matcherOf, type RouteMatch } from '../../../src/routing/match.js';
import { testCall } from '../../../src/testing/test-fleet.js';

const call = testCall({
  request: { method: 'POST', path: '/orders/7?x=1', headers: new Headers({ 'X-Group': 'b', 'x-empty': '' }) },
});

const matches = (match: RouteMatch, of = call): boolean => matcherOf(match)?.(of, () => 'ann') ?? true;

describe('a match', () => {
  it.each<[RouteMatch, boolean]>([
    [{}, true],
    [{ headers: { 'x-group': 'b' } }, true],
    [{ headers: { 'X-GROUP': ['a', 'b'] } }, true],
    [{ headers: { 'x-group': 'B' } }, false],
    [{ headers: { 'x-group': true } }, true],
    [{ headers: { 'x-empty': true } }, true],
    [{ headers: { 'x-group': false } }, false],
    [{ headers: { 'x-other': false } }, true],
    [{ headers: { 'x-other': true } }, false],
    [{ headers: { 'x-group': 'b', 'x-other': 'c' } }, false],
    [{ method: 'POST' }, true],
    [{ method: ['GET', 'HEAD'] }, false],
    [{ pathPrefix: '/orders' }, true],
    [{ pathPrefix: ['/users', '/carts'] }, false],
    [{ keys: ['bob', 'ann'] }, true],
    [{ keys: ['bob'] }, false],
    [{ when: ({ request }) => request?.path.endsWith('x=1') === true }, true],
    [{ when: () => 'yes' as never }, false],
    [{ method: 'POST', keys: ['ann'], headers: { 'x-group': true } }, true],
    [{ method: 'POST', keys: ['bob'], headers: { 'x-group': true } }, false],
  ])('%j: %s', (match, expected) => {
    expect(matches(match)).toBe(expected);
  });

  it('asks work that is not a request for nothing of a request', () => {
    const work = testCall();
    expect(matches({ headers: { 'x-group': 'b' } }, work)).toBe(false);
    expect(matches({ headers: { 'x-group': false } }, work)).toBe(true);
    expect(matches({ pathPrefix: '/' }, work)).toBe(false);
    expect(matches({ keys: ['ann'] }, work)).toBe(true);
  });

  it('does not hold where its function throws, and warns once', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const matcher = matcherOf({
      when: () => {
        throw new Error('broken');
      },
    })!;
    expect([matcher(call, () => ''), matcher(call, () => '')]).toEqual([false, false]);
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
  });
});
