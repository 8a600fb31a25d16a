// Whole requests over loopback: fairlead with everything on, through its fetch and its undici transport, beside fetch, undici,
// got, axios, and breakers around fetch. Servers and contestants each run in a process of their own (entrants.js), in each round
// for a second, and each round begins with another one; ratios are taken round by round. Client and servers share the machine:
// CPU time per request is the steadiest figure.
//
//   npm run bench:http -- [--rounds 5] [--ms 1000] [--fields raw/100,raw/10,http/1] [--only TEXT,TEXT] [--json] [--write] [--check]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { interleaved } from './entrants.js';
import { contestants } from './http/contestants.js';
import { goalsOf } from './http/goals.js';
import { OPTIONS, describe, machineWith, publish, table, wholeNumber } from './outcome.js';
import { median } from './statistics.js';

const SERVERS = 3;
const ALL = 'raw/100';
const PEERS = ['axios', 'cockatiel', 'got', 'limiter', 'opossum', 'undici'];

const { values } = parseArgs({
  options: {
    ...OPTIONS,
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '1000' },
    fields: { type: 'string', default: `${ALL},raw/10,http/100,http/10,http/1` },
    only: { type: 'string', default: '' },
  },
});
const rounds = wholeNumber('rounds', values.rounds);
const ms = wholeNumber('ms', values.ms);
if (values.write && values.only !== '') throw new RangeError('--write: expected all contestants, without --only');
const fields = values.fields.split(',').map(name => {
  const [, kind, concurrency] = /^(raw|http)\/([1-9]\d*)$/.exec(name) ?? [];
  if (kind === undefined) throw new RangeError(`--fields: expected raw/100 or http/1 and the like, got ${name}`);
  return { name, kind, concurrency };
});

const file = name => fileURLToPath(new URL(`http/${name}.js`, import.meta.url));
const startServers = kind =>
  Promise.all(
    Array.from({ length: SERVERS }, async () => {
      const server = fork(file('server'), [kind]);
      const [port] = await once(server, 'message');
      return { port, stop: () => server.disconnect() };
    }),
  );

const starts = values.only.split(',');
const namesIn = field =>
  Object.entries(contestants)
    .filter(([name, { everywhere }]) => (everywhere || field === ALL) && starts.some(start => name.startsWith(start)))
    .map(([name]) => name);

/** { field: { contestant: [a round's figures] } } */
const measured = {};
for (const { name: field, kind, concurrency } of fields) {
  const servers = await startServers(kind);
  const ports = servers.map(({ port }) => port);
  const entries = namesIn(field).map(name => [name, [name, JSON.stringify(ports), concurrency, String(ms)]]);
  const { figures } = await interleaved({ file: file('client'), entries: Object.fromEntries(entries), rounds });
  measured[field] = figures;
  for (const server of servers) server.stop();
}

const BASE = 'global fetch';
const summary = (all, base) => {
  const of = what => median(all.map(figures => figures[what]));
  const ratio = base && median(all.map(({ perSecond }, round) => perSecond / base[round].perSecond));
  return {
    perSecond: of('perSecond'),
    cpuUs: of('cpuUs'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    ratio: ratio ?? null,
  };
};
const figures = Object.fromEntries(
  Object.entries(measured).map(([field, rows]) => [
    field,
    Object.fromEntries(Object.entries(rows).map(([name, all]) => [name, summary(all, rows[BASE])])),
  ]),
);

const machine = machineWith(PEERS);
const cells = ({ perSecond, cpuUs, p50Ms, p99Ms, ratio }) => [
  ...[perSecond.toFixed(0), ratio?.toFixed(2), cpuUs.toFixed(1), p50Ms.toFixed(2), p99Ms.toFixed(2)],
];
const tables = Object.entries(figures).map(([field, rows]) => {
  const head = [field, 'req/s', '÷ fetch', 'CPU µs', 'p50 ms', 'p99 ms'];
  return table([head, ...Object.entries(rows).map(([name, each]) => [name, ...cells(each)])]);
});
const text = [`${describe(machine)}; medians of ${rounds} rounds of ${ms} ms`, ...tables, ''].join('\n\n');
publish('http', { machine, rounds, ms, figures, goals: goalsOf(measured) }, { ...values, text });
