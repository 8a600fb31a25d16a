// One contestant in a process of its own, so that no other one's types and garbage are in its way: prints the CPU time of
// an operation in ns. CPU time, not time that passed, since the machine may be busy; that of all threads, since garbage
// is part of the price.
import { contestants } from './contestants.js';

const WARM_UP_MS = 400;
const MEASURE_MS = 300;
/** Operations between two looks at the clock. */
const BATCH = 200;

const [, , name] = process.argv;
const operation = await contestants[name].make();

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Repeats the operation for so much CPU time; returns ns per operation. */
const runFor = async ms => {
  const from = cpuMs();
  let count = 0;
  let spent = 0;
  while (spent < ms) {
    for (let n = 0; n < BATCH; n += 1) await operation();
    count += BATCH;
    spent = cpuMs() - from;
  }
  return (spent / count) * 1e6;
};

await runFor(WARM_UP_MS);
process.stdout.write(JSON.stringify(await runFor(MEASURE_MS)), () => process.exit(0));
