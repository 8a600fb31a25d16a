import type { BalancerFactory } from '../core/balancer.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import { p2c } from '../balancers/p2c.js';
import type { EjectionPolicy } from '../pool/ejection.js';
import * as check from './check.js';
import { DEFAULTS } from './defaults.js';
import type { CallOptions, ServiceClientOptions } from './options.js';

/** Options with every default filled in. */
export interface ResolvedOptions extends Pick<
  ServiceClientOptions,
  'registry' | 'discovery' | 'classify' | 'transport' | 'onEvent'
> {
  readonly service: string;
  readonly runtime: Runtime;
  readonly balancer: BalancerFactory;
  readonly includeWarning: boolean;
  readonly deadlineMs: number;
  readonly attemptTimeoutMs: number | false;
  /** Given by the user: applies to the last attempt too. */
  readonly attemptTimeoutIsExplicit: boolean;
  readonly retry: RetryPolicy | false;
  readonly bulkhead: { readonly maxInFlight: number; readonly maxQueue: number } | false;
  readonly ejection: EjectionPolicy | false;
  readonly slowStartMs: number;
  readonly redirects: 'same-origin' | 'any';
  readonly layers: Required<NonNullable<ServiceClientOptions['layers']>>;
  readonly discoveryPolicy: Record<string, unknown>;
}

export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly budget: { readonly ratio: number; readonly minPerSecond: number; readonly ttlMs: number };
}

const DISCOVERY = ['ttlMs', 'firstTimeoutMs', 'maxStaleMs', 'holdDropRatio', 'holdMs'] as const;
const KNOWN = [
  ...['service', 'registry', 'discovery', 'includeWarning', 'deadlineMs', 'attemptTimeoutMs', 'classify', 'retry'],
  ...['bulkhead', 'ejection', 'balancer', 'slowStartMs', 'redirects', 'onEvent', 'layers', 'transport', 'runtime'],
  ...DISCOVERY,
];

/** Checks everything once and fills in the defaults. Throws a TypeError or RangeError that names the option. */
export const resolveOptions = (options: ServiceClientOptions): ResolvedOptions => {
  if (typeof options === 'string')
    throw new TypeError(`expected options, got a string; write { service: ${JSON.stringify(options)}, registry }`);
  const given = check.object('', options, { known: KNOWN }) as Partial<ServiceClientOptions>;
  checkParts(given);
  return {
    service: given.service!,
    registry: given.registry,
    discovery: given.discovery,
    classify: given.classify,
    transport: given.transport,
    onEvent: given.onEvent,
    runtime: given.runtime ?? systemRuntime,
    balancer: given.balancer ?? p2c(),
    includeWarning: given.includeWarning ?? DEFAULTS.includeWarning,
    deadlineMs: given.deadlineMs === false ? Infinity : (given.deadlineMs ?? DEFAULTS.deadlineMs),
    attemptTimeoutMs: given.attemptTimeoutMs ?? DEFAULTS.attemptTimeoutMs,
    attemptTimeoutIsExplicit: given.attemptTimeoutMs !== undefined,
    retry: resolveRetry(given.retry),
    bulkhead: given.bulkhead === false ? false : filled(DEFAULTS.bulkhead, given.bulkhead),
    ejection: given.ejection === false ? false : filled<EjectionPolicy>(DEFAULTS.ejection, given.ejection),
    slowStartMs: given.slowStartMs ?? DEFAULTS.slowStartMs,
    redirects: given.redirects ?? DEFAULTS.redirects,
    layers: { call: given.layers?.call ?? [], attempt: given.layers?.attempt ?? [] },
    discoveryPolicy: Object.fromEntries(
      DISCOVERY.filter(key => given[key] !== undefined).map(key => [key, given[key]]),
    ),
  };
};

/** The same checks for what one call brings along. */
export const checkCallOptions = (given: CallOptions, path: string, alsoKnown: readonly string[] = []): void => {
  const known = ['hashKey', 'deadlineMs', 'attemptTimeoutMs', 'retry', 'idempotent', ...alsoKnown];
  check.object(path, given, { known });
  check.ofType(`${path}.hashKey`, given.hashKey, 'string');
  check.ofType(`${path}.idempotent`, given.idempotent, 'boolean');
  check.number(`${path}.deadlineMs`, given.deadlineMs, { min: 0, above: true, orFalse: true });
  check.number(`${path}.attemptTimeoutMs`, given.attemptTimeoutMs, { min: 0, above: true, orFalse: true });
  if (given.retry === false) return;
  check.object(`${path}.retry`, given.retry, { known: ['maxAttempts'], hint: '; write { maxAttempts: 3 }' });
  check.number(`${path}.retry.maxAttempts`, given.retry?.maxAttempts, { min: 1, max: 10, integer: true });
};

const checkParts = (given: Partial<ServiceClientOptions>): void => {
  if (typeof given.service !== 'string' || given.service.trim() === '')
    throw new TypeError('service: expected the name of a service, a non-empty string');
  if (given.registry !== undefined && given.discovery !== undefined)
    throw new TypeError('registry and discovery: expected one of them, got both');
  if (given.registry === undefined && given.discovery === undefined)
    throw new TypeError('registry: expected a registry such as memoryRegistry() or consulRegistry(), got none');
  if (given.discovery !== undefined) {
    const useless = [...DISCOVERY, 'includeWarning' as const].find(key => given[key] !== undefined);
    if (useless !== undefined)
      throw new TypeError(`${useless}: belongs to the DiscoveryClient that was given as discovery`);
  }
  check.hasMethods('registry', given.registry, ['watch', 'discover', 'close']);
  check.hasMethods('discovery', given.discovery, ['subscribe', 'whenKnown']);
  check.hasMethods('transport', given.transport, ['send']);
  check.hasMethods('runtime', given.runtime, ['now', 'wallNow', 'random', 'sleep', 'after', 'fetch']);
  for (const key of ['classify', 'onEvent', 'balancer'] as const) check.ofType(key, given[key], 'function');
  check.ofType('includeWarning', given.includeWarning, 'boolean');
  check.oneOf('redirects', given.redirects, ['same-origin', 'any']);
  check.number('deadlineMs', given.deadlineMs, { min: 0, above: true, orFalse: true });
  check.number('attemptTimeoutMs', given.attemptTimeoutMs, { min: 0, above: true, orFalse: true });
  check.number('slowStartMs', given.slowStartMs, { min: 0 });
  check.object('layers', given.layers, { known: ['call', 'attempt'], hint: '; write { call: [layer] }' });
  checkBulkhead(given.bulkhead);
  checkEjection(given.ejection);
};

const checkBulkhead = (given: ServiceClientOptions['bulkhead']): void => {
  if (given === false) return;
  check.object('bulkhead', given, { known: Object.keys(DEFAULTS.bulkhead), hint: '; write { maxInFlight: 100 }' });
  check.number('bulkhead.maxInFlight', given?.maxInFlight, { min: 1, integer: true });
  check.number('bulkhead.maxQueue', given?.maxQueue, { min: 0, integer: true });
};

const EJECTION_RANGES: Record<keyof typeof DEFAULTS.ejection, check.Range> = {
  consecutiveFailures: { min: 1, max: 1_000, integer: true, orFalse: true },
  failureRatio: { min: 0, max: 1, above: true },
  minCalls: { min: 1, max: 100_000, integer: true },
  windowMs: { min: 1_000, max: 600_000 },
  baseMs: { min: 10, max: 600_000 },
  maxMs: { min: 10, max: 600_000 },
  maxEjectedRatio: { min: 0, max: 1 },
  panicRatio: { min: 0, max: 1 },
  probes: { min: 1, max: 100, integer: true },
  successesToClose: { min: 1, max: 100, integer: true },
};

const checkEjection = (given: ServiceClientOptions['ejection']): void => {
  if (given === false) return;
  const hint = '; write { consecutiveFailures: 5 }, or false';
  const values = check.object('ejection', given, { known: Object.keys(EJECTION_RANGES), hint });
  for (const [key, range] of Object.entries(EJECTION_RANGES)) check.number(`ejection.${key}`, values[key], range);
};

const resolveRetry = (given: ServiceClientOptions['retry']): RetryPolicy | false => {
  if (given === false) return false;
  check.object('retry', given, { known: Object.keys(DEFAULTS.retry), hint: '; write { maxAttempts: 3 }, or false' });
  check.number('retry.maxAttempts', given?.maxAttempts, { min: 1, max: 10, integer: true });
  check.number('retry.baseMs', given?.baseMs, { min: 0, max: 60_000 });
  check.number('retry.maxMs', given?.maxMs, { min: 0, max: 60_000 });
  const hint = '; write { ratio: 0.2 }';
  check.object('retry.budget', given?.budget, { known: Object.keys(DEFAULTS.retry.budget), hint });
  check.number('retry.budget.ratio', given?.budget?.ratio, { min: 0, max: 1_000 });
  check.number('retry.budget.minPerSecond', given?.budget?.minPerSecond, { min: 0, max: 1_000_000 });
  check.number('retry.budget.ttlMs', given?.budget?.ttlMs, { min: 1_000, max: 60_000 });
  const { budget, ...rest } = given ?? {};
  return { ...filled(DEFAULTS.retry, rest), budget: filled(DEFAULTS.retry.budget, budget) };
};

/** The defaults under what was given; `undefined` counts as not given. */
const filled = <T extends object>(defaults: T, given: { readonly [K in keyof T]?: unknown } | undefined): T =>
  Object.fromEntries(
    Object.entries(defaults).map(([key, value]) => [
      key,
      (given as Record<string, unknown> | undefined)?.[key] ?? value,
    ]),
  ) as T;
