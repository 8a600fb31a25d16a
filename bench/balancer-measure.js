// One contestant with one number of instances, in a process of its own: prints the CPU time of an operation in ns. The best
// of several runs, since whatever else the machine does can only add to it.
import { contestants } from './balancer-contestants.js';

const RUNS = 9;
const RUN_MS = 25;
const WARM_UP_RUNS = 3;

const [, , name, size] = process.argv;
const operation = await contestants[name].make(Number(size));

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

let sink;
const repeat = count => {
  const from = cpuMs();
  for (let n = 0; n < count; n += 1) sink = operation();
  return cpuMs() - from;
};

// What is built at first is no part of a pick; the compiler is done when a run is full. As many operations as fill one.
operation();
let count = 1;
while (repeat(count) < RUN_MS) count *= 2;
for (let run = 0; run < WARM_UP_RUNS; run += 1) repeat(count);
while (count > 1 && repeat(count) > 2 * RUN_MS) count >>= 1;
while (repeat(count) < RUN_MS) count *= 2;
let best = Infinity;
for (let run = 0; run < RUNS; run += 1) best = Math.min(best, repeat(count));
process.stdout.write(JSON.stringify((best / count) * 1e6), () => process.exit(sink === null ? 1 : 0));
