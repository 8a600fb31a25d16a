import { describe, expect, it } from 'vitest';
import { checkCallRoute, resolveRoute, type RouteOptions } from '../../../src/client/options/route.js';
import { resolveSubset } from '../../../src/client/options/subset.js';

const to = { version: '2' };
const rule = (own: object): unknown => ({ rules: [{ to }, own] });

describe('route', () => {
  it.each<[unknown, RegExp]>([
    ['v2', /^route: expected an object, got "v2"; write \{ rules:/],
    [true, /^route: expected an object, got true/],
    [{ rule: [] }, /^route\.rule: no such option; there are rules, otherwise/],
    [{ rules: { to } }, /^route\.rules: expected an array/],
    [{ rules: [undefined] }, /^route\.rules\[0\]: expected a rule/],
    [{ rules: ['v2'] }, /^route\.rules\[0\]: expected an object, got "v2"/],
    [{ rules: Array(101).fill({ to }) }, /^route\.rules: expected at most 100 rules, got 101/],
    [rule({}), /^route\.rules\[1\]: expected either to or split, got none/],
    [rule({ to, split: [{ share: 1, to }] }), /^route\.rules\[1\]: expected either to or split, got both/],
    [rule({ to, weight: 5 }), /^route\.rules\[1\]\.weight: no such option/],
    [rule({ to, name: 7 }), /^route\.rules\[1\]\.name: expected a string, got 7/],
    [rule({ to, share: 1.5 }), /^route\.rules\[1\]\.share: expected a number >= 0 and <= 1, got 1\.5/],
    [rule({ to, share: -0.1 }), /^route\.rules\[1\]\.share: expected a number >= 0 and <= 1, got -0\.1/],
    [rule({ to, share: NaN }), /^route\.rules\[1\]\.share: expected a number >= 0 and <= 1, got NaN/],
    [rule({ to, share: '5%' }), /^route\.rules\[1\]\.share: expected a number >= 0 and <= 1, got "5%"/],
    [rule({ split: [] }), /^route\.rules\[1\]\.split: expected targets/],
    [rule({ split: [{ to }] }), /^route\.rules\[1\]\.split\[0\]\.share: expected a number >= 0 and <= 1, got nothing/],
    [rule({ split: [{ share: 0.5 }] }), /^route\.rules\[1\]\.split\[0\]\.to: expected what it selects/],
    [rule({ split: [{ share: NaN, to }] }), /^route\.rules\[1\]\.split\[0\]\.share: .* got NaN/],
    [
      rule({
        split: [
          { share: 0.7, to },
          { share: 0.4, to },
        ],
      }),
      /^route\.rules\[1\]\.split: expected shares that add up to 1 at most, got 1\.1/,
    ],
    [rule({ share: 0.5, split: [{ share: 0.5, to }] }), /^route\.rules\[1\]\.share: belongs into the targets of split/],
    [rule({ to: { version: 2 } }), /^route\.rules\[1\]\.to\.version: expected a string, got the number 2; write "2"/],
    [rule({ to: { versoin: '2' } }), /^route\.rules\[1\]\.to\.versoin: no such option; there are version, zone, tags/],
    [rule({ to: { zone: [] } }), /^route\.rules\[1\]\.to\.zone: expected a string or several, got an empty array/],
    [rule({ to: { tags: [''] } }), /^route\.rules\[1\]\.to\.tags: expected a string of 1–256 characters/],
    [rule({ to: { metadata: ['a'] } }), /^route\.rules\[1\]\.to\.metadata: expected an object/],
    [
      rule({ to: { metadata: { env: undefined } } }),
      /^route\.rules\[1\]\.to\.metadata\.env: expected a string or an array/,
    ],
    [rule({ to: { tags: Array.from({ length: 17 }, String) } }), /^route\.rules\[1\]\.to: expected at most 16 tags/],
    [rule({ to: { not: {} } }), /^route\.rules\[1\]\.to\.not: expected a condition/],
    [rule({ to: { not: { not: to } } }), /^route\.rules\[1\]\.to\.not\.not: expected no second negation/],
    [rule({ to: { where: 'x' } }), /^route\.rules\[1\]\.to\.where: expected a function, got "x"/],
    [rule({ to, match: { header: {} } }), /^route\.rules\[1\]\.match\.header: no such option/],
    [
      rule({ to, match: { headers: { 'x-a': 1 } } }),
      /^route\.rules\[1\]\.match\.headers\.x-a: expected a string, got the number 1/,
    ],
    [rule({ to, match: { keys: 'ann' } }), /^route\.rules\[1\]\.match\.keys: expected an array of strings/],
    [rule({ to, match: { keys: [''] } }), /^route\.rules\[1\]\.match\.keys\[0\]: expected a non-empty string/],
    [rule({ to, match: { when: true } }), /^route\.rules\[1\]\.match\.when: expected a function, got true/],
    [
      rule({ to, fallback: 'none' }),
      /^route\.rules\[1\]\.fallback: expected "ladder" or "any" or "strict", got "none"/,
    ],
    [rule({ to, fallback: [] }), /^route\.rules\[1\]\.fallback: expected 1–16 selectors, got 0; 'strict' is none/],
    [{ fallback: [{ version: 1 }] }, /^route\.fallback\[0\]\.version: expected a string, got the number 1/],
    [{ otherwise: 'none' }, /^route\.otherwise: expected "rest" or "any", got "none"/],
    [{ otherwise: { version: 1 } }, /^route\.otherwise\.version: expected a string/],
    [{ key: 'x-user-id' }, /^route\.key: expected a function, \{ header \}/],
    [{ key: { header: '' } }, /^route\.key\.header: expected a name, got ""/],
    [{ zone: '' }, /^route\.zone\.own: expected the zone that this process runs in/],
    [{ zone: { minLocal: 1 } }, /^route\.zone\.own: expected the zone/],
    [{ zone: { own: 'eu', minLocal: 0 } }, /^route\.zone\.minLocal: expected a whole number >= 1/],
    [{ zone: { own: 'eu', callersRatio: 0 } }, /^route\.zone\.callersRatio: expected a number > 0 and <= 1/],
    [{ zone: true }, /^route\.zone: expected an object, got true; write "eu-west-1a"/],
  ])('%j is refused', (given, message) => {
    expect(() => resolveRoute(given as RouteOptions)).toThrow(message);
  });

  it.each([
    [undefined],
    [false],
    [{}],
    [{ rules: [{ to, share: 0 }, { split: [0.1, 0.2, 0.7].map(share => ({ share, to })) }] }],
    [{ rules: undefined, zone: undefined, key: undefined, fallback: undefined, otherwise: undefined }],
  ])('%j is fine', given => {
    expect(() => resolveRoute(given as RouteOptions)).not.toThrow();
  });

  it('can be JSON', () => {
    const route = {
      rules: [
        { name: 'canary', match: { headers: { 'x-a': ['b', 'c'] } }, share: 0.05, to, fallback: [{ zone: 'eu' }, {}] },
      ],
      key: { header: 'x-user-id' },
      zone: { own: 'eu', minInstances: 10 },
    };
    const read = resolveRoute(JSON.parse(JSON.stringify(route)) as RouteOptions);
    expect(read).toMatchObject({ rules: route.rules, fallback: 'ladder', otherwise: 'rest' });
    expect(read && read.zone).toEqual({ own: 'eu', minInstances: 10, minLocal: 2, callersRatio: undefined });
  });
});

describe('the route of a call', () => {
  it.each<[unknown, RegExp]>([
    [{ version: '2' }, /^init\.fairlead\.route\.version: no such option; there are to, fallback, key/],
    ['2', /^init\.fairlead\.route: expected an object, got "2"; write \{ to:/],
    [{ to: { where: () => true } }, /^init\.fairlead\.route\.to\.where: no such option/],
    [{ to: { version: 2 } }, /^init\.fairlead\.route\.to\.version: expected a string, got the number 2/],
    [{ key: 7 }, /^init\.fairlead\.route\.key: expected a string, got 7/],
    [{ to, fallback: [{ where: () => true }] }, /^init\.fairlead\.route\.fallback\[0\]\.where: no such option/],
  ])('%j is refused', (given, message) => {
    expect(() => checkCallRoute('init.fairlead.route', given as never)).toThrow(message);
  });
});

describe('subset', () => {
  it.each<[unknown, RegExp]>([
    [100, /^subset: expected an object, got 100; write \{ size: 100 \}, or false/],
    [{ size: 1 }, /^subset\.size: expected a whole number >= 2/],
    [{ size: 2.5 }, /^subset\.size: expected a whole number/],
    [{ size: NaN }, /^subset\.size/],
    [{ key: '' }, /^subset\.key: expected the name of this client/],
    [{ seed: 1 }, /^subset\.seed: no such option/],
  ])('%j is refused', (given, message) => {
    expect(() => resolveSubset(given as never)).toThrow(message);
  });

  it('is off, and 100 when it is on', () => {
    expect([resolveSubset(undefined), resolveSubset(false), resolveSubset({})]).toEqual([
      false,
      false,
      { size: 100, key: undefined },
    ]);
  });
});
