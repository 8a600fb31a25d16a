/**
 * A process that owns a registration, for tests that kill it or watch it leave:
 *     owner.ts KIND ADDRESS stay INSTANCE      registers, prints "registered", and lives until it is killed
 *     owner.ts KIND ADDRESS leave INSTANCE     uses all of the registry, closes it, and has nothing left to live for
 *     owner.ts KIND ADDRESS give-up INSTANCE   the same where no server listens
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { InstanceInput } from '../../../src/core/instance.js';
import { systemRuntime } from '../../../src/core/runtime.js';
import { openRegistry, OWNER_TTL_MS, type AnyRegistry, type KindName } from './open-registry.js';

const [kind = '', address = '', what = '', json = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const registry = openRegistry[kind as KindName]([address], { ttlMs: OWNER_TTL_MS });
  const instance = JSON.parse(json) as InstanceInput;
  if (what === 'give-up') {
    await registry.discover(instance.service).then(
      () => console.log('strange'),
      () => registry.close(),
    );
    console.log('closed');
    return;
  }
  if (what === 'stay') {
    // A service listens; that is what keeps it alive.
    await once(createServer().listen(0, '127.0.0.1'), 'listening');
    await registry.register(instance, { ttlMs: OWNER_TTL_MS });
    console.log('registered');
    return;
  }
  await useAndLeave(registry, instance);
  console.log('closed');
}

async function useAndLeave(registry: AnyRegistry, instance: InstanceInput): Promise<void> {
  await registry.register(instance);
  await registry.register({ ...instance, id: 'second' });
  await registry.discover(instance.service);
  const { signal } = new AbortController();
  const watch = registry.watch(instance.service, { signal, runtime: systemRuntime, report: () => undefined });
  const sets = watch[Symbol.asyncIterator]();
  await sets.next();
  const held = sets.next();
  await registry.close();
  await held;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
