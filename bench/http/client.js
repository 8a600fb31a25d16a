// One contestant, in a process of its own: client.js NAME PORTS CONCURRENCY MS. So many callers each ask again as soon as they
// have read and parsed an answer; tells requests per second, CPU time per request, and how long one took.
import { contestants } from './contestants.js';
import { answer } from '../entrants.js';
import { quantile } from '../statistics.js';

/** Of CPU time: on a busy machine, time that passed says nothing of how far the compiler has come. */
const WARM_UP_CPU_MS = 2_000;
const WARM_UP_AT_MOST_MS = 20_000;
/** Not measured, at the start of each run: connections that were closed while others ran are made again. */
const RUN_UP_MS = 300;

const [, , name, ports, concurrency, ms] = process.argv;
const origins = JSON.parse(ports).map(port => `http://127.0.0.1:${port}`);
let operation;

/** All callers, for so long; ms that each request took. */
const callFor = async forMs => {
  const took = [];
  const endsAt = performance.now() + forMs;
  const caller = async () => {
    let startedAt = performance.now();
    while (startedAt < endsAt) {
      const { id } = await operation();
      if (id !== 42) throw new Error(`${name}: not the answer: ${id}`);
      const endedAt = performance.now();
      took.push(endedAt - startedAt);
      startedAt = endedAt;
    }
  };
  await Promise.all(Array.from({ length: Number(concurrency) }, caller));
  return took;
};

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

const warmUp = async () => {
  operation = await contestants[name].make(origins);
  const endsAt = performance.now() + WARM_UP_AT_MOST_MS;
  while (cpuMs() < WARM_UP_CPU_MS && performance.now() < endsAt) await callFor(100);
  return true;
};

const run = async () => {
  await callFor(RUN_UP_MS);
  const before = cpuMs();
  const startedAt = performance.now();
  const took = await callFor(Number(ms));
  const wallMs = performance.now() - startedAt;
  const spentMs = cpuMs() - before;
  return {
    perSecond: (took.length / wallMs) * 1_000,
    cpuUs: (spentMs / took.length) * 1_000,
    p50Ms: quantile(took, 0.5),
    p99Ms: quantile(took, 0.99),
  };
};

const questions = {
  'warm up': warmUp,
  run,
  end: async () => true,
  /** node --cpu-prof http/client.js NAME PORTS CONCURRENCY MS profile */
  profile: async () => {
    await warmUp();
    await callFor(Number(ms));
    process.exit(0);
  },
};

if (process.argv[6] === 'profile') await questions.profile();
else answer(question => questions[question]());
