/** Options and environment, checked and put together. */
import type { Attributes } from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace-node';
import * as check from '../../core/check.js';
import { systemRuntime, type Runtime } from '../../core/runtime.js';
import { destinationOf, type Destination } from './destination.js';
import { readEnvironment, type Environment, type EnvironmentReader } from './environment.js';
import type { PropagatorName, StartTracingOptions } from './options.js';

export interface Batch {
  readonly delayMs: number;
  readonly maxBatchSize: number;
  readonly maxQueueSize: number;
  readonly exportTimeoutMs: number;
}

export interface Settings {
  readonly serviceName: string | undefined;
  readonly attributes: Attributes;
  readonly destination: Destination;
  readonly propagators: readonly PropagatorName[];
  /** `undefined`: by the environment, which the SDK reads itself. */
  readonly sampler: number | Sampler | undefined;
  readonly batch: Batch;
  readonly register: boolean;
  /** OTEL_SDK_DISABLED: nothing is recorded, but traces of others still pass through. */
  readonly disabled: boolean;
  readonly onError: ((error: Error) => void) | undefined;
  readonly runtime: Runtime;
  /** What was wrong with the environment. */
  readonly problems: readonly string[];
}

const KNOWN: readonly string[] = [
  ...['serviceName', 'exporter', 'endpoint', 'agent', 'username', 'password', 'headers', 'attributes', 'propagators'],
  ...['sampler', 'batch', 'register', 'onError', 'runtime'],
];
const BATCH = ['delayMs', 'maxBatchSize', 'maxQueueSize', 'exportTimeoutMs'];
const PROPAGATORS: readonly PropagatorName[] = ['w3c', 'jaeger', 'baggage'];
/** As OTEL_PROPAGATORS calls them. */
const BY_OTEL_NAME: Readonly<Record<string, PropagatorName>> = {
  tracecontext: 'w3c',
  baggage: 'baggage',
  jaeger: 'jaeger',
};

/** Throws a TypeError or RangeError that names the option. */
export const settingsOf = (given: StartTracingOptions, environment: Environment): Settings => {
  check.object('', given, { known: KNOWN });
  checkParts(given);
  const env = readEnvironment(environment);
  const destination = destinationOf(given, env);
  const { attributes = {}, register = true, runtime = systemRuntime, sampler, onError } = given;
  return {
    ...{ attributes, destination, sampler, register, onError, runtime },
    serviceName: given.serviceName ?? env.text('OTEL_SERVICE_NAME'),
    propagators: given.propagators ?? propagatorsOf(env),
    batch: batchOf(given.batch ?? {}, env, destination),
    disabled: env.isTrue('OTEL_SDK_DISABLED'),
    problems: env.problems,
  };
};

const checkParts = (given: StartTracingOptions): void => {
  const { serviceName, propagators, sampler, attributes, batch } = given;
  if (serviceName !== undefined && (typeof serviceName !== 'string' || serviceName.trim() === ''))
    throw new TypeError(`serviceName: expected a name such as 'orders', got ${check.shown(serviceName)}`);
  if (attributes !== undefined && (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)))
    throw new TypeError(
      `attributes: expected an object such as { 'service.version': '1.2.0' }, got ${check.shown(attributes)}`,
    );
  if (propagators !== undefined) {
    if (!Array.isArray(propagators))
      throw new TypeError(`propagators: expected an array such as ['w3c'], got ${check.shown(propagators)}`);
    for (const [at, name] of propagators.entries()) {
      if (name === undefined) throw new TypeError(`propagators[${at}]: expected a name, got undefined`);
      check.oneOf(`propagators[${at}]`, name, PROPAGATORS);
    }
  }
  if (typeof sampler === 'object') check.hasMethods('sampler', sampler, ['shouldSample']);
  else check.number('sampler', sampler, { min: 0, max: 1 });
  check.ofType('register', given.register, 'boolean');
  check.ofType('onError', given.onError, 'function');
  check.hasMethods('runtime', given.runtime, ['now', 'sleep', 'after']);
  check.object('batch', batch, { known: BATCH });
};

const propagatorsOf = (env: EnvironmentReader): readonly PropagatorName[] => {
  const names = env.list('OTEL_PROPAGATORS');
  if (names === undefined) return ['w3c', 'baggage'];
  if (names.includes('none')) return [];
  const unknown = names.filter(name => !Object.hasOwn(BY_OTEL_NAME, name));
  if (unknown.length > 0)
    env.problem(
      `OTEL_PROPAGATORS: ${unknown.map(check.shown).join(', ')} left out; there are ${Object.keys(BY_OTEL_NAME).join(', ')} and none`,
    );
  return names.flatMap(name => (Object.hasOwn(BY_OTEL_NAME, name) ? [BY_OTEL_NAME[name]!] : []));
};

const batchOf = (given: NonNullable<StartTracingOptions['batch']>, env: EnvironmentReader, to: Destination): Batch => {
  check.number('batch.delayMs', given.delayMs, { min: 0, max: 2 ** 31 - 1 });
  check.number('batch.maxBatchSize', given.maxBatchSize, { min: 1, integer: true });
  check.number('batch.maxQueueSize', given.maxQueueSize, { min: 1, integer: true });
  check.number('batch.exportTimeoutMs', given.exportTimeoutMs, { min: 0, above: true, max: 2 ** 31 - 1 });
  const maxQueueSize = given.maxQueueSize ?? env.number(['OTEL_BSP_MAX_QUEUE_SIZE'], 1) ?? 2_048;
  const fromEnv = env.number(['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], 1) ?? 512;
  const maxBatchSize = given.maxBatchSize ?? Math.min(fromEnv, maxQueueSize);
  if (maxBatchSize > maxQueueSize)
    throw new RangeError(`batch.maxBatchSize: expected at most maxQueueSize (${maxQueueSize}), got ${maxBatchSize}`);
  return {
    ...{ maxQueueSize, maxBatchSize },
    delayMs: given.delayMs ?? env.number(['OTEL_BSP_SCHEDULE_DELAY'], 0) ?? 5_000,
    exportTimeoutMs:
      given.exportTimeoutMs ?? env.number(['OTEL_BSP_EXPORT_TIMEOUT', ...TIMEOUTS[to.kind]], 1) ?? 10_000,
  };
};

const TIMEOUTS: Readonly<Record<Destination['kind'], readonly string[]>> = {
  jaeger: ['OTEL_EXPORTER_JAEGER_TIMEOUT'],
  otlp: ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'],
  given: [],
  none: [],
};
