/** What consulRegistry writes beside address and port, on a real Consul: gRPC checks, tagged addresses, maintenance. */
import { once } from 'node:events';
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { consulRegistry, type ConsulRegistry, type ConsulRegistryOptions } from '../../src/registries/consul/index.js';
import { askJson, eventually, serverOrSkip, startConsul, type Consul } from '../servers/index.js';

const server = await serverOrSkip('consul');

/** grpc.health.v1 in so many bytes: SERVING is 1, NOT_SERVING 2. */
const healthServer = async (
  status: () => 1 | 2,
): Promise<{ readonly server: Http2Server; readonly asked: string[] }> => {
  const asked: string[] = [];
  const made = createServer().on('stream', (stream, headers) => {
    asked.push(String(headers[':path']));
    stream.on('error', () => undefined);
    stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status()]));
  });
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  return { server: made, asked };
};

describe.skipIf(server === undefined)('consulRegistry on a real Consul', () => {
  let consul: Consul;
  const registries: ConsulRegistry[] = [];
  const registryOf = (options: ConsulRegistryOptions = {}): ConsulRegistry => {
    const registry = consulRegistry({ url: consul.url, ...options });
    registries.push(registry);
    return registry;
  };
  const statusOf = async (service: string): Promise<string | undefined> =>
    (await registryOf().discover(service))[0]?.status;
  const put = async (path: string): Promise<void> =>
    expect((await fetch(`${consul.url}/v1/agent/${path}`, { method: 'PUT' })).status).toBe(200);

  beforeAll(async () => {
    consul = await startConsul({ persistent: false });
  });
  afterEach(async () => {
    await Promise.all(registries.splice(0).map(registry => registry.close()));
  });
  afterAll(() => consul?.stop());

  it('has an instance asked by gRPC', async () => {
    let status: 1 | 2 = 1;
    const { server: health, asked } = await healthServer(() => status);
    const { port } = health.address() as AddressInfo;
    const input = { id: 'g-1', service: 'rpc', address: '127.0.0.1', port, protocol: 'grpc' };
    await registryOf().register(input, { check: { grpc: true, intervalMs: 1_000, timeoutMs: 500 } });
    await eventually(() => expect(asked).toContain('/grpc.health.v1.Health/Check'));
    expect(await statusOf('rpc')).toBe('passing');
    status = 2;
    await eventually(async () => expect(await statusOf('rpc')).toBe('critical'));
    status = 1;
    await eventually(async () => expect(await statusOf('rpc')).toBe('passing'));
    health.close();
  });

  it('writes tagged addresses, and reads the one that is asked for', async () => {
    const wan = { address: '198.51.100.7', port: 8443 };
    const input = { id: 't-1', service: 'tagged', address: '10.0.0.7', port: 80 };
    await registryOf().register(input, { taggedAddresses: { wan } });
    await registryOf().register({ ...input, id: 't-2', port: 81 });
    const listed = (await askJson(`${consul.url}/v1/catalog/service/tagged`)) as {
      ServiceID: string;
      ServiceTaggedAddresses: object;
    }[];
    const written = listed.find(({ ServiceID }) => ServiceID === 't-1');
    expect(written?.ServiceTaggedAddresses).toMatchObject({ wan: { Address: wan.address, Port: wan.port } });
    const placesBy = async (taggedAddress: string | undefined): Promise<string[]> => {
      const found = await registryOf({ taggedAddress }).discover('tagged');
      return found.map(({ address, port }) => `${address}:${port}`).sort();
    };
    expect(await placesBy(undefined)).toEqual(['10.0.0.7:80', '10.0.0.7:81']);
    expect(await placesBy('wan')).toEqual(['10.0.0.7:81', '198.51.100.7:8443']);
  });

  it('refuses tagged addresses that could not work, and says which', async () => {
    const input = { service: 'tagged', address: '10.0.0.7', port: 80 };
    const register = (taggedAddresses: unknown) => registryOf().register(input, { taggedAddresses } as never);
    await expect(register({ wan: { address: 'user@host', port: 1 } })).rejects.toThrow(
      /^taggedAddresses\.wan: address/,
    );
    await expect(register({ wan: { address: 'host', port: 0 } })).rejects.toThrow(RangeError);
    await expect(register({ wan: null })).rejects.toThrow(/^taggedAddresses\.wan: address/);
    await expect(register('wan')).rejects.toThrow(/^taggedAddresses: expected/);
  });

  it.each([
    ['the instance', 'service/maintenance/m-1?enable='],
    ['its node', 'maintenance?enable='],
  ])('does not undo the maintenance of %s by a heartbeat or an update', async (_, path) => {
    const input = { id: 'm-1', service: 'kept', address: '10.0.0.7', port: 80 };
    const registration = await registryOf().register(input, { ttlMs: 1_000 });
    expect(await statusOf('kept')).toBe('passing');
    await put(`${path}true`);
    try {
      await eventually(async () => expect(await statusOf('kept')).toBe('critical'));
      await registration.update({ weight: 5 });
      await new Promise(resolve => setTimeout(resolve, 1_500));
      expect(await statusOf('kept')).toBe('critical');
      expect(registration.state).toBe('registered');
    } finally {
      await put(`${path}false`);
    }
    await eventually(async () => expect(await statusOf('kept')).toBe('passing'));
  });
});
