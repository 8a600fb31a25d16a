import { describe, expect, it } from 'vitest';
import { createServiceClient, fromHystrix, memoryRegistry } from 'fairlead';
import { testRuntime } from 'fairlead/testing';

describe('fromHystrix', () => {
  it.each<[string, Record<string, unknown>, unknown]>([
    ['nothing', {}, {}],
    [
      'dotted names',
      {
        'circuitBreaker.requestVolumeThreshold': 10,
        'circuitBreaker.sleepWindowInMilliseconds': 3_000,
        'circuitBreaker.errorThresholdPercentage': 40,
        'metrics.rollingStats.timeInMilliseconds': 20_000,
        'execution.isolation.thread.timeoutInMilliseconds': 800,
        'execution.isolation.semaphore.maxConcurrentRequests': 25,
      },
      {
        circuitBreaker: { minCalls: 10, openMs: 3_000, maxOpenMs: 3_000, failureRatio: 0.4, windowMs: 20_000 },
        bulkhead: { maxInFlight: 25, maxQueue: 0 },
        deadlineMs: 800,
      },
    ],
    [
      'nested objects',
      { circuitBreaker: { errorThresholdPercentage: 60 }, execution: { timeout: { enabled: false } } },
      { circuitBreaker: { failureRatio: 0.6 }, deadlineMs: false },
    ],
    ['with Archaius’ prefix', { 'hystrix.command.default.circuitBreaker.enabled': false }, { circuitBreaker: false }],
    ['a thread pool', { coreSize: 10, maxQueueSize: -1 }, { bulkhead: { maxInFlight: 10, maxQueue: 0 } }],
    ['a thread pool with a queue', { maxQueueSize: 5, coreSize: 10 }, { bulkhead: { maxInFlight: 10, maxQueue: 5 } }],
    [
      'hystrix-go',
      {
        Timeout: 1_000,
        MaxConcurrentRequests: 100,
        ErrorPercentThreshold: 25,
        SleepWindow: 5_000,
        RequestVolumeThreshold: 5,
      },
      {
        deadlineMs: 1_000,
        bulkhead: { maxInFlight: 100, maxQueue: 0 },
        circuitBreaker: { failureRatio: 0.25, openMs: 5_000, maxOpenMs: 5_000, minCalls: 5 },
      },
    ],
  ])('%s', async (_name, properties, expected) => {
    const mapped = fromHystrix(properties);
    expect(mapped).toEqual(expected);
    // What it gives is what createServiceClient takes.
    const registry = memoryRegistry();
    await createServiceClient({ service: 'users', registry, runtime: testRuntime(), ...mapped }).close();
  });

  it.each<[unknown, string]>([
    [
      { 'circuitBreaker.forceOpen': true },
      'circuitBreaker.forceOpen has no counterpart in fairlead; there are circuit',
    ],
    [{ Timeout: '1000' }, 'Timeout: expected a number, got "1000"'],
    [{ 'circuitBreaker.enabled': 1 }, 'circuitBreaker.enabled: expected a boolean, got 1'],
    [{ constructor: 1 }, 'constructor has no counterpart'],
    [null, "expected an object of Hystrix's properties, got null"],
  ])('refuses %j', (properties, message) => {
    expect(() => fromHystrix(properties as never)).toThrow(`fromHystrix: ${message}`);
  });
});
