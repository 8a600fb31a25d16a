/**
 * Two instances in one process are restarted one after the other, while they are called; no call fails:
 *
 *     npx tsx examples/lifecycle/rolling.ts
 *
 * Everything is in memory. With a real registry only the line that makes it changes: see service.ts beside this.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServiceClient, memoryRegistry, registerService, type RegisteredService } from 'fairlead';

const registry = memoryRegistry();

const start = async (name: string): Promise<RegisteredService> => {
  const server = createServer((_request, response) => setTimeout(() => response.end(name), 20));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // Short, for all of this is one process: callers know at once. `signals: false`, for it is not the instance that ends.
  const service = registerService({ service: 'users', registry, server, propagationMs: 200, signals: false });
  service.on('state', ({ state }) => console.log(`  ${name}: ${state}`));
  await service.ready();
  return service;
};

async function main(): Promise<void> {
  const running = [await start('a1'), await start('b1')];
  const users = createServiceClient({ service: 'users', registry });
  const answers = new Map<string, number>();
  let failed = 0;
  let restarted = false;

  const call = async (): Promise<void> => {
    while (!restarted) {
      const response = await users.fetch('/', { method: 'POST' }).catch(() => undefined);
      const answer = (await response?.text()) ?? '';
      if (response?.ok) answers.set(answer, (answers.get(answer) ?? 0) + 1);
      else failed += 1;
    }
  };
  const callers = Array.from({ length: 10 }, call);
  for (const [n, name] of ['a2', 'b2'].entries()) {
    await sleep(300);
    await running[n]!.stop();
    running[n] = await start(name);
  }
  await sleep(300);
  restarted = true;
  await Promise.all(callers);

  console.log(`calls answered by each: ${JSON.stringify(Object.fromEntries(answers))}, failed: ${failed}`);
  await users.close();
  await Promise.all(running.map(service => service.stop()));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
