// What a circuit breaker costs, in CPU time, beside opossum and cockatiel. Each contestant runs in a process of its own, all in
// each round; ratios are taken round by round, figures are medians over the rounds. On a busy machine read the ratios.
//
//   npm run bench:breaker -- [--rounds 3] [--json] [--check]
import { execFile } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { contestants } from './breaker-contestants.js';
import { median } from './statistics.js';

/** [what, beside what, at most so many times as much] */
const GOALS = [
  ['refused: CircuitBreaker.execute()', 'refused: opossum', 0.35],
  // With everything else that a client does around it: deadline, bulkhead, record, events.
  ['refused: client.call()', 'refused: opossum', 0.35],
  ['fails among 100000: client.call()', 'fails among 1000: client.call()', 1.2],
  ['fails among 100000: CircuitBreaker.execute()', 'fails among 1000: CircuitBreaker.execute()', 1.2],
  ['passes: CircuitBreaker enter + leave', 'passes: opossum, lean', 0.3],
];

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

const measure = async name => {
  const { make, per = 1 } = contestants[name];
  const operation = await make();
  await runFor(operation, WARM_UP_MS);
  const ns = (await runFor(operation, MEASURE_MS)) / per;
  process.stdout.write(JSON.stringify(ns), () => process.exit(0));
};

const measureAll = async rounds => {
  const execute = promisify(execFile);
  const figures = {};
  for (let round = 0; round < rounds; round += 1)
    for (const name of Object.keys(contestants)) {
      const { stdout } = await execute(process.execPath, [fileURLToPath(import.meta.url), '--measure', name]);
      (figures[name] ??= []).push(JSON.parse(stdout));
    }
  return figures;
};

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    measure: { type: 'string' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});

if (values.measure !== undefined) await measure(values.measure);
else {
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`--rounds: expected 1, 2, …, got ${values.rounds}`);
  const figures = await measureAll(rounds);
  const goals = GOALS.map(([name, beside, most]) => {
    const ratio = median(figures[name].map((ns, round) => ns / figures[beside][round]));
    return { name, beside, most, ratio, holds: ratio <= most };
  });
  const cpu = os.cpus()[0]?.model ?? 'unknown';
  if (values.json) console.log(JSON.stringify({ cpu, node: process.version, rounds, figures, goals }, undefined, 2));
  else {
    console.log(`${cpu}, Node ${process.version}; ns of CPU time, medians of ${rounds} rounds\n`);
    for (const [name, all] of Object.entries(figures))
      console.log(`${name.padEnd(50)}${median(all).toFixed(0).padStart(9)}`);
    console.log('\nratios');
    for (const { name, beside, most, ratio, holds } of goals)
      console.log(
        `${holds ? 'ok    ' : 'MISSED'} ${ratio.toFixed(3).padStart(7)} <= ${most.toFixed(2)}  ${name} ÷ ${beside}`,
      );
  }
  if (values.check && goals.some(({ holds }) => !holds)) process.exitCode = 1;
}
