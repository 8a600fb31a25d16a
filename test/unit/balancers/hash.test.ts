import { describe, expect, it } from 'vitest';
import { fingerprintOf, hashOf, mixed } from '../../../src/balancers/hash.js';
import { testEndpoint } from 'fairlead/testing';

describe('hashOf', () => {
  // FNV-1a's published values, mixed by murmur3's finaliser: who changes the hash moves every key of every user.
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('of %j is FNV-1a, mixed', (text, fnv) => {
    expect(hashOf(text)).toBe(mixed(fnv));
  });

  it('is a 32-bit integer, whatever the text', () => {
    for (const text of ['', 'é', '日本語', '\u{1F600}', '\ud800', 'x'.repeat(100_000)])
      expect(hashOf(text) | 0).toBe(hashOf(text));
  });

  it('spreads like keys over 256 boxes: chi-square below 5 standard deviations', () => {
    for (const shape of [(n: number) => `user-${n}`, (n: number) => `${n}`, (n: number) => `/users/${n * 1024}`]) {
      for (const shift of [0, 24]) {
        const boxes = new Float64Array(256);
        for (let n = 0; n < 256 * 100; n += 1) boxes[(hashOf(shape(n)) >>> shift) & 255]! += 1;
        const chiSquare = boxes.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
        expect(chiSquare).toBeLessThan(255 + 5 * Math.sqrt(2 * 255));
      }
    }
  });
});

describe('fingerprints', () => {
  it('tell apart 100 000 instances, of whom some share one hash', () => {
    const firsts = new Set<number>();
    const both = new Set<string>();
    const { instance } = testEndpoint('i');
    for (let index = 0; index < 100_000; index += 1) {
      const { first, second } = fingerprintOf({ ...instance, id: `instance-${index}` });
      firsts.add(first);
      both.add(`${first} ${second}`);
    }
    expect(firsts.size).toBeGreaterThan(99_980);
    expect(both.size).toBe(100_000);
  });
});
