/**
 * Calls the service of examples/consul/service.ts once a second, wherever its instances are:
 *
 *     npx tsx examples/consul/caller.ts
 *
 * Stop and start instances, or Consul itself, and watch it go on.
 */
import { createServiceClient } from 'fairlead';
import { consulRegistry } from 'fairlead/consul';

const registry = consulRegistry({
  url: process.env['CONSUL_HTTP_ADDR'] ?? 'http://127.0.0.1:8500',
  token: process.env['CONSUL_HTTP_TOKEN'],
});
const hello = createServiceClient({ service: 'hello', registry });

hello.on('instances.changed', ({ added, removed, known }) => {
  console.log(`${known} instances`, ...added.map(id => `+${id}`), ...removed.map(id => `-${id}`));
});
hello.on('registry.lost', ({ error }) => console.log('Consul is away, the last list is kept:', String(error)));
hello.on('registry.restored', () => console.log('Consul is back'));

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
