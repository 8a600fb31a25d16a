import { describe, expect, it } from 'vitest';
import { DiscoveryClient, type DiscoveryOptions } from '../../../src/discovery/discovery-client.js';
import { DISCOVERY_DEFAULTS, discoverySettings } from '../../../src/discovery/options.js';
import { memoryRegistry } from '../../../src/registries/memory.js';

const registry = memoryRegistry();
const make = (options: object) => () => new DiscoveryClient({ registry, ...options });

describe('DiscoveryClient: options', () => {
  it('has the documented defaults, also for undefined', () => {
    const undefinedOptions = Object.fromEntries(Object.keys(DISCOVERY_DEFAULTS).map(name => [name, undefined]));
    expect(discoverySettings({ registry, ...undefinedOptions })).toMatchObject({
      includeWarning: false,
      ttlMs: 30_000,
      firstTimeoutMs: 5_000,
      maxStaleMs: Infinity,
      holdDropRatio: 0.5,
      holdMs: 30_000,
    });
  });

  it.each([
    [{ ttlMs: -1 }, RangeError, 'ttlMs: expected a finite number of milliseconds >= 0, got -1'],
    [{ ttlMs: NaN }, RangeError, 'ttlMs: expected a finite number of milliseconds >= 0, got NaN'],
    [{ ttlMs: '30s' }, TypeError, 'ttlMs: expected a finite number of milliseconds >= 0, got "30s"'],
    [{ holdMs: Infinity }, RangeError, 'holdMs: expected a finite number of milliseconds >= 0, got Infinity'],
    [{ firstTimeoutMs: 0 }, RangeError, 'firstTimeoutMs: expected a finite number of milliseconds > 0, got 0'],
    [{ firstTimeoutMs: null }, TypeError, 'firstTimeoutMs: expected a finite number of milliseconds > 0, got null'],
    [{ maxStaleMs: 0 }, RangeError, 'maxStaleMs: expected a number of milliseconds > 0, or Infinity, got 0'],
    [{ maxStaleMs: false }, TypeError, 'maxStaleMs: expected a number of milliseconds > 0, or Infinity, got false'],
    [{ holdDropRatio: 50 }, RangeError, 'holdDropRatio: expected a number from 0 to 1, got 50'],
    [{ includeWarning: 1 }, TypeError, 'includeWarning: expected true or false, got 1'],
    [{ onEvent: {} }, TypeError, 'onEvent: expected a function, got an object'],
    [{ runtime: {} }, TypeError, 'runtime: expected an object with a method now(), got an object'],
    [{ registry: undefined }, TypeError, 'registry: expected an object with a method discover(), got undefined'],
    [{ registry: 'consul' }, TypeError, 'registry: expected an object with a method discover(), got "consul"'],
    [{ snapshotFile: '' }, TypeError, /^snapshotFile: expected a path, or \{ path, maxAgeMs \}, such as .*, got ""$/],
    [{ snapshotFile: 7 }, TypeError, /^snapshotFile: expected a path.*, got 7$/],
    [{ snapshotFile: { maxAgeMs: 5 } }, TypeError, /^snapshotFile: expected a path.*, got no path$/],
    [{ snapshotFile: { path: 'x', maxAge: 5 } }, TypeError, 'snapshotFile.maxAge: no such option'],
    [{ snapshotFile: { path: 'x', maxAgeMs: 0 } }, RangeError, 'snapshotFile.maxAgeMs: expected a number of milli'],
    [{ snapshotFile: { path: 'x', maxAgeMs: '1d' } }, TypeError, 'snapshotFile.maxAgeMs: expected a number of milli'],
    [{ snapshotFile: { path: 'x', files: {} } }, TypeError, 'snapshotFile.files: expected an object with the methods'],
    [{ ttl: 5 }, TypeError, /^ttl: no such option; there are registry, runtime, .*ttlMs/],
  ])('refuses %o', (options, Kind, message) => {
    expect(make(options)).toThrow(Kind);
    expect(make(options)).toThrow(message);
  });

  it('refuses options that are none, a service without a name, an observer that cannot observe', async () => {
    expect(() => new DiscoveryClient(undefined as unknown as DiscoveryOptions)).toThrow(TypeError);
    const discovery = make({})();
    expect(() => discovery.subscribe('', { changed: () => undefined })).toThrow(
      'service: expected a non-empty string, got ""',
    );
    await expect(discovery.getInstances(undefined as unknown as string)).rejects.toThrow(TypeError);
    await expect(discovery.whenKnown({} as string)).rejects.toThrow(TypeError);
    expect(() => discovery.subscribe('orders', (() => undefined) as never)).toThrow(TypeError);
    await discovery.close();
  });
});
