import type { ClientEvent } from '../core/events.js';
import type { Registry } from '../core/registry.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import { pollingRegistry, type PolledRegistry } from './polling-registry.js';
import { snapshotSettings, type SnapshotFileOptions, type SnapshotSettings } from './snapshot-options.js';

export interface DiscoveryOptions {
  /**
   * Where instances are listed. It is used, not owned: `close()` ends the watches and leaves the registry open. One that has
   * no `watch` is asked every `ttlMs`.
   */
  readonly registry: Registry | PolledRegistry;
  /** @default the system's clock, chance and network */
  readonly runtime?: Runtime | undefined;
  /** Instances in status `warning` serve too. @default false */
  readonly includeWarning?: boolean | undefined;
  /**
   * How long a service stays watched after the last `getInstances`, when nobody subscribes to it, in ms, >= 0; and how long
   * the answer of a registry that cannot watch is used, > 0. @default 30_000
   */
  readonly ttlMs?: number | undefined;
  /** How long a first lookup may take before it fails with NO_INSTANCES, in ms, > 0. @default 5_000 */
  readonly firstTimeoutMs?: number | undefined;
  /**
   * How long the last good set is used without contact to the registry, in ms, > 0. After that nothing is known, and calls
   * fail with NO_INSTANCES: old addresses may belong to somebody else by then. @default Infinity
   */
  readonly maxStaleMs?: number | undefined;
  /**
   * An update that drops more than this share of the set (or all of it) is not believed at once: see `holdMs`. 0–1; 0 holds
   * every loss, 1 turns the protection off. @default 0.5
   */
  readonly holdDropRatio?: number | undefined;
  /**
   * How long instances that were lost together go on serving, in ms, >= 0; 0 turns the protection off. They leave after it,
   * if a new read still lacks them; one that refuses a connection leaves earlier, if another remains. @default 30_000
   */
  readonly holdMs?: number | undefined;
  /**
   * Keeps the last good sets in a file, for a start while the registry is down: a path, or `{ path, maxAgeMs }`. Metadata
   * and tags that are called like secrets are left out of it. @default none is kept
   */
  readonly snapshotFile?: string | SnapshotFileOptions | false | undefined;
  /** Told what happens to the registry and to the sets. One that throws becomes a process warning. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
}

/** The options with their defaults. */
export interface DiscoverySettings {
  readonly registry: Registry;
  readonly runtime: Runtime;
  readonly includeWarning: boolean;
  readonly ttlMs: number;
  readonly firstTimeoutMs: number;
  readonly maxStaleMs: number;
  readonly holdDropRatio: number;
  readonly holdMs: number;
  readonly snapshotFile: SnapshotSettings | undefined;
  readonly onEvent: ((event: ClientEvent) => void) | undefined;
}

export const DISCOVERY_DEFAULTS = Object.freeze({
  includeWarning: false,
  ttlMs: 30_000,
  firstTimeoutMs: 5_000,
  maxStaleMs: Infinity,
  holdDropRatio: 0.5,
  holdMs: 30_000,
});

interface NumberRule {
  readonly expected: string;
  readonly holds: (value: number) => boolean;
}

const NOT_NEGATIVE: NumberRule = {
  expected: 'a finite number of milliseconds >= 0',
  holds: value => value >= 0 && value < Infinity,
};
const NUMBERS: Readonly<Record<'ttlMs' | 'firstTimeoutMs' | 'maxStaleMs' | 'holdDropRatio' | 'holdMs', NumberRule>> = {
  ttlMs: NOT_NEGATIVE,
  holdMs: NOT_NEGATIVE,
  firstTimeoutMs: { expected: 'a finite number of milliseconds > 0', holds: value => value > 0 && value < Infinity },
  maxStaleMs: { expected: 'a number of milliseconds > 0, or Infinity', holds: value => value > 0 },
  holdDropRatio: { expected: 'a number from 0 to 1', holds: value => value >= 0 && value <= 1 },
};
const NAMES = ['registry', 'runtime', 'includeWarning', ...Object.keys(NUMBERS), 'snapshotFile', 'onEvent'];

/** Checks the options and fills in the defaults. Throws a TypeError or RangeError that names option, range and value. */
export const discoverySettings = (options: DiscoveryOptions): DiscoverySettings => {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options: expected an object with a registry, got ${show(options)}`);
  for (const name of Object.keys(options))
    if (!NAMES.includes(name)) throw new TypeError(`${name}: no such option; there are ${NAMES.join(', ')}`);
  const { registry, runtime = systemRuntime, includeWarning = DISCOVERY_DEFAULTS.includeWarning, onEvent } = options;
  mustHave('registry', registry, ['discover']);
  mustHave('runtime', runtime, ['now', 'wallNow', 'random', 'sleep', 'after']);
  if (typeof includeWarning !== 'boolean')
    throw new TypeError(`includeWarning: expected true or false, got ${show(includeWarning)}`);
  if (onEvent !== undefined && typeof onEvent !== 'function')
    throw new TypeError(`onEvent: expected a function, got ${show(onEvent)}`);
  const ttlMs = numberOf(options, 'ttlMs');
  return Object.freeze({
    registry: canWatch(registry) ? registry : pollingRegistry(registry, { ttlMs: ttlMs || undefined }),
    runtime,
    includeWarning,
    ttlMs,
    firstTimeoutMs: numberOf(options, 'firstTimeoutMs'),
    maxStaleMs: numberOf(options, 'maxStaleMs'),
    holdDropRatio: numberOf(options, 'holdDropRatio'),
    holdMs: numberOf(options, 'holdMs'),
    snapshotFile: snapshotSettings(options.snapshotFile),
    onEvent,
  });
};

const canWatch = (registry: Registry | PolledRegistry): registry is Registry =>
  typeof (registry as Partial<Registry>).watch === 'function';

/** For the name of a service, wherever one is taken. */
export const checkedService = (service: unknown): string => {
  if (typeof service === 'string' && service !== '') return service;
  throw new TypeError(`service: expected a non-empty string, got ${show(service)}`);
};

const numberOf = (options: DiscoveryOptions, name: keyof typeof NUMBERS): number => {
  const given: unknown = options[name];
  const value = given === undefined ? DISCOVERY_DEFAULTS[name] : given;
  const { expected, holds } = NUMBERS[name];
  if (typeof value !== 'number') throw new TypeError(`${name}: expected ${expected}, got ${show(value)}`);
  if (!holds(value)) throw new RangeError(`${name}: expected ${expected}, got ${value}`);
  return value;
};

const mustHave = (path: string, value: unknown, methods: readonly string[]): void => {
  const missing = methods.find(
    method => typeof (value as Record<string, unknown> | null | undefined)?.[method] !== 'function',
  );
  if (missing !== undefined)
    throw new TypeError(`${path}: expected an object with a method ${missing}(), got ${show(value)}`);
};

/** Strings are quoted, so that "5000" does not read like a number; nothing of an object is shown: it may hold a password. */
const show = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
};
