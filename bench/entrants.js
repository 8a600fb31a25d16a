// Contestants in processes of their own that stay alive and are asked in turn, for a moment each: what else the machine does
// then meets all of them alike, and the compiler is done with all of them before the first figure counts.
import { fork } from 'node:child_process';

/** One process: `ask(question)` resolves to what its `answer` gave. */
const enter = (file, args) => {
  const child = fork(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', code => reject(new Error(`${args.join(' ')}: its process ended with ${code}`)));
  });
  ended.catch(() => undefined);
  return {
    ask: question => {
      const answered = new Promise(resolve => child.once('message', resolve));
      child.send(question);
      return Promise.race([answered, ended]);
    },
    leave: () => child.kill(),
  };
};

/** In the process of a contestant: asked one thing at a time. */
export const answer = handle => {
  process.on('message', async question => process.send(await handle(question)));
  process.on('disconnect', () => process.exit());
};

const rotated = (list, by) => list.map((_, at) => list[(at + by) % list.length]);

/**
 * `entries`: { name: arguments of its process }. Each is warmed up, then asked once in each round, and once at the end. Returns
 * { name: [a round's answer] } and { name: what it answered at the end }.
 */
export const interleaved = async ({ file, entries, rounds }) => {
  const names = Object.keys(entries);
  const figures = Object.fromEntries(names.map(name => [name, []]));
  const last = {};
  const processes = {};
  try {
    for (const name of names) {
      processes[name] = enter(file, entries[name]);
      await processes[name].ask('warm up');
    }
    for (let round = 0; round < rounds; round += 1)
      for (const name of rotated(names, round)) figures[name].push(await processes[name].ask('run'));
    for (const name of names) last[name] = await processes[name].ask('end');
  } finally {
    for (const one of Object.values(processes)) one.leave();
  }
  return { figures, last };
};
