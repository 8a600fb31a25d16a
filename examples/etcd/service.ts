/**
 * A service that registers itself in etcd under a lease, and leaves it when it is told to stop:
 *
 *     npx tsx examples/etcd/service.ts            on any free port
 *     npx tsx examples/etcd/service.ts 8081
 *
 * Run it two or three times, and examples/etcd/caller.ts beside it. ETCD_ENDPOINTS says where etcd is, one endpoint or
 * several with commas (http://127.0.0.1:2379); ETCD_USERNAME and ETCD_PASSWORD are for an etcd with users.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { etcdRegistry } from 'fairlead/etcd';

const registry = etcdRegistry({
  endpoints: (process.env['ETCD_ENDPOINTS'] ?? 'http://127.0.0.1:2379').split(','),
  username: process.env['ETCD_USERNAME'],
  password: process.env['ETCD_PASSWORD'],
});

async function main(): Promise<void> {
  const server = createServer((_request, response) => response.end(`hello from ${process.pid}\n`));
  server.listen(Number(process.argv[2] ?? 0), '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  // Only when it can answer. If etcd is down, this waits for it; an abort signal would end the wait.
  const registration = await registry.register(
    { service: 'hello', address: '127.0.0.1', port, version: '1.0.0', weight: 1 },
    // Who is killed is listed for so long; the heartbeats come three times in it.
    { ttlMs: 10_000 },
  );
  console.log(`${registration.id} is registered`);
  // Nothing has to be done about these: the key is put back for as long as the process lives.
  registration.on('lost', cause => console.log('lost:', cause));
  registration.on('restored', () => console.log('restored'));

  process.once('SIGINT', () => {
    console.log('leaving');
    // First out of the list, then out of the way: who read the list a moment ago may still call.
    void registry
      .close()
      .then(() => new Promise(resolve => setTimeout(resolve, 1_000)))
      .then(() => server.close());
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
