import type { BalancerFactory } from '../core/balancer.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import { p2c } from '../balancers/p2c.js';
import type { EjectionPolicy } from '../pool/ejection.js';
import * as check from './check.js';
import { DEFAULTS } from './defaults.js';
import type { CallOptions, ServiceClientOptions } from './options.js';
import { resolveBulkhead, type BulkheadPolicy } from './options/bulkhead.js';
import { resolveEjection } from './options/ejection.js';
import { resolveRetry, type RetryPolicy } from './options/retry.js';

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
  readonly bulkhead: BulkheadPolicy | false;
  readonly ejection: EjectionPolicy | false;
  readonly slowStartMs: number;
  readonly redirects: 'same-origin' | 'any';
  readonly layers: Required<NonNullable<ServiceClientOptions['layers']>>;
  readonly discoveryPolicy: Record<string, unknown>;
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
    bulkhead: resolveBulkhead(given.bulkhead),
    ejection: resolveEjection(given.ejection),
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
};
