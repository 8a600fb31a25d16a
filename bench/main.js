// What a call costs, in CPU time: fairlead's whole default pipeline over a transport that answers at once, beside a bare async call
// and the libraries that people would compose. Each contestant runs in a process of its own, all in each round, and each
// round begins with another one; overheads and ratios are taken round by round, figures are medians over the rounds. On a
// busy machine read the ratios.
//
//   npm run bench -- [--rounds 5] [--json] [--check]
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { contestants } from './contestants.js';
import { median } from './statistics.js';

/** More than opossum's overhead with its defaults, and `--check` fails. */
const MOST = 1;
const CHECKED = ['fairlead call()', 'fairlead fetch()'];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`--rounds: expected 1, 2, …, got ${values.rounds}`);

const execute = promisify(execFile);
const measure = async name => {
  const { stdout } = await execute(process.execPath, [fileURLToPath(new URL('measure.js', import.meta.url)), name]);
  return JSON.parse(stdout);
};

const names = Object.keys(contestants);
const nsPerOp = Object.fromEntries(names.map(name => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (let at = 0; at < names.length; at += 1) {
    const name = names[(at + round) % names.length];
    nsPerOp[name].push(await measure(name));
  }
}

const overheadsOf = name => {
  const { over } = contestants[name];
  return over === undefined ? undefined : nsPerOp[name].map((ns, round) => ns - nsPerOp[over][round]);
};
const rows = names.map(name => {
  const overheads = overheadsOf(name);
  const yardstick = overheads && overheadsOf(contestants[name].beside);
  return {
    name,
    nsPerOp: median(nsPerOp[name]),
    over: contestants[name].over ?? null,
    beside: contestants[name].beside ?? null,
    overheadNs: overheads ? median(overheads) : null,
    ratio: overheads ? median(overheads.map((ns, round) => ns / yardstick[round])) : null,
    rounds: nsPerOp[name],
  };
});

const versionOf = file => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')).version;
const machine = {
  cpu: os.cpus()[0]?.model ?? 'unknown',
  cores: os.cpus().length,
  platform: `${os.platform()} ${os.arch()}`,
  node: process.version,
  v8: process.versions.v8,
};
const versions = {
  fairlead: versionOf('../package.json'),
  opossum: versionOf('node_modules/opossum/package.json'),
  cockatiel: versionOf('node_modules/cockatiel/package.json'),
};

if (values.json) {
  console.log(JSON.stringify({ machine, versions, rows }, undefined, 2));
} else {
  const line = cells => cells.map((cell, at) => (at === 0 ? cell.padEnd(30) : cell.padStart(12))).join(' ');
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}`);
  console.log(
    Object.entries(versions)
      .map(pair => pair.join(' '))
      .join(', '),
  );
  console.log(`medians of ${rounds} rounds; overhead: ns/op minus the bare call that does the same\n`);
  console.log(line(['', 'ns/op', 'overhead', '× opossum']));
  for (const { name, nsPerOp: ns, overheadNs, ratio } of rows)
    console.log(line([name, ns.toFixed(0), overheadNs?.toFixed(0) ?? '', ratio?.toFixed(2) ?? '']));
}

const missed = rows.filter(({ name, ratio }) => CHECKED.includes(name) && ratio > MOST);
for (const { name, beside, ratio } of missed)
  console.error(`${name} costs ${ratio.toFixed(2)} × the overhead of "${beside}"; the goal is <= ${MOST}`);
if (values.check && missed.length > 0) process.exitCode = 1;
