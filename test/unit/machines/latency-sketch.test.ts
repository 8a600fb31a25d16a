import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/testing/test-runtime.js';
import { LatencySketch } from '../../../src/machines/latency-sketch.js';

const sketchOf = (values: readonly number[], halfLifeMs = 30_000): LatencySketch => {
  const sketch = new LatencySketch({ halfLifeMs });
  for (const value of values) sketch.observe(value, 0);
  return sketch;
};

describe('LatencySketch', () => {
  it.each([0.5, 0.9, 0.95, 0.99, 0.999])('is within 2.5 %% of the real quantile %f', q => {
    for (const seed of [1, 2, 3]) {
      const random = seededRandom(seed);
      // Long-tailed, as latencies are.
      const values = Array.from({ length: 5_000 }, () => 5 + 20 * Math.log(1 - random()) ** 2);
      const sorted = [...values].sort((a, b) => a - b);
      const real = sorted[Math.ceil(q * sorted.length) - 1]!;
      const said = sketchOf(values).quantile(q, 0);
      expect(Math.abs(said - real) / real, `seed ${seed}: ${said} for ${real}`).toBeLessThan(0.0251);
    }
  });

  it.each<[string, number[], number, number]>([
    ['nothing', [], 0.95, 0],
    ['one', [10], 0.95, 10],
    ['what is too small to tell apart', [0, 0.01, -5], 0.5, 0.05],
    ['what is longer than it can tell apart', [1e12], 0.5, 1_000_000],
  ])('%s', (_name, values, q, about) => {
    const said = sketchOf(values).quantile(q, 0);
    expect(Math.abs(said - about)).toBeLessThanOrEqual(about * 0.06);
  });

  it('forgets: a count halves in its half-life, and what is new takes over', () => {
    const sketch = sketchOf(Array.from({ length: 1_000 }, () => 10));
    expect(sketch.count(30_000)).toBeCloseTo(500, 6);
    for (let at = 0; at < 200; at += 1) sketch.observe(1_000, 120_000);
    expect(sketch.quantile(0.5, 120_000)).toBeGreaterThan(900);
    expect(sketch.count(3_600_000 * 24)).toBeLessThan(1e-9);
  });

  it('survives a clock that goes back', () => {
    const sketch = sketchOf([10, 10, 10]);
    sketch.observe(10, 3_600_000);
    sketch.observe(10, 0);
    expect(sketch.count(0)).toBeCloseTo(2, 6);
    expect(sketch.quantile(0.5, 0)).toBeGreaterThan(9);
  });
});
