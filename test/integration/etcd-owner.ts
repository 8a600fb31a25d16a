/**
 * A process that owns a registration, for tests that kill it or watch it leave:
 *     etcd-owner.ts URL ID stay      registers, prints "registered", and lives until it is killed
 *     etcd-owner.ts URL ID leave     uses all of the registry, closes it, and has nothing left to live for
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { systemRuntime } from '../../src/core/runtime.js';
import { etcdRegistry } from '../../src/registries/etcd/index.js';

const [endpoints = '', id = '', what = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const registry = etcdRegistry({ endpoints });
  const instance = { id, service: 'owned', address: '127.0.0.1', port: 9 };
  if (what === 'stay') {
    // A service listens; that is what keeps it alive.
    await once(createServer().listen(0, '127.0.0.1'), 'listening');
    await registry.register(instance, { ttlMs: 2_000 });
    console.log('registered');
    return;
  }
  await registry.register(instance);
  await registry.discover('owned');
  const { signal } = new AbortController();
  const watch = registry.watch('owned', { signal, runtime: systemRuntime, report: () => undefined });
  const sets = watch[Symbol.asyncIterator]();
  await sets.next();
  const held = sets.next();
  await registry.close();
  await held;
  console.log('closed');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
