import { metrics as api } from '@opentelemetry/api';
import { memoryRegistry } from 'fairlead';
import { metrics, prometheusViews } from 'fairlead/opentelemetry';
import { afterEach, describe, expect, it } from 'vitest';
import { makeWorld } from '../../../scenarios/support.js';
import { begin } from '../../lifecycle/support.js';
import { makeCollector, startingWith } from './metrics-support.js';

const makeObserver = () => {
  const collector = makeCollector();
  const instrument = metrics({ meterProvider: collector.provider });
  const told = async () => startingWith((await collector.collect()).values, 'fairlead.registration');
  return { instrument, told };
};

const listed = (id: string) => [{ id, address: '127.0.0.1', port: 1_001 }];

describe('a service of registerService()', () => {
  it('is missing until it is in the registry, and while it is lost', async () => {
    const { instrument, told } = makeObserver();
    const { registry, runtime, service } = begin();
    instrument.observe(service);
    registry.fail();
    await runtime.settle();
    expect(await told()).toMatchObject({ 'fairlead.registration.missing': 1, 'fairlead.registration.errors': 1 });
    registry.recover();
    await runtime.advance(1_000);
    expect(await told()).toMatchObject({ 'fairlead.registration.missing': 0 });
    registry.set('users', listed('someone else'));
    expect(await told()).toMatchObject({ 'fairlead.registration.missing': 1, 'fairlead.registration.losses': 1 });
  });

  it('is over when it stops: told as 0 once more, since it is not missed', async () => {
    const { instrument, told } = makeObserver();
    const { runtime, service, registry } = begin();
    instrument.observe(service);
    await service.ready();
    registry.set('users', listed('someone else'));
    expect(await told()).toMatchObject({ 'fairlead.registration.missing': 1 });
    await Promise.all([service.stop(), runtime.advance(10_000)]);
    expect(await told()).toMatchObject({ 'fairlead.registration.missing': 0 });
  });

  it('is not told any more after the observation was ended', async () => {
    const { instrument, told } = makeObserver();
    const { registry, service } = begin();
    const stop = instrument.observe(service);
    await service.ready();
    stop();
    registry.set('users', listed('someone else'));
    expect(await told()).toEqual({ 'fairlead.registration.losses': 0 });
  });
});

describe('a registrar’s registration', () => {
  it('is told under the name that it is given', async () => {
    const { instrument, told } = makeObserver();
    const registry = memoryRegistry();
    const registration = await registry.register({ service: 'users', id: 'a', address: '127.0.0.1', port: 1_001 });
    instrument.observe(registration, { service: 'users' });
    expect(await told()).toEqual({ 'fairlead.registration.missing': 0, 'fairlead.registration.losses': 0 });
    registry.set('users', listed('b'));
    expect(await told()).toEqual({ 'fairlead.registration.missing': 1, 'fairlead.registration.losses': 1 });
    await registration.deregister();
    expect(await told()).toMatchObject({ 'fairlead.registration.missing': 0 });
  });

  it('needs that name', async () => {
    const registration = await memoryRegistry().register({ service: 'users', address: '127.0.0.1', port: 1_001 });
    expect(() => makeObserver().instrument.observe(registration)).toThrow(
      "observe: a registration does not name its service; write observe(registration, { service: 'orders' })",
    );
  });
});

describe('a provider that comes later', () => {
  afterEach(() => api.disable());

  it('learns of what was observed before it, with the next event', async () => {
    const instrument = metrics();
    const { registry, service } = begin();
    instrument.observe(service);
    const { provider, collect } = makeCollector();
    api.setGlobalMeterProvider(provider);
    await service.ready();
    expect((await collect()).values).toMatchObject({ 'fairlead.registration.missing': 0 });
    registry.set('users', listed('someone else'));
    expect((await collect()).values).toMatchObject({ 'fairlead.registration.missing': 1 });
  });
});

describe('views for Prometheus', () => {
  it('name every instrument with a unit of its own by that unit, and no other', async () => {
    const { provider, collect } = makeCollector(prometheusViews());
    const instruments = [metrics({ meterProvider: provider, instanceLabels: true })];
    const { client, runtime } = await makeWorld({ instruments, cache: {} });
    const answered = client.fetch('/');
    await runtime.advance(100);
    await (await answered).text();
    const { descriptors } = await collect();
    const suffixOf: Record<string, string> = { s: '.seconds', By: '.bytes' };
    // A ratio is told by its name, which Prometheus' own translation leaves as it is then.
    const wrong = descriptors.filter(({ name, unit }) => {
      if (unit === '1') return !name.endsWith('_ratio');
      const suffix = suffixOf[unit];
      return suffix === undefined ? /\.(seconds|bytes)$/.test(name) : !name.endsWith(suffix);
    });
    expect(wrong).toEqual([]);
    expect(descriptors.filter(({ unit }) => unit === 's').length).toBe(4);
    expect(descriptors.filter(({ description }) => description === '')).toEqual([]);
    await client.close();
  });

  it('follow the prefix', () => {
    expect(prometheusViews({ prefix: 'acme' })).toContainEqual({
      instrumentName: 'acme.client.call.duration',
      name: 'acme.client.call.duration.seconds',
    });
    expect(() => prometheusViews({ prefix: '1' })).toThrow(TypeError);
  });
});
