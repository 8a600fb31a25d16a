// What stays: memory for each instance and each client, the cost of a call however many instances there are, what idle clients
// spend, and whether the heap grows.
//
//   npm run bench:memory -- [--calls 1000000] [--rounds 7] [--json] [--write] [--check]
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { measure, race } from './contest.js';
import { OPTIONS, describe, machineWith, publish, table, wholeNumber } from './outcome.js';
import { median } from './statistics.js';

const INSTANCES = 10_000;
const CLIENTS = 100;
const IDLE_SECONDS = 10;
const CALLS_EACH = 20;
const SIZES = [3, 100, 1_000, INSTANCES];
/** Of what is alive, from its third tenth to the end: more is growth, less is what V8 itself moves about. */
const MOST_GROWN_BYTES = 256 * 1_024;
const START = 2;

const amongst = size => async () => {
  const { fleet, SERVICE } = await import('./memory/fleet.js');
  const { createServiceClient, staticRegistry } = await import('../dist/index.js');
  const client = createServiceClient({ service: SERVICE, registry: staticRegistry(fleet(size)) });
  await client.ready();
  const value = async () => undefined;
  // Each has its statistics before anything is measured.
  for (let nth = 0; nth < size * CALLS_EACH; nth += 1) await client.call(value);
  return () => client.call(value);
};
const contestants = Object.fromEntries(SIZES.map(size => [`call() among ${size}`, { make: amongst(size) }]));

const text = { type: 'string' };
const { values } = parseArgs({
  options: { ...OPTIONS, rounds: { ...text, default: '7' }, calls: { ...text, default: '1000000' }, measure: text },
});

const inProcess = async (name, ...args) => {
  const file = fileURLToPath(new URL(`memory/${name}.js`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', file, ...args.map(String)]);
  return JSON.parse(stdout);
};

const mean = numbers => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
/** Of three tenths each, since what one collection leaves varies. */
const grownBy = ({ alive }) => mean(alive.slice(-3)) - mean(alive.slice(START, START + 3));

const run = async () => {
  const rounds = wholeNumber('rounds', values.rounds);
  const calls = wholeNumber('calls', values.calls);
  const held = await inProcess('held', INSTANCES, CLIENTS);
  const cost = await race({ script: import.meta.url, contestants }, rounds);
  const idle = await inProcess('idle', IDLE_SECONDS, INSTANCES, CLIENTS);
  const alone = await inProcess('idle', IDLE_SECONDS, INSTANCES, 0);
  const growth = await inProcess('growth', calls);
  const [smallest, ...larger] = SIZES.map(size => cost[`call() among ${size}`].ns);
  const ratios = larger.map(ns => median(ns.map((each, round) => each / smallest[round])));
  const grownBytes = grownBy(growth);
  const goals = [
    { what: "bytes per instance, a client's with its statistics", value: held.ofClient, atMost: 2_000 },
    { what: `a call among ${INSTANCES} instances ÷ among 3`, value: ratios.at(-1), atMost: 1.25 },
    { what: `idle, ${INSTANCES} instances, ${CLIENTS} clients: % of a CPU`, value: idle.percent, atMost: 0.5 },
    { what: `kB that the heap grew by in ${calls} calls`, value: grownBytes / 1_024, atMost: MOST_GROWN_BYTES / 1_024 },
  ].map(goal => ({ ...goal, issue: true }));
  const ns = Object.fromEntries(SIZES.map((size, at) => [size, median([smallest, ...larger][at])]));
  const figures = { held, ns, idle: { percent: idle.percent, processAlone: alone.percent }, growth };
  return { machine: machineWith(), rounds, figures: { ...figures, grownBytes }, goals };
};

const print = ({ machine, figures: { held, ns, idle, growth } }) =>
  [
    describe(machine),
    table([
      ['bytes', ''],
      ['an instance: all', held.perInstance.toFixed(0)],
      ['… of the set of a DiscoveryClient', held.ofDiscovery.toFixed(0)],
      ['… of the client and its statistics', held.ofClient.toFixed(0)],
      ['a client', held.perClient.toFixed(0)],
    ]),
    table([
      ['a call among so many instances, ns', ...Object.keys(ns)],
      ['call()', ...Object.values(ns).map(each => each.toFixed(0))],
    ]),
    `idle: ${idle.percent.toFixed(2)} % of a CPU; a process without clients ${idle.processAlone.toFixed(2)} %`,
    `alive after each tenth of ${growth.calls} calls (${growth.seconds.toFixed(0)} s), kB: ${growth.alive.map(bytes => (bytes / 1_024).toFixed(0)).join(' ')}`,
    '',
  ].join('\n\n');

if (values.measure === undefined) {
  const result = await run();
  publish('memory', result, { ...values, text: print(result) });
} else measure(contestants[values.measure]);
