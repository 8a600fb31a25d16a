import { afterAll, describe, expect, it } from 'vitest';
import type { Classify, ServiceClientOptions } from 'fairlead';
import { overload, type Manner } from './overload-world.js';

const throttle = { throttle: true };
const adaptive = { adaptiveConcurrency: true };
/** For servers whose bare 503 means "too much", not "broken". */
const shedding: Classify<unknown> = ({ result }) =>
  result instanceof Response && result.status === 503 ? { outcome: 'overload', retryable: true } : undefined;

type Row = readonly [name: string, options: Partial<ServiceClientOptions>, least: number, most: number];

const table: string[] = [];

/** Three instances of 100/s each, offered 1 500/s; all other defaults on. */
const measure = (manner: Manner, rows: readonly Row[]): void =>
  void describe(`servers: ${manner}`, () => {
    it.each(rows)(
      '%s',
      async (name, options, least, most) => {
        const { share, medianMs, shedPerSecond } = await overload(manner, options);
        const figures = [`${(share * 100).toFixed(1)} %`, medianMs.toFixed(0), shedPerSecond.toFixed(0)];
        table.push(`${manner.padEnd(22)}${name.padEnd(34)}${figures.map(figure => figure.padStart(9)).join('')}`);
        expect(share).toBeGreaterThanOrEqual(least);
        expect(share).toBeLessThanOrEqual(most);
      },
      60_000,
    );
  });

measure('sheds, Retry-After', [
  ['neither', {}, 0, 0.9],
  ['throttle', throttle, 0.9, 1.01],
  ['adaptiveConcurrency', adaptive, 0.9, 1.01],
  ['both', { ...throttle, ...adaptive }, 0.9, 1.01],
]);

measure('queues without bound', [
  ['neither', {}, 0, 0.1],
  ['throttle', throttle, 0, 0.1],
  ['adaptiveConcurrency', adaptive, 0.9, 1.01],
  ['both', { ...throttle, ...adaptive }, 0.9, 1.01],
]);

// These fail by the rules: the breaker opens, and ejection takes out who sheds first. See docs/guides/limiting.md.
measure('sheds, bare 503', [
  ['neither', {}, 0, 0.9],
  ['throttle', throttle, 0, 1.01],
  ['adaptiveConcurrency', adaptive, 0, 1.01],
  ['both', { ...throttle, ...adaptive }, 0, 1.01],
  ['circuitBreaker: false', { circuitBreaker: false }, 0, 0.9],
  ['classify, throttle', { classify: shedding, ...throttle }, 0.9, 1.01],
]);

afterAll(() => {
  const head = `${'servers'.padEnd(22)}${'client'.padEnd(34)}  goodput   median  shed/s`;
  process.stdout.write(`\nOverload, 5 times the capacity\n${[head, ...table].join('\n')}\n`);
});
