import type { ServiceClientOptions } from './options.js';

/** What `fromHystrix` gives: spread it into the options of `createServiceClient`. */
export type HystrixMapped = Pick<ServiceClientOptions, 'circuitBreaker' | 'bulkhead' | 'deadlineMs'>;

/** Hystrix's properties: dotted names, nested objects of them, or the fields of hystrix-go's `CommandConfig`. */
export interface HystrixProperties {
  readonly [property: string]: unknown;
}

interface Draft {
  breaker: Record<string, number>;
  bulkhead: Record<string, number>;
  deadlineMs?: number;
  breakerOff?: boolean;
  deadlineOff?: boolean;
}

type Apply = (draft: Draft, value: never) => void;

const openMs: Apply = (draft, value: number) => {
  draft.breaker.openMs = value;
  // Hystrix's sleep window never grows.
  draft.breaker.maxOpenMs = value;
};
const breaker =
  (option: string, scale = 1): Apply =>
  (draft, value: number) => {
    draft.breaker[option] = value / scale;
  };
const bulkhead =
  (option: string): Apply =>
  (draft, value: number) => {
    // A queue of -1 is Hystrix's way to have none; not to name one is another.
    draft.bulkhead.maxQueue ??= 0;
    draft.bulkhead[option] = Math.max(0, value);
  };
const deadlineMs: Apply = (draft, value: number) => {
  draft.deadlineMs = value;
};

const NUMBERS: Readonly<Record<string, Apply>> = {
  'circuitBreaker.requestVolumeThreshold': breaker('minCalls'),
  'circuitBreaker.sleepWindowInMilliseconds': openMs,
  'circuitBreaker.errorThresholdPercentage': breaker('failureRatio', 100),
  'metrics.rollingStats.timeInMilliseconds': breaker('windowMs'),
  'execution.isolation.thread.timeoutInMilliseconds': deadlineMs,
  'execution.isolation.semaphore.maxConcurrentRequests': bulkhead('maxInFlight'),
  maxConcurrentRequests: bulkhead('maxInFlight'),
  coreSize: bulkhead('maxInFlight'),
  maxQueueSize: bulkhead('maxQueue'),
  // hystrix-go
  Timeout: deadlineMs,
  MaxConcurrentRequests: bulkhead('maxInFlight'),
  RequestVolumeThreshold: breaker('minCalls'),
  SleepWindow: openMs,
  ErrorPercentThreshold: breaker('failureRatio', 100),
};

const SWITCHES: Readonly<Record<string, Apply>> = {
  'circuitBreaker.enabled': (draft, on: boolean) => {
    draft.breakerOff = !on;
  },
  'execution.timeout.enabled': (draft, on: boolean) => {
    draft.deadlineOff = !on;
  },
};

/**
 * Hystrix's settings as fairlead's: only what is given is mapped, all else keeps fairlead's defaults.
 *
 * ```ts
 * createServiceClient({
 *   service: 'users',
 *   registry,
 *   ...fromHystrix({ 'circuitBreaker.errorThresholdPercentage': 50, 'execution.isolation.thread.timeoutInMilliseconds': 1000 }),
 * });
 * ```
 *
 * Throws a TypeError for a property that has no counterpart, naming those that have one, and for a value of the wrong type.
 */
export const fromHystrix = (properties: HystrixProperties): HystrixMapped => {
  if (typeof properties !== 'object' || properties === null)
    throw new TypeError(`fromHystrix: expected an object of Hystrix's properties, got ${String(properties)}`);
  const draft: Draft = { breaker: {}, bulkhead: {} };
  for (const [name, value] of flattened(properties)) apply(draft, name, value);
  return {
    ...(draft.breakerOff ? { circuitBreaker: false } : filled(draft.breaker, 'circuitBreaker')),
    ...filled(draft.bulkhead, 'bulkhead'),
    ...(draft.deadlineOff ? { deadlineMs: false } : draft.deadlineMs !== undefined && { deadlineMs: draft.deadlineMs }),
  };
};

const apply = (draft: Draft, name: string, value: unknown): void => {
  const known = Object.hasOwn(NUMBERS, name) ? 'number' : Object.hasOwn(SWITCHES, name) ? 'boolean' : undefined;
  if (known === undefined) {
    const names = [...Object.keys(NUMBERS), ...Object.keys(SWITCHES)].join(', ');
    throw new TypeError(`fromHystrix: ${name} has no counterpart in fairlead; there are ${names}`);
  }
  if (typeof value !== known || Number.isNaN(value))
    throw new TypeError(`fromHystrix: ${name}: expected a ${known}, got ${JSON.stringify(value)}`);
  (known === 'number' ? NUMBERS : SWITCHES)[name]!(draft, value as never);
};

/** `{ circuitBreaker: { enabled: true } }` as `circuitBreaker.enabled`, without the prefix that Archaius knows. */
const flattened = (properties: object, path = ''): [name: string, value: unknown][] =>
  Object.entries(properties).flatMap(([key, value]: [string, unknown]) => {
    const name = path === '' ? key : `${path}.${key}`;
    if (typeof value === 'object' && value !== null) return flattened(value, name);
    return value === undefined ? [] : [[name.replace(/^hystrix\.(command|threadpool)\.[^.]+\./, ''), value]];
  });

const filled = (values: Record<string, number>, option: 'circuitBreaker' | 'bulkhead'): object =>
  Object.keys(values).length > 0 ? { [option]: values } : {};
