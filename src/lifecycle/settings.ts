import * as check from '../core/check.js';
import { toInstance, type InstanceInput } from '../core/instance.js';
import type { RegisterOptions, Registrar } from '../core/registry.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import type { LifecycleEvent } from '../core/lifecycle-events.js';
import type { RegisterServiceOptions, ServiceServer } from './options.js';
import type { ReleaseHook } from './release.js';

/** Options that were checked, with every default filled in. */
export interface Settings {
  readonly service: string;
  readonly registry: Registrar;
  readonly server: ServiceServer | undefined;
  readonly port: number | undefined;
  readonly address: string | undefined;
  /** What the entry says besides where the instance is. */
  readonly details: Omit<InstanceInput, 'service' | 'address' | 'port'>;
  readonly registration: RegisterOptions;
  readonly ready: ((context: { readonly signal: AbortSignal }) => unknown) | undefined;
  readonly readyTimeoutMs: number;
  readonly propagationMs: number;
  readonly drainMs: number;
  readonly releaseTimeoutMs: number;
  readonly onRelease: readonly ReleaseHook[];
  readonly signals: readonly NodeJS.Signals[];
  readonly exit: boolean | undefined;
  readonly onEvent: ((event: LifecycleEvent) => void) | undefined;
  readonly runtime: Runtime;
}

const INSTANCE = ['id', 'protocol', 'weight', 'zone', 'version', 'tags', 'metadata'] as const;
const KNOWN: readonly string[] = [
  ...['service', 'registry', 'server', 'port', 'address', ...INSTANCE, 'registration', 'ready', 'readyTimeoutMs'],
  ...['propagationMs', 'drainMs', 'onRelease', 'releaseTimeoutMs', 'signals', 'exit', 'onEvent', 'runtime'],
];

/** Throws a TypeError or RangeError that names the option. */
export const settingsOf = <R extends Registrar>(options: RegisterServiceOptions<R>): Settings => {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`expected options such as { service, registry, server }, got ${check.shown(options)}`);
  check.object('', options, { known: KNOWN });
  checkParts(options);
  const { service, registry, server, port, address, onRelease = [], runtime = systemRuntime } = options;
  const details = Object.fromEntries(INSTANCE.map(key => [key, options[key]]));
  // What can be known to be wrong is said now, and not when the server listens.
  toInstance({ ...details, service, address: address ?? 'a', port: port ?? 1 });
  const protocol = options.protocol ?? (server !== undefined && 'setSecureContext' in server ? 'https' : 'http');
  return {
    ...{ service, registry, server, port, address, runtime },
    details: { ...details, protocol },
    registration: options.registration ?? {},
    ready: options.ready,
    readyTimeoutMs: millis(options, 'readyTimeoutMs', { fallback: 60_000, min: 1 }),
    propagationMs: millis(options, 'propagationMs', { fallback: 5_000, min: 0 }),
    drainMs: millis(options, 'drainMs', { fallback: 30_000, min: 0 }),
    releaseTimeoutMs: millis(options, 'releaseTimeoutMs', { fallback: 10_000, min: 1 }),
    onRelease: typeof onRelease === 'function' ? [onRelease] : onRelease,
    signals: options.signals === false ? [] : [...new Set(options.signals ?? (['SIGTERM', 'SIGINT'] as const))],
    exit: options.exit,
    onEvent: options.onEvent,
  };
};

const checkParts = <R extends Registrar>(options: RegisterServiceOptions<R>): void => {
  const { registry, server, port, signals, onRelease = [], registration = {}, runtime } = options;
  if (registry === undefined) expected('registry', 'an object with a method register()', registry);
  check.hasMethods('registry', registry, ['register']);
  if (server === undefined && port === undefined)
    throw new TypeError('server: expected a server of node:http or node:https, or a port, got neither');
  check.hasMethods('server', server, ['listen', 'close', 'on', 'prependListener', 'address']);
  check.hasMethods('runtime', runtime, ['now', 'wallNow', 'random', 'sleep', 'after']);
  for (const key of ['ready', 'onEvent'] as const) check.ofType(key, options[key], 'function');
  check.ofType('exit', options.exit, 'boolean');
  for (const hook of [onRelease].flat()) if (typeof hook !== 'function') expected('onRelease', 'functions', hook);
  if (typeof registration !== 'object' || registration === null)
    expected('registration', 'options of register', registration);
  if ('signal' in registration) throw new TypeError('registration.signal: stop() ends the registration');
  if (signals === undefined || signals === false) return;
  if (!Array.isArray(signals)) expected('signals', "an array such as ['SIGTERM'], or false", signals);
  for (const signal of signals)
    if (!/^SIG[A-Z0-9]+$/.test(String(signal)) || signal === 'SIGKILL' || signal === 'SIGSTOP')
      expected('signals', 'names of signals that can be caught', signal);
};

type Timed = 'readyTimeoutMs' | 'propagationMs' | 'drainMs' | 'releaseTimeoutMs';

const LONGEST_MS = 86_400_000;

const millis = (
  options: { readonly [K in Timed]?: number | undefined },
  path: Timed,
  { fallback, min }: { readonly fallback: number; readonly min: number },
): number => {
  check.number(path, options[path], { min, max: LONGEST_MS });
  return options[path] ?? fallback;
};

const expected = (path: string, what: string, given: unknown): never => {
  throw new TypeError(`${path}: expected ${what}, got ${check.shown(given)}`);
};
