/**
 * Two instances, one client, one failure, in one process: `npx tsx examples/quickstart.ts`.
 * With a real registry only the line that makes it changes: see examples/consul.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServiceClient, memoryRegistry } from 'fairlead';

const serve = async (name: string): Promise<Server> => {
  const server = createServer((_request, response) => response.end(`hello from ${name}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

async function main(): Promise<void> {
  const registry = memoryRegistry();
  const [first, second] = await Promise.all([serve('first'), serve('second')]);
  for (const server of [first, second])
    await registry.register({ service: 'greeter', address: '127.0.0.1', port: (server.address() as AddressInfo).port });

  const greeter = createServiceClient({ service: 'greeter', registry });
  greeter.on('call.retried', ({ reason }) => console.log(`  (tried again: ${reason})`));
  greeter.on('instance.down', ({ instance, reason }) => console.log(`  (${instance} is out: ${reason})`));

  console.log(await (await greeter.fetch('/')).text());
  console.log('the first one dies; the registry does not know yet');
  first.closeAllConnections();
  first.close();
  for (let call = 0; call < 10; call += 1) console.log(await (await greeter.fetch('/')).text());

  console.table(greeter.snapshot().instances, ['id', 'state', 'reason', 'latencyMs']);
  await greeter.close();
  second.closeAllConnections();
  second.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
