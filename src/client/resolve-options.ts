import type { BalancerFactory } from '../core/balancer.js';
import type { HedgeRules } from '../core/policy.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import { p2c } from '../balancers/p2c.js';
import type { HealthPolicy } from '../health/health-policy.js';
import type { CachePolicy } from '../layers/cache.js';
import type { CoalescePolicy } from '../layers/coalesce.js';
import type { FallbackFunction } from '../layers/fallback.js';
import type { BreakerPolicy } from '../machines/breaker-rules.js';
import type { EjectionPolicy } from '../pool/ejection-policy.js';
import type { SubsetPolicy } from '../pool/fleet-subset.js';
import type { RoutePolicy } from '../routing/rules.js';
import * as check from '../core/check.js';
import { DEFAULTS } from './defaults.js';
import type { LogicalCallOptions, ServiceClientOptions } from './options.js';
import type { ThrottlePolicy } from '../machines/adaptive-throttle.js';
import type { AdaptiveConcurrency } from '../machines/adaptive-concurrency.js';
import type { GradientPolicy } from '../machines/gradient-limit.js';
import { resolveAdaptiveConcurrency } from './options/adaptive-concurrency.js';
import { resolveRateLimit, type RateLimitPolicy } from './options/rate-limit.js';
import { resolveThrottle } from './options/throttle.js';
import { resolveBulkhead, type BulkheadPolicy } from './options/bulkhead.js';
import { resolveCache } from './options/cache.js';
import { resolveCoalesce } from './options/coalesce.js';
import { resolveFetchFallback } from './options/fallback.js';
import { resolveCircuitBreaker } from './options/circuit-breaker.js';
import { resolveEjection } from './options/ejection.js';
import { resolveHealth } from './options/health.js';
import { resolveHedge } from './options/hedge.js';
import type { Instrument } from './instrument.js';
import { checkCallRetry, resolveRetry, type RetryPolicy } from './options/retry.js';
import { checkCallRoute, resolveRoute } from './options/route.js';
import { resolveSubset } from './options/subset.js';

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
  readonly hedge: HedgeRules | false;
  readonly propagate: 'inherited' | 'always' | false;
  readonly rateLimit: RateLimitPolicy | false;
  readonly bulkhead: BulkheadPolicy | false;
  readonly throttle: ThrottlePolicy | false;
  readonly adaptiveConcurrency: GradientPolicy | AdaptiveConcurrency | false;
  readonly circuitBreaker: BreakerPolicy | false;
  readonly ejection: EjectionPolicy | false;
  readonly health: HealthPolicy | false;
  readonly fallback: FallbackFunction<Response> | undefined;
  readonly cache: CachePolicy | false;
  readonly coalesce: CoalescePolicy | false;
  readonly slowStartMs: number;
  readonly explain: 'failures' | 'all';
  readonly route: RoutePolicy | false;
  readonly subset: SubsetPolicy | false;
  readonly redirects: 'same-origin' | 'any';
  readonly layers: Required<NonNullable<ServiceClientOptions['layers']>>;
  readonly instruments: readonly Instrument[];
  readonly discoveryPolicy: Record<string, unknown>;
}

const DISCOVERY = ['ttlMs', 'firstTimeoutMs', 'maxStaleMs', 'holdDropRatio', 'holdMs', 'snapshotFile'] as const;
const KNOWN = [
  ...['service', 'registry', 'discovery', 'includeWarning', 'deadlineMs', 'attemptTimeoutMs', 'classify', 'retry'],
  ...['bulkhead', 'ejection', 'balancer', 'slowStartMs', 'redirects', 'onEvent', 'layers', 'transport', 'runtime'],
  ...['circuitBreaker', 'fallback', 'cache', 'coalesce', 'hedge', 'propagate', 'route', 'subset'],
  ...['rateLimit', 'throttle', 'adaptiveConcurrency', 'health', 'explain', 'instruments'],
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
    propagate: given.propagate ?? DEFAULTS.propagate,
    slowStartMs: given.slowStartMs ?? DEFAULTS.slowStartMs,
    explain: given.explain ?? DEFAULTS.explain,
    redirects: given.redirects ?? DEFAULTS.redirects,
    instruments: given.instruments ?? [],
    layers: { call: given.layers?.call ?? [], attempt: given.layers?.attempt ?? [] },
    discoveryPolicy: discoveryPolicyOf(given),
    ...stagesOf(given),
  };
};

/** Each from its own file, with its checks and its defaults. */
const stagesOf = (given: Partial<ServiceClientOptions>) => ({
  retry: resolveRetry(given.retry),
  hedge: resolveHedge(given.hedge),
  rateLimit: resolveRateLimit(given.rateLimit),
  bulkhead: resolveBulkhead(given.bulkhead),
  throttle: resolveThrottle(given.throttle),
  adaptiveConcurrency: resolveAdaptiveConcurrency(given.adaptiveConcurrency),
  circuitBreaker: resolveCircuitBreaker(given.circuitBreaker),
  ejection: resolveEjection(given.ejection),
  health: resolveHealth(given.health),
  fallback: resolveFetchFallback(given.fallback, 'fallback'),
  cache: resolveCache(given.cache),
  coalesce: resolveCoalesce(given.coalesce),
  route: resolveRoute(given.route),
  subset: resolveSubset(given.subset),
});

const discoveryPolicyOf = (given: Partial<ServiceClientOptions>): Record<string, unknown> =>
  Object.fromEntries(DISCOVERY.filter(key => given[key] !== undefined).map(key => [key, given[key]]));

/** The same checks for what one call brings along. */
export const checkCallOptions = (given: LogicalCallOptions, path: string, alsoKnown: readonly string[] = []): void => {
  const known = [
    'hashKey',
    'deadlineMs',
    'attemptTimeoutMs',
    'retry',
    'hedge',
    'idempotent',
    'route',
    'fallback',
    'explain',
    ...alsoKnown,
  ];
  check.object(path, given, { known });
  check.ofType(`${path}.hashKey`, given.hashKey, 'string');
  check.oneOf(`${path}.explain`, given.explain, ['failures', 'all']);
  check.ofType(`${path}.idempotent`, given.idempotent, 'boolean');
  check.number(`${path}.deadlineMs`, given.deadlineMs, { min: 0, above: true, orFalse: true });
  check.number(`${path}.attemptTimeoutMs`, given.attemptTimeoutMs, { min: 0, above: true, orFalse: true });
  checkCallRetry(`${path}.retry`, given.retry);
  resolveHedge(given.hedge, `${path}.hedge`);
  checkCallRoute(`${path}.route`, given.route);
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
  check.hasMethods('registry', given.registry, ['discover']);
  check.hasMethods('discovery', given.discovery, ['subscribe', 'whenKnown']);
  check.hasMethods('transport', given.transport, ['send']);
  check.hasMethods('runtime', given.runtime, ['now', 'wallNow', 'random', 'sleep', 'after', 'fetch']);
  for (const key of ['classify', 'onEvent', 'balancer'] as const) check.ofType(key, given[key], 'function');
  check.ofType('includeWarning', given.includeWarning, 'boolean');
  check.oneOf('propagate', given.propagate, ['inherited', 'always', false]);
  check.oneOf('explain', given.explain, ['failures', 'all']);
  check.oneOf('redirects', given.redirects, ['same-origin', 'any']);
  check.number('deadlineMs', given.deadlineMs, { min: 0, above: true, orFalse: true });
  check.number('attemptTimeoutMs', given.attemptTimeoutMs, { min: 0, above: true, orFalse: true });
  check.number('slowStartMs', given.slowStartMs, { min: 0 });
  checkInstruments(given.instruments);
  check.object('layers', given.layers, { known: ['call', 'attempt'], hint: '; write { call: [layer] }' });
};

const checkInstruments = (given: unknown): void => {
  if (given === undefined || (Array.isArray(given) && given.every(one => typeof one === 'object' && one !== null)))
    return;
  throw new TypeError('instruments: expected an array of instruments; write [tracing()]');
};
