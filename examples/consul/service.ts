/**
 * A service that registers itself in Consul with an HTTP check, and leaves it when it is told to stop:
 *
 *     npx tsx examples/consul/service.ts            on any free port
 *     npx tsx examples/consul/service.ts 8081
 *
 * Run it two or three times, and examples/consul/caller.ts beside it. CONSUL_HTTP_ADDR says where Consul is
 * (http://127.0.0.1:8500), CONSUL_HTTP_TOKEN is the ACL token if there is one.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { consulRegistry } from 'fairlead/consul';

const registry = consulRegistry({
  url: process.env['CONSUL_HTTP_ADDR'] ?? 'http://127.0.0.1:8500',
  token: process.env['CONSUL_HTTP_TOKEN'],
});

async function main(): Promise<void> {
  const server = createServer((request, response) => {
    if (request.url === '/health') return void response.end('ok');
    response.end(`hello from ${process.pid}\n`);
  });
  server.listen(Number(process.argv[2] ?? 0), '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  // Only when it can answer. If Consul is down, this waits for it; an abort signal would end the wait.
  const registration = await registry.register(
    { service: 'hello', address: '127.0.0.1', port, version: '1.0.0', weight: 1 },
    // Consul asks every 5 s; without `check` this process would tell Consul that it lives, which needs no way back.
    { check: { http: '/health', intervalMs: 5_000 } },
  );
  console.log(`${registration.id} is registered`);
  // Nothing has to be done about these: the entry is put back for as long as the process lives.
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
