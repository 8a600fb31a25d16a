/**
 * Calls the service of examples/zookeeper/service.ts once a second, wherever its instances are:
 *
 *     npx tsx examples/zookeeper/caller.ts
 *
 * Stop and start instances, or servers of ZooKeeper, or all of them, and watch it go on.
 */
import { createServiceClient } from 'fairlead';
import { zookeeperRegistry } from 'fairlead/zookeeper';

const registry = zookeeperRegistry({
  servers: process.env['ZOOKEEPER_SERVERS'] ?? '127.0.0.1:2181',
  username: process.env['ZOOKEEPER_USERNAME'],
  password: process.env['ZOOKEEPER_PASSWORD'],
});
const hello = createServiceClient({ service: 'hello', registry });

hello.on('instances.changed', ({ added, removed, known }) => {
  console.log(`${known} instances`, ...added.map(id => `+${id}`), ...removed.map(id => `-${id}`));
});
hello.on('registry.lost', ({ error }) => console.log('ZooKeeper is away, the last list is kept:', String(error)));
hello.on('registry.restored', () => console.log('ZooKeeper is back'));

const timer = setInterval(() => {
  hello
    .fetch('/')
    .then(response => response.text())
    .then(
      text => console.log(text.trim()),
      (error: unknown) => console.log(String(error)),
    );
}, 1_000);

process.once('SIGINT', () => {
  clearInterval(timer);
  void hello.close().then(() => registry.close());
});
