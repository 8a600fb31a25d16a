// One watch, nothing changes: what this process spends. node idle.js NAME ADDRESS SECONDS; says "ready" when it begins.
import { setTimeout as sleep } from 'node:timers/promises';
import { fields } from './fields.js';
import { discoveryOf } from './ours.js';

const [, , name, address, seconds, count] = process.argv;
const field = fields[name];
if (field.wire === undefined) {
  const writer = await field.writer(address);
  await writer.fill('idle', { from: 0, count: Number(count) });
}
const registry = await field.open(address);
await discoveryOf(registry, 'idle', () => undefined);
// What starting left to do is not idling.
await sleep(3_000);
process.stdout.write('ready\n');
const before = process.cpuUsage();
const startedAt = performance.now();
await sleep(Number(seconds) * 1_000);
const { user, system } = process.cpuUsage(before);
const result = { cpuMs: (user + system) / 1_000, wallMs: performance.now() - startedAt };
process.stdout.write(JSON.stringify(result), () => process.exit(0));
