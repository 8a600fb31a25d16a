// How soon fairlead's registries tell of a change, beside the bare protocol; 10 000 instances; and what waiting costs. On real
// servers, which are started here. Read the ratios: the same machine runs servers and watchers.
//
//   npm run bench:discovery -- [--registry consul|etcd|zookeeper|memory] [--quick] [--json] [--write] [--check]
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { changesSeen } from './discovery/changes.js';
import { fields } from './discovery/fields.js';
import { watchOf } from './discovery/ours.js';
import { report } from './discovery/report.js';
import { OPTIONS, machineWith, publish } from './outcome.js';
import { startServer } from './discovery/servers.js';
import { countingWire } from './discovery/wire.js';
import { median, quantile } from './statistics.js';

/** Times the bare protocol's, and bytes for an instance: more, and `--check` fails. */
const MOST_RATIO = 1.2;
const MOST_BYTES = 2_000;

const { values } = parseArgs({
  options: {
    registry: { type: 'string', multiple: true, default: Object.keys(fields) },
    quick: { type: 'boolean', default: false },
    ...OPTIONS,
  },
});
for (const name of values.registry)
  if (!(name in fields)) throw new RangeError(`--registry: expected ${Object.keys(fields).join(', ')}, got ${name}`);
const size = values.quick
  ? { changes: 40, standing: 10, large: { count: 1_000, rounds: 1, changes: 8 }, idle: { count: 100, seconds: 10 } }
  : { changes: 240, standing: 10, large: { count: 10_000, rounds: 3, changes: 6 }, idle: { count: 100, seconds: 60 } };

const SERVICE = 'orders';
const OURS = 'registry.watch';

/** All watch together, and each change is seen by all. */
const latencies = async (name, address) => {
  const field = fields[name];
  const registry = await field.open(address);
  const writer = await field.writer(address);
  await writer.fill(SERVICE, { from: 0, count: size.standing });
  const watchers = { [OURS]: look => watchOf(registry, SERVICE, look) };
  for (const [bare, way] of Object.entries(field.bares)) watchers[bare] = look => way(address, SERVICE, look);
  const plan = { service: SERVICE, from: size.standing, changes: size.changes, blocks: 4, warmUp: 20 };
  const { seen } = await changesSeen({ ...plan, watchers, writer, paceMs: field.paceMs });
  await registry.close();
  await writer.close();
  return Object.entries(seen).map(([way, { join, leave }]) => {
    const all = [...join, ...leave];
    return {
      ...{ way, changes: all.length, medianMs: median(all), p95Ms: quantile(all, 0.95) },
      ...{ joinMs: median(join), leaveMs: median(leave) },
    };
  });
};

const script = name => fileURLToPath(new URL(`discovery/${name}.js`, import.meta.url));
const execute = promisify(execFile);

const large = async (name, address) => {
  const args = ['--expose-gc', script('large'), name, address, JSON.stringify(size.large)];
  return JSON.parse((await execute(process.execPath, args)).stdout);
};

/** One process that watches, with a wire in between. */
const idle = async (name, address) => {
  const field = fields[name];
  const wire = field.wire && (await countingWire(address, field.wire));
  if (wire) {
    const writer = await field.writer(address);
    await writer.fill('idle', { from: 500_000, count: size.idle.count });
    await writer.close();
  }
  const { seconds, count } = size.idle;
  const args = [script('idle'), name, wire?.address ?? address, String(seconds), String(count)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let before;
  let text = '';
  child.stdout.setEncoding('utf8').on('data', chunk => {
    text += chunk;
    if (text.includes('ready\n')) before ??= wire?.counts();
  });
  await new Promise(resolve => child.once('close', resolve));
  const after = wire?.counts();
  wire?.close();
  const { cpuMs, wallMs } = JSON.parse(text.slice(text.indexOf('\n') + 1));
  const perMinute = what => (after === undefined ? 0 : ((after[what] - before[what]) / wallMs) * 60_000);
  return {
    cpuPercent: (cpuMs / wallMs) * 100,
    requestsPerMinute: perMinute('requests'),
    pingsPerMinute: perMinute('pings'),
  };
};

const say = text => process.stderr.write(`${text}\n`);
const servers = {};
const results = {};
try {
  for (const name of values.registry) {
    say(`${name}: changes seen`);
    servers[name] = await startServer(name);
    results[name] = { latency: await latencies(name, servers[name].address) };
  }
  for (const name of values.registry) {
    say(`${name}: ${size.large.count} instances`);
    results[name].large = await large(name, servers[name].address);
  }
  say(`idle for ${size.idle.seconds} s`);
  await Promise.all(values.registry.map(async name => (results[name].idle = await idle(name, servers[name].address))));
} finally {
  await Promise.all(Object.values(servers).map(server => server.stop()));
}

const goals = values.registry.flatMap(name => {
  const { latency, large: many } = results[name];
  const [ours, bare] = latency;
  const bytes = { what: `${name}: bytes per instance`, value: many.bytesPerInstance, atMost: MOST_BYTES };
  if (bare === undefined) return [bytes];
  return [{ what: `${name}: × ${bare.way}`, value: ours.medianMs / bare.medianMs, atMost: MOST_RATIO }, bytes];
});
const whole = { machine: machineWith(), size, results, goals };
publish('discovery', whole, { ...values, text: report(whole) });
