// What instances and clients hold in memory, in a process of its own: node --expose-gc held.js INSTANCES CLIENTS. Instances have
// been called, so that each has its statistics.
import { answering, fleet, liveBytes, SERVICE, tell } from './fleet.js';
import { createServiceClient, DiscoveryClient, memoryRegistry } from '../../dist/index.js';

const [instances, clients] = process.argv.slice(2).map(Number);
const SMALL = 'small';
const CALLS_EACH = 20;

const transport = { send: answering, sendCancellable: answering };
const registry = memoryRegistry();
const discovery = new DiscoveryClient({ registry });

const called = async (service, calls) => {
  const client = createServiceClient({ service, discovery, transport });
  await client.ready();
  for (let nth = 0; nth < calls; nth += 1) await client.fetch('/');
  return client;
};

/** Watched and called; what has to be compiled and kept once is there. */
registry.set(SMALL, fleet(3, SMALL));
const kept = [await called(SMALL, 50_000)];
kept.push(await called(SMALL, 1_000));

const begin = await liveBytes();
for (let nth = 0; nth < clients; nth += 1) kept.push(await called(SMALL, 100));
const withClients = await liveBytes();

registry.set(SERVICE, fleet(instances));
await new Promise(resolve => discovery.subscribe(SERVICE, { changed: resolve, happened: () => undefined }));
const withSet = await liveBytes();
kept.push(await called(SERVICE, instances * CALLS_EACH));
const withStatistics = await liveBytes();

tell({
  perClient: (withClients - begin) / clients,
  ofDiscovery: (withSet - withClients) / instances,
  ofClient: (withStatistics - withSet) / instances,
  perInstance: (withStatistics - withClients) / instances,
  clients: kept.length,
});
