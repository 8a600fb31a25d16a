// What a pick costs, in CPU time, with 3 to 10 000 instances: fairlead's balancers beside the algorithms as articles have them
// and the packages that people use. Each contestant runs in a process of its own, all in each round; ratios are taken round
// by round, figures are medians over the rounds. On a busy machine read the ratios.
//
//   npm run bench:balancers -- [--rounds 3] [--json] [--check]
import { execFile } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { contestants } from './balancer-contestants.js';
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

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`--rounds: expected 1, 2, …, got ${values.rounds}`);

const script = fileURLToPath(new URL('balancer-measure.js', import.meta.url));
const execute = promisify(execFile);
const keyOf = (name, size) => `${name} × ${size}`;
const figures = {};
for (let round = 0; round < rounds; round += 1)
  for (const [name, { sizes }] of Object.entries(contestants))
    for (const size of sizes) {
      const { stdout } = await execute(process.execPath, [script, name, String(size)]);
      (figures[keyOf(name, size)] ??= []).push(JSON.parse(stdout));
    }

const goals = GOALS.map(([name, size, beside, besideSize, most]) => {
  const others = figures[keyOf(beside, besideSize)];
  const ratio = median(figures[keyOf(name, size)].map((ns, round) => ns / others[round]));
  return { name, size, beside, besideSize, most, ratio, holds: ratio <= most };
});

if (values.json) {
  console.log(
    JSON.stringify({ cpu: os.cpus()[0]?.model, node: process.version, rounds, figures, goals }, undefined, 2),
  );
} else {
  console.log(`${os.cpus()[0]?.model ?? 'unknown'}, Node ${process.version}; ns, medians of ${rounds} rounds\n`);
  const sizes = [3, 64, 1_000, 10_000];
  const cells = values => values.map(value => String(value).padStart(11)).join('');
  console.log(`${' '.repeat(34)}${cells(sizes)}`);
  for (const name of Object.keys(contestants)) {
    const row = sizes.map(size => figures[keyOf(name, size)]).map(ns => (ns ? median(ns).toFixed(0) : ''));
    console.log(`${name.padEnd(34)}${cells(row)}`);
  }
  console.log('\nratios');
  for (const { name, size, beside, besideSize, most, ratio, holds } of goals)
    console.log(
      `${holds ? 'ok    ' : 'MISSED'} ${ratio.toFixed(4).padStart(8)} <= ${most.toFixed(3)}  ${name} × ${size} ÷ ${beside} × ${besideSize}`,
    );
}

if (values.check && goals.some(({ holds }) => !holds)) process.exitCode = 1;
