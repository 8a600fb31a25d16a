/**
 * A service from start to end: it warms up, registers itself, answers /health, and leaves without a lost call.
 *
 *     npx tsx examples/lifecycle/service.ts          on any free port
 *     npx tsx examples/lifecycle/service.ts 8081
 *
 * Ctrl-C takes it out of the registry first; it answers for 5 s more, and ends when its last request has. CONSUL_HTTP_ADDR
 * says where Consul is (http://127.0.0.1:8500); while none answers there, the service waits for it and says so.
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerService } from 'fairlead';
import { consulRegistry } from 'fairlead/consul';

const server = createServer((request, response) => {
  if (request.url === '/health') return users.health(request, response);
  setTimeout(() => response.end(`hello from ${process.pid}\n`), 50);
});

const users = registerService({
  service: 'users',
  registry: consulRegistry({ url: process.env['CONSUL_HTTP_ADDR'] ?? 'http://127.0.0.1:8500' }),
  server,
  // Only for this example, which calls itself from the same machine.
  address: '127.0.0.1',
  version: '1.0.0',
  // Consul looks by itself, so it also finds a process that hangs. Without this, the process tells Consul that it lives.
  registration: { check: { http: '/health', intervalMs: 2_000 } },
  // Connect to databases and fill caches here.
  ready: () => sleep(500),
  onEvent: event => console.log(event),
});
users.onRelease(() => console.log('close the pool here'));

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1');
