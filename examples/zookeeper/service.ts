/**
 * A service that registers itself in ZooKeeper as an ephemeral node, and leaves it when it is told to stop:
 *
 *     npx tsx examples/zookeeper/service.ts            on any free port
 *     npx tsx examples/zookeeper/service.ts 8081
 *
 * Run it two or three times, and examples/zookeeper/caller.ts beside it. ZOOKEEPER_SERVERS says where ZooKeeper is, one server or
 * several with commas (127.0.0.1:2181); ZOOKEEPER_USERNAME and ZOOKEEPER_PASSWORD guard what is registered.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zookeeperRegistry } from 'fairlead/zookeeper';

const registry = zookeeperRegistry({
  servers: process.env['ZOOKEEPER_SERVERS'] ?? '127.0.0.1:2181',
  username: process.env['ZOOKEEPER_USERNAME'],
  password: process.env['ZOOKEEPER_PASSWORD'],
});

async function main(): Promise<void> {
  const server = createServer((_request, response) => response.end(`hello from ${process.pid}\n`));
  server.listen(Number(process.argv[2] ?? 0), '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  // Only when it can answer. If ZooKeeper is down, this waits for it; an abort signal would end the wait.
  // Who is killed is listed for the time of the session, 15 s.
  const registration = await registry.register({ service: 'hello', address: '127.0.0.1', port, version: '1.0.0' });
  console.log(`${registration.id} is registered`);
  // Nothing has to be done about these: the node is put back for as long as the process lives.
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
