import { expect, it } from 'vitest';
import { PeakEwma } from '../../../src/machines/peak-ewma.js';

it('believes a slow answer at once and fast ones by the time that passed', () => {
  const average = new PeakEwma(10_000);
  average.observe(50, 0);
  average.observe(400, 1);
  expect(average.value).toBe(400);
  average.observe(50, 1);
  expect(average.value).toBe(400);
  average.observe(50, 10_001);
  expect(average.value).toBeCloseTo(400 * Math.exp(-1) + 50 * (1 - Math.exp(-1)));
});
