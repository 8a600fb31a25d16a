// What clients spend that nobody calls, in a process of its own: node idle.js SECONDS INSTANCES CLIENTS. As many instances as
// that once in one service, and once shared out among the services of all the clients; 0 clients: the process alone.
import { setTimeout as sleep } from 'node:timers/promises';
import { answering, fleet, tell } from './fleet.js';
import { createServiceClient, DiscoveryClient, memoryRegistry } from '../../dist/index.js';

const [seconds, instances, clients] = process.argv.slice(2).map(Number);
const transport = { send: answering, sendCancellable: answering };
const registry = memoryRegistry();
const discovery = new DiscoveryClient({ registry });

const callOften = async (service, size) => {
  registry.set(service, fleet(size, service));
  const client = createServiceClient({ service, discovery, transport });
  await client.ready();
  for (let nth = 0; nth < 100; nth += 1) await client.fetch('/');
  return client;
};

const kept = [];
if (clients > 0) kept.push(await callOften('large', instances));
for (let nth = 0; nth < clients; nth += 1) kept.push(await callOften(`service-${nth}`, instances / clients));

// What starting left to do is not idling.
await sleep(3_000);
const before = process.cpuUsage();
const startedAt = performance.now();
await sleep(seconds * 1_000);
const { user, system } = process.cpuUsage(before);
tell({ percent: (user + system) / 10 / (performance.now() - startedAt), clients: kept.length });
