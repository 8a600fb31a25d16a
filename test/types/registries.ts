/** Registries, registrations, and the doors beside the main one. See `client.ts` for how this is a test. */
import {
  DiscoveryClient,
  createServiceClient,
  memoryRegistry,
  staticRegistry,
  withDeadline,
  type InstanceInput,
  type Registrar,
  type Registration,
  type Registry,
  type ServiceInstance,
} from 'fairlead';
import { consulRegistry } from 'fairlead/consul';
import { fakeFetch, testRuntime, type TestRuntime } from 'fairlead/testing';
import type { Equal, Expect } from './expect.js';

export const all: readonly Registry[] = [memoryRegistry(), staticRegistry(['a:80']), consulRegistry()];
export const writable: readonly Registrar[] = [memoryRegistry(), consulRegistry()];
// @ts-expect-error -- a list that never changes
export const notWritable: Registrar = staticRegistry([]);

const minimal: InstanceInput = { service: 'users', address: '10.0.0.1', port: 8080 };
export const registered: Promise<Registration> = memoryRegistry().register(minimal, { ttlMs: undefined });
void memoryRegistry().register({ ...minimal, id: undefined, weight: undefined, tags: undefined, metadata: undefined });
void memoryRegistry().register({ ...minimal, tags: ['a'], metadata: { a: 'b' }, status: 'warning', weight: 2 });
// @ts-expect-error -- a port is a number
void memoryRegistry().register({ ...minimal, port: '8080' });
// @ts-expect-error -- metadata are texts
void memoryRegistry().register({ ...minimal, metadata: { weight: 2 } });
// @ts-expect-error -- one of three words
void memoryRegistry().register({ ...minimal, status: 'up' });
// @ts-expect-error -- no port
staticRegistry([{ address: 'a' }]);

const told = async (registration: Registration): Promise<void> => {
  registration.on('lost', () => undefined);
  registration.on('error', cause => cause);
  // @ts-expect-error -- an event that there is not
  registration.on('closed', () => undefined);
  await registration.update({ weight: 0, status: undefined });
  await registration.deregister();
};
void registered.then(told);

consulRegistry({ url: undefined, token: undefined });
// @ts-expect-error -- Consul is named by one url
consulRegistry({ host: '127.0.0.1', port: 8500 });

// An instance is read only: it belongs to the registry.
export const readOnly = (instance: ServiceInstance): void => {
  // @ts-expect-error -- weight is set with update()
  instance.weight = 0;
  // @ts-expect-error -- and so are metadata
  instance.metadata['weight'] = '0';
};

const discovery = new DiscoveryClient({ registry: memoryRegistry(), runtime: undefined, ttlMs: undefined });
createServiceClient({ service: 'a', discovery });
// @ts-expect-error -- a registry is not a DiscoveryClient
createServiceClient({ service: 'a', discovery: memoryRegistry() });
// @ts-expect-error -- it has to have one
new DiscoveryClient({});

// Virtual time is a Runtime like any other.
const runtime: TestRuntime = testRuntime({ seed: undefined, fetch: fakeFetch(() => new Response('ok')) });
createServiceClient({ service: 'a', registry: memoryRegistry(), runtime });
export const inherited = withDeadline(500, async () => 1, runtime);
export type WithDeadlineGives = Expect<Equal<typeof inherited, Promise<number>>>;
