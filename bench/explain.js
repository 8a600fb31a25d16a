// What the record costs that every call keeps, so that it can be explained after the fact: made, filled and left on the answer
// as a call that goes well does, ÷ a whole call with the defaults over a transport that answers at once.
//
//   npm run bench:explain -- [--rounds 21] [--json] [--write] [--check]
import { parseArgs } from 'node:util';
import { createServiceClient, staticRegistry } from '../src/index.ts';
import { attachRecord, newRecord } from '../src/core/record.ts';
import { OPTIONS, describe, machineWith, publish, table, wholeNumber } from './outcome.js';
import { median } from './statistics.js';

const { values } = parseArgs({ options: { ...OPTIONS, rounds: { type: 'string', default: '21' } } });
const rounds = wholeNumber('rounds', values.rounds);

const answer = async () => new Response(null);
const value = async () => ({ ok: true });
const registry = staticRegistry([1, 2, 3].map(port => ({ address: '127.0.0.1', port })));
const client = createServiceClient({
  service: 'users',
  registry,
  transport: { send: answer, sendCancellable: answer },
});
await client.ready();

/** Kept for a while, as calls in flight keep theirs: what nobody keeps costs nothing to make. */
const kept = new Array(128);
const holders = at => (kept[at & 127] = { status: 200, body: null });

const contestants = {
  'an answer': async n => {
    for (let at = 0; at < n; at += 1) holders(at);
  },
  'an answer with its record': async n => {
    for (let at = 0; at < n; at += 1) {
      const call = { service: 'users', method: 'GET', startedAt: at, deadlineAt: at + 15_000, deadlineFrom: 'client' };
      const record = newRecord(call);
      record.attempts += 1;
      record.instance = 'a';
      record.status = 200;
      record.endedBy = 'success';
      record.durationMs = at;
      attachRecord(holders(at), record);
    }
  },
  'fetch()': async n => {
    for (let at = 0; at < n; at += 1) kept[at & 127] = await client.fetch('/users/42');
  },
  'call()': async n => {
    for (let at = 0; at < n; at += 1) kept[at & 127] = await client.call(value);
  },
};
const TIMES = { 'fetch()': 2_000, 'call()': 2_000 };
const PLENTY = 50_000;

const measured = Object.fromEntries(Object.keys(contestants).map(name => [name, []]));
for (let round = -3; round < rounds; round += 1)
  for (const [name, run] of Object.entries(contestants)) {
    const times = TIMES[name] ?? PLENTY;
    const { user, system } = process.cpuUsage();
    await run(times);
    const spent = process.cpuUsage({ user, system });
    if (round >= 0) measured[name].push(((spent.user + spent.system) * 1_000) / times);
  }
await client.close();

const ns = Object.fromEntries(Object.entries(measured).map(([name, figures]) => [name, median(figures)]));
const record = ns['an answer with its record'] - ns['an answer'];
const goals = ['fetch()', 'call()'].map(name => ({
  what: `the record that is always kept ÷ ${name}, defaults`,
  value: record / ns[name],
  atMost: 0.03,
}));
const machine = machineWith();
const rows = [['ns of CPU time', 'ns'], ...Object.entries(ns).map(([name, value]) => [name, value.toFixed(0)])];
publish('explain', { machine, rounds, ns, goals }, { ...values, text: `${describe(machine)}\n\n${table(rows)}\n` });
