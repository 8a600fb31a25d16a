import { describe, expect, it } from 'vitest';
import { createServiceClient, memoryRegistry, type ServiceClientOptions } from 'fairlead';
import { testRuntime } from 'fairlead/testing';
import { lintOptions } from '../../../src/client/config-lint.js';
import { resolveOptions } from '../../../src/client/resolve-options.js';

const given = (options: Partial<ServiceClientOptions>): ServiceClientOptions => ({
  service: 'users',
  registry: memoryRegistry(),
  runtime: testRuntime(),
  ...options,
});

describe('options that do not work together are told with their numbers', () => {
  it.each<[Partial<ServiceClientOptions>, string]>([
    [
      { attemptTimeoutMs: 4_000, deadlineMs: 2_000 },
      'attemptTimeoutMs (4000 ms) is longer than deadlineMs (2000 ms): no attempt ever reaches it',
    ],
    [
      { attemptTimeoutMs: 1_000, deadlineMs: 1_000 },
      'are both 1000 ms: after an attempt that timed out no time is left',
    ],
    [
      { retry: { maxAttempts: 5, baseMs: 1_000, maxMs: 4_000 }, deadlineMs: 10_000 },
      'the waits of retry (up to 11000 ms for maxAttempts 5) can outlast deadlineMs (10000 ms)',
    ],
    [{ retry: { baseMs: 500 } }, 'retry.baseMs (500 ms) is longer than retry.maxMs (250 ms)'],
    [
      { circuitBreaker: { windowMs: 6_000 } },
      'circuitBreaker.windowMs (6000 ms) is less than twice what an attempt may take (5000 ms)',
    ],
    [{ ejection: { windowMs: 1_000 } }, 'ejection.windowMs (1000 ms) is less than twice'],
    [
      { circuitBreaker: { slowCallMs: 5_000 } },
      'circuitBreaker.slowCallMs (5000 ms) is not shorter than an attempt may take (5000 ms)',
    ],
    [{ ejection: { slowCallMs: 9_000 } }, 'ejection.slowCallMs (9000 ms) is not shorter'],
    [
      { hedge: { afterMs: 5_000 } },
      'hedge.afterMs (5000 ms) is not shorter than an attempt may take (5000 ms): no hedge is ever sent',
    ],
    [{ ejection: { baseMs: 20_000 } }, 'ejection.baseMs (20000 ms) is longer than ejection.maxMs (10000 ms)'],
  ])('%j', (options, warning) => {
    expect(lintOptions(resolveOptions(given(options)))).toEqual([expect.stringContaining(warning)]);
  });

  it.each<[Partial<ServiceClientOptions>]>([
    [{}],
    [{ deadlineMs: 2_000 }],
    [{ deadlineMs: false, attemptTimeoutMs: false }],
    [{ attemptTimeoutMs: 1_000, deadlineMs: 1_000, retry: false }],
    [{ retry: false, circuitBreaker: false, ejection: false }],
    [{ hedge: { afterMs: 50 }, circuitBreaker: { slowCallMs: 1_000 } }],
  ])('and nothing is said of %j', options => {
    expect(lintOptions(resolveOptions(given(options)))).toEqual([]);
  });

  it('as a warning of the process', async () => {
    const warned = new Promise<Error>(resolve => {
      const listen = (warning: Error): void => {
        if (!warning.message.startsWith('billing')) return;
        process.off('warning', listen);
        resolve(warning);
      };
      process.on('warning', listen);
    });
    const client = createServiceClient(given({ service: 'billing', attemptTimeoutMs: 20_000 }));
    expect(await warned).toMatchObject({
      name: 'FairleadWarning',
      code: 'FAIRLEAD_CONFIG',
      message: expect.stringMatching(/^billing: attemptTimeoutMs/) as string,
    });
    await client.close();
  });
});

describe('what cannot work at all is refused', () => {
  it.each<[Partial<ServiceClientOptions>, string]>([
    [{ retry: { maxAttempts: 0 } }, 'retry.maxAttempts: expected a whole number >= 1 and <= 10, got 0'],
    [{ circuitBreaker: { failureRatio: 50 } }, 'circuitBreaker.failureRatio: expected a number > 0 and <= 1'],
    [{ ejection: { maxEjectedRatio: 1.1 } }, 'ejection.maxEjectedRatio: expected a number >= 0 and <= 1, got 1.1'],
    [{ deadlineMs: 0 }, 'deadlineMs: expected a number > 0, or false, got 0'],
  ])('%j', (options, message) => {
    expect(() => createServiceClient(given(options))).toThrow(message);
  });

  it('a hedge asked for by name, for what may not be sent twice', async () => {
    const client = createServiceClient(given({}));
    const hedge = { afterMs: 10 };
    await expect(client.fetch('/', { method: 'POST', body: 'x', fairlead: { hedge } })).rejects.toThrow(
      'init.fairlead.hedge: a POST may not be sent twice; if it may, give it an Idempotency-Key, or { idempotent: true }',
    );
    await expect(client.call(() => Promise.resolve(1), { hedge })).rejects.toThrow(
      'options.hedge: a call() may not be sent twice; if it may, give it { idempotent: true }',
    );
    await client.close();
  });
});
