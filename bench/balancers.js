// What a pick costs, in CPU time, with 3 to 10 000 instances: fairlead's balancers beside the algorithms as articles have them
// and the packages that people use. Each contestant runs in a process of its own, all in each round; ratios are taken round
// by round, figures are medians over the rounds. On a busy machine read the ratios.
//
//   npm run bench:balancers -- [--rounds 3] [--json] [--write] [--check]
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { contestants } from './balancer-contestants.js';
import { OPTIONS, describe, machineWith, publish, table, wholeNumber } from './outcome.js';
import { median } from './statistics.js';

/** [what, its instances, beside what, its instances, at most so many times as much] */
const GOALS = [
  ['smoothWeighted(), 1 weight', 10_000, 'smoothWeighted(), 1 weight', 64, 1.5],
  ['smoothWeighted(), 8 weights', 10_000, 'smoothWeighted(), 8 weights', 64, 1.5],
  ['smoothWeighted(), 64 weights', 10_000, 'smoothWeighted(), 64 weights', 64, 1.5],
  ['smoothWeighted(), 1 weight', 10_000, 'roundRobin()', 10_000, 3],
  ['smoothWeighted(), 8 weights', 10_000, 'roundRobin()', 10_000, 3],
  ['leastConnections()', 10_000, 'leastConnections()', 3, 1.6],
  ['p2c()', 10_000, 'p2c()', 3, 1.5],
  ['consistentHash(), ring', 1_000, "the documents' ring", 1_000, 1 / 5],
  ['consistentHash(), ring', 1_000, 'npm hashring', 1_000, 1 / 50],
  ['consistentHash(), maglev', 1_000, "the documents' ring", 1_000, 1 / 5],
  ['consistentHash(): join and leave', 1_000, "the documents' ring: built twice", 1_000, 1 / 20],
];

const { values } = parseArgs({ options: { ...OPTIONS, rounds: { type: 'string', default: '3' } } });
const rounds = wholeNumber('rounds', values.rounds);

const script = fileURLToPath(new URL('balancer-measure.js', import.meta.url));
const execute = promisify(execFile);
const keyOf = (name, size) => `${name} × ${size}`;
const measured = {};
for (let round = 0; round < rounds; round += 1)
  for (const [name, { sizes }] of Object.entries(contestants))
    for (const size of sizes) {
      const { stdout } = await execute(process.execPath, [script, name, String(size)]);
      (measured[keyOf(name, size)] ??= []).push(JSON.parse(stdout));
    }

const goals = GOALS.map(([name, size, beside, besideSize, atMost]) => {
  const others = measured[keyOf(beside, besideSize)];
  const value = median(measured[keyOf(name, size)].map((ns, round) => ns / others[round]));
  return { what: `${name} × ${size} ÷ ${beside} × ${besideSize}`, value, atMost };
});

const figures = Object.fromEntries(
  Object.entries(contestants).map(([name, { sizes }]) => [
    name,
    Object.fromEntries(sizes.map(size => [size, median(measured[keyOf(name, size)])])),
  ]),
);
const machine = machineWith(['consistent-hash', 'hashring', 'load-balancers']);
const sizes = [3, 64, 1_000, 10_000];
const rows = Object.entries(figures).map(([name, ns]) => [name, ...sizes.map(size => ns[size]?.toFixed(0))]);
const text = [describe(machine), '', table([[`ns, medians of ${rounds} rounds`, ...sizes], ...rows]), ''].join('\n');
publish('balancers', { machine, rounds, figures, goals }, { ...values, text });
