// Contestants that take turns in one process, a few ms each, so that the machine, the compiler and the garbage collector treat
// them alike: less noisy than processes beside each other, and blind to what only a whole process pays.
import { median } from './statistics.js';

/** CPU time of one of `count` operations, one after the other, in ns. */
const costOf = async (operation, count) => {
  const before = process.cpuUsage();
  for (let nth = 0; nth < count; nth += 1) await operation();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / count) * 1_000;
};

/** { contestant: [ns in each round] }; each round begins with another one. */
export const takeTurns = async (operations, { rounds, count, warmUp }) => {
  const names = Object.keys(operations);
  for (let done = 0; done < warmUp; done += count) for (const name of names) await costOf(operations[name], count);
  const ns = Object.fromEntries(names.map(name => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length];
      ns[name].push(await costOf(operations[name], count));
    }
  return ns;
};

/** Round by round: what `one` costs over `floor`, ÷ what `other` costs over it. */
export const ratioOf = (ns, [one, other, floor]) => {
  const over = (name, round) => ns[name][round] - (floor === undefined ? 0 : ns[floor][round]);
  return median(ns[one].map((_, round) => over(one, round) / over(other, round)));
};
