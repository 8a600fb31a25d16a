// Contestants beside each other: each in a process of its own, all in each round; ratios are taken round by round, figures are
// medians over the rounds, in ns of CPU time. On a busy machine read the ratios.
import { execFile } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { median } from './statistics.js';

const WARM_UP_MS = 300;
const MEASURE_MS = 250;

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Repeats the operation for so much CPU time; ns for each. */
const runFor = async (operation, ms) => {
  const from = cpuMs();
  let count = 0;
  let spent = 0;
  for (let batch = 1; spent < ms; batch = Math.min(batch * 2, 200)) {
    for (let nth = 0; nth < batch; nth += 1) await operation();
    count += batch;
    spent = cpuMs() - from;
  }
  return (spent / count) * 1e6;
};

/** One contestant, in the process of its own. What it does `beside` is not its own cost. */
const measure = async ({ make, per = 1 }) => {
  const operation = await make();
  await runFor(operation, WARM_UP_MS);
  const { beside } = operation;
  if (beside !== undefined) await runFor(beside, WARM_UP_MS);
  const taken = beside === undefined ? 0 : await runFor(beside, MEASURE_MS);
  const ns = ((await runFor(operation, MEASURE_MS)) - taken) / per;
  process.stdout.write(JSON.stringify(ns), () => process.exit(0));
};

const measureAll = async ({ script, contestants }, rounds) => {
  const execute = promisify(execFile);
  const figures = {};
  for (let round = 0; round < rounds; round += 1)
    for (const name of Object.keys(contestants)) {
      const { stdout } = await execute(process.execPath, [fileURLToPath(script), '--measure', name]);
      (figures[name] ??= []).push(JSON.parse(stdout));
    }
  return figures;
};

const OPTIONS = {
  rounds: { type: 'string', default: '3' },
  measure: { type: 'string' },
  json: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
};

const print = ({ rounds, figures, goals }) => {
  console.log(`${cpu()}, Node ${process.version}; ns of CPU time, medians of ${rounds} rounds\n`);
  for (const [name, all] of Object.entries(figures))
    console.log(`${name.padEnd(50)}${median(all).toFixed(0).padStart(9)}`);
  console.log('\nratios');
  for (const { name, beside, most, ratio, holds } of goals)
    console.log(
      `${holds ? 'ok    ' : 'MISSED'} ${ratio.toFixed(3).padStart(7)} <= ${most.toFixed(2)}  ${name} ÷ ${beside}`,
    );
};

const cpu = () => os.cpus()[0]?.model ?? 'unknown';

/**
 * Runs a bench: `script` is the file that calls this (its `import.meta.url`), `goals` are
 * [what, beside what, at most so many times as much]. `--rounds 3`, `--json`; with `--check` a missed goal fails.
 */
export const contest = async ({ script, contestants, goals: wanted }) => {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.measure !== undefined) return measure(contestants[values.measure]);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`--rounds: expected 1, 2, …, got ${values.rounds}`);
  const figures = await measureAll({ script, contestants }, rounds);
  const goals = wanted.map(([name, beside, most]) => {
    const ratio = median(figures[name].map((ns, round) => ns / figures[beside][round]));
    return { name, beside, most, ratio, holds: ratio <= most };
  });
  if (values.json)
    console.log(JSON.stringify({ cpu: cpu(), node: process.version, rounds, figures, goals }, undefined, 2));
  else print({ rounds, figures, goals });
  if (values.check && goals.some(({ holds }) => !holds)) process.exitCode = 1;
};
