// Contestants beside each other, each in a process of its own (entrants.js), in each round for a moment, and each round begins
// with another one; ratios are taken round by round, figures are medians over the rounds, in ns of CPU time of all threads,
// since garbage is part of the price. On a busy machine read the ratios.
// A profile of one: node --cpu-prof bench/hotpath.js --profile 'fairlead call(), all on'
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allocatedBy } from './allocated.js';
import { answer, interleaved } from './entrants.js';
import { OPTIONS, describe, machineWith, publish, table, wholeNumber } from './outcome.js';
import { median } from './statistics.js';

/** Shorter, and the compiler is still at work: a span's first thousand cost ten times what the others do. */
const WARM_UP_MS = 1_500;
const RUN_MS = 150;
const LOOK_EVERY_MS = 5;
/** Garbage is counted over many times what the heap's own pages round off. */
const COUNTED_MS = 200;
const PROFILED_MS = 3_000;

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Repeats the operation for so much CPU time; looks at the clock so seldom that it does not show. */
const runFor = async (operation, ms) => {
  const from = cpuMs();
  let [count, spent, batch] = [0, 0, 1];
  while (spent < ms) {
    for (let nth = 0; nth < batch; nth += 1) await operation();
    count += batch;
    const now = cpuMs() - from;
    if (now - spent < LOOK_EVERY_MS) batch *= 2;
    spent = now;
  }
  return { count, ns: (spent / count) * 1e6 };
};

/** One contestant, in the process of its own. What it does `beside` is not its own cost. */
export const measure = ({ make, per = 1, bytes: counts = false }) => {
  let operation;
  const ns = async () => (await runFor(operation, RUN_MS)).ns;
  const besideNs = async () => (operation.beside ? (await runFor(operation.beside, RUN_MS)).ns : 0);
  const count = async () => (await runFor(operation, COUNTED_MS)).count * per;
  const questions = {
    'warm up': async () => {
      operation = await make();
      if (operation.beside) await runFor(operation.beside, WARM_UP_MS);
      await runFor(operation, WARM_UP_MS);
      return true;
    },
    run: async () => ((await ns()) - (await besideNs())) / per,
    end: async () => (counts ? allocatedBy(count) : null),
  };
  answer(question => questions[question]());
};

const profile = async ({ make }) => {
  await runFor(await make(), PROFILED_MS);
  process.exit(0);
};

export const race = async ({ script, contestants }, rounds) => {
  const names = Object.keys(contestants);
  const entries = Object.fromEntries(names.map(name => [name, ['--measure', name]]));
  const { figures, last } = await interleaved({ file: fileURLToPath(script), entries, rounds });
  const of = name => ({ ns: figures[name], bytes: last[name] === null ? undefined : [last[name]] });
  return withOverheads(Object.fromEntries(names.map(name => [name, of(name)])), contestants);
};

/** `over`: the contestant that does the same work with nothing around it. */
const withOverheads = (measured, contestants) => {
  for (const [name, { over }] of Object.entries(contestants))
    if (measured[over] !== undefined)
      measured[name].overhead = measured[name].ns.map((ns, round) => ns - measured[over].ns[round]);
  return measured;
};

/** [what, beside what, at most so many times as much, of what ('ns', 'overhead', 'bytes'), in words] */
const toGoal = (measured, [name, beside, atMost, of = 'ns', words]) => {
  const [ours, theirs] = [measured[name]?.[of], measured[beside]?.[of]];
  if (ours === undefined || theirs === undefined) return [];
  const value = median(ours.map((figure, round) => figure / theirs[round]));
  return [{ what: words ?? `${name} ÷ ${beside}`, value, atMost, issue: words !== undefined }];
};

const medians = ({ ns, overhead, bytes }) => ({
  ns: median(ns),
  overhead: overhead ? median(overhead) : null,
  bytes: bytes ? median(bytes) : null,
});

const print = ({ machine, rounds, figures }) => {
  const cells = ({ ns, overhead, bytes }) => [ns.toFixed(ns < 10 ? 1 : 0), overhead?.toFixed(0), bytes?.toFixed(0)];
  const rows = Object.entries(figures).map(([name, each]) => [name, ...cells(each)]);
  const head = [`ns of CPU time, medians of ${rounds} rounds`, 'ns', 'over bare', 'bytes'];
  return [describe(machine), '', table([head, ...rows]), ''].join('\n');
};

/**
 * Runs a bench: `script` is the file that calls this (its `import.meta.url`), `peers` the packages whose versions are told.
 * `--rounds 9`, `--only TEXT,TEXT` (names that begin so), `--json`, `--write`; with `--check` a missed goal fails.
 */
export const contest = async ({ script, contestants: all, goals: wanted, peers = [] }) => {
  const text = { type: 'string' };
  const options = { ...OPTIONS, rounds: { ...text, default: '9' }, only: { ...text, default: '' } };
  const { values } = parseArgs({ options: { ...options, measure: text, profile: text } });
  if (values.measure !== undefined) return measure(all[values.measure]);
  if (values.profile !== undefined) return profile(all[values.profile]);
  const rounds = wholeNumber('rounds', values.rounds);
  if (values.write && values.only !== '') throw new RangeError('--write: expected all contestants, without --only');
  const starts = values.only.split(',');
  const chosen = Object.entries(all).filter(([name]) => starts.some(start => name.startsWith(start)));
  const measured = await race({ script, contestants: Object.fromEntries(chosen) }, rounds);
  const goals = wanted.flatMap(goal => toGoal(measured, goal));
  const figures = Object.fromEntries(Object.entries(measured).map(([name, figure]) => [name, medians(figure)]));
  const result = { machine: machineWith(peers), rounds, figures, goals };
  publish(basename(fileURLToPath(script), '.js'), result, { ...values, text: print(result) });
};
