/**
 * Calls the service of examples/etcd/service.ts once a second, wherever its instances are:
 *
 *     npx tsx examples/etcd/caller.ts
 *
 * Stop and start instances, or members of etcd, or all of them, and watch it go on.
 */
import { createServiceClient } from 'fairlead';
import { etcdRegistry } from 'fairlead/etcd';

const registry = etcdRegistry({
  endpoints: (process.env['ETCD_ENDPOINTS'] ?? 'http://127.0.0.1:2379').split(','),
  username: process.env['ETCD_USERNAME'],
  password: process.env['ETCD_PASSWORD'],
});
const hello = createServiceClient({ service: 'hello', registry });

hello.on('instances.changed', ({ added, removed, known }) => {
  console.log(`${known} instances`, ...added.map(id => `+${id}`), ...removed.map(id => `-${id}`));
});
hello.on('registry.lost', ({ error }) => console.log('etcd is away, the last list is kept:', String(error)));
hello.on('registry.restored', () => console.log('etcd is back'));

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
