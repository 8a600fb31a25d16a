// What active health checks cost this process: CPU and evenness of 1 000 instances that are asked every 10 s over real HTTP,
// and of an idle client beside it. The server is a process of its own; all instances lead to it.
//
//   npm run bench:health -- [--instances 1000] [--seconds 20] [--json]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

if (process.argv[2] === 'server') {
  const server = createServer((_request, response) => response.end('ok'));
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
  process.on('disconnect', () => process.exit());
} else {
  const { values } = parseArgs({
    options: { instances: { type: 'string' }, seconds: { type: 'string' }, json: { type: 'boolean' } },
  });
  await measure(Number(values.instances ?? 1_000), Number(values.seconds ?? 20), values.json);
}

async function measure(instances, seconds, json) {
  const { createServiceClient, staticRegistry } = await import('../dist/index.js');
  const server = fork(fileURLToPath(import.meta.url), ['server']);
  const [port] = await once(server, 'message');
  const fleet = Array.from({ length: instances }, (_, index) => `10.${index >> 8}.${index & 255}.1:80`);
  const sent = [];
  const transport = {
    send: ({ path }, _endpoint, signal) => {
      sent.push(performance.now());
      return fetch(`http://127.0.0.1:${port}${path}`, { signal });
    },
  };
  const run = async health => {
    const client = createServiceClient({ service: 'bench', registry: staticRegistry(fleet), health, transport });
    await client.ready();
    await sleep(health ? 11_000 : 500);
    sent.length = 0;
    const [before, from] = [process.cpuUsage(), performance.now()];
    await sleep(seconds * 1_000);
    const { user, system } = process.cpuUsage(before);
    const cpuPercent = (user + system) / 10 / (performance.now() - from);
    const perSecond = Array.from(
      { length: seconds },
      (_, second) => sent.filter(at => Math.floor((at - from) / 1_000) === second).length,
    );
    await client.close();
    return { checks: sent.length, cpuPercent, fewest: Math.min(...perSecond), most: Math.max(...perSecond) };
  };
  const rows = { 'without checks': await run(false), 'with checks': await run({}) };
  server.disconnect();
  if (json) return console.log(JSON.stringify({ node: process.version, instances, seconds, rows }));
  console.log(`${instances} instances, every 10 s; ${seconds} s; Node ${process.version}, ${os.cpus()[0].model}`);
  for (const [name, { checks, cpuPercent, fewest, most }] of Object.entries(rows))
    console.log(
      `${name.padEnd(16)} ${String(checks).padStart(6)} checks, ${fewest}–${most} in a second, ${cpuPercent.toFixed(1)} % of a CPU`,
    );
}
