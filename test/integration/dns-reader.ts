/**
 * A process that reads DNS, for tests that watch it leave by itself:
 *     dns-reader.ts SERVER SERVICE closed      watches, closes the registry, prints "done"
 *     dns-reader.ts SERVER SERVICE aborted     watches, aborts that, prints "done"
 *     dns-reader.ts SERVER SERVICE asking      aborts its watch while the server has not answered, prints "done"
 */
import { systemRuntime } from '../../src/core/runtime.js';
import { dnsRegistry } from '../../src/registries/dns.js';

const [server = '', service = '', how = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const registry = dnsRegistry({ name: '{service}.service.consul', servers: [server], minRefreshMs: 1_000 });
  const controller = new AbortController();
  const context = { signal: controller.signal, runtime: systemRuntime, report: () => undefined };
  const sets = registry.watch(service, context)[Symbol.asyncIterator]();
  if (how !== 'asking') await sets.next();
  const held = sets.next();
  if (how === 'asking') await systemRuntime.sleep(200);
  if (how === 'closed') await registry.close();
  else controller.abort();
  await held;
  console.log('done');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
