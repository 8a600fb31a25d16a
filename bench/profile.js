// Where the CPU time of a call goes: the pipeline with everything on, over a transport that answers at once, by the part of
// fairlead that spends it. And how far down it could go: the same answer through a promise and two readings of the clock, which
// no pipeline can do without, beside opossum and beside the whole, all in one process by turns.
//
//   npm run bench:profile -- [--rounds 60] [--json] [--write]
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { SourceMap } from 'node:module';
import { parseArgs } from 'node:util';
import { contestants } from './hotpath-contestants.js';
import { OPTIONS, describe, machineWith, publish, table, wholeNumber } from './outcome.js';
import { median } from './statistics.js';
import { ratioOf, takeTurns } from './turns.js';

const { values } = parseArgs({ options: { ...OPTIONS, rounds: { type: 'string', default: '60' } } });
const rounds = wholeNumber('rounds', values.rounds);

const CALL = 'fairlead call(), all on, no breaker';
const WITH_BREAKER = 'fairlead call(), all on';
const FLOOR = 'a promise, two readings of the clock';
const NAMES = ['bare call', FLOOR, 'opossum, lean', CALL, WITH_BREAKER];
const PROFILED_MS = 4_000;
const SAMPLE_US = 100;

const operations = Object.fromEntries(
  await Promise.all(NAMES.map(async name => [name, await contestants[name].make()])),
);

const ns = await takeTurns(operations, { rounds, count: 3_000, warmUp: 200_000 });
const inOneProcess = NAMES.slice(1).map(name => ({
  name,
  ns: median(ns[name]),
  overOpossums: ratioOf(ns, [name, 'opossum, lean', 'bare call']),
}));

/** By what a frame was before it was bundled: ['src/pool/lease.ts', 'the pool and its balancer']. */
const PARTS = [
  [/src\/core\/runtime\.ts$/, 'the clock, and chance'],
  [/src\/(pool|balancers|routing)\//, 'picking an instance, and what is learnt of it (pool, balancer)'],
  [/src\/client\/(logical-call|call-plan|work|invocation)\.ts$|src\/core\/record\.ts$/, 'the call and its record'],
  [/src\/client\/attempt/, 'the attempt'],
  [/src\/(layers|machines)\//, 'the stages: deadline, rate limit, bulkhead, retry, breaker'],
  [/src\//, 'the client: beginning and end of a call, events'],
];
const CLOCK = new Set(['now', 'random']);

const maps = new Map();
const sourceOf = ({ url, lineNumber, columnNumber }) => {
  if (!url.includes('/dist/')) return url;
  if (!maps.has(url)) maps.set(url, new SourceMap(JSON.parse(readFileSync(new URL(`${url}.map`), 'utf8'))));
  return maps.get(url).findEntry(lineNumber, columnNumber).originalSource ?? url;
};
const partOf = frame => {
  const { functionName, url } = frame;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (CLOCK.has(functionName) && !url.startsWith('file:')) return 'the clock, and chance';
  const source = sourceOf(frame);
  return PARTS.find(([where]) => where.test(source))?.[1] ?? 'promises, microtasks, the rest of Node, the caller';
};

/** { part: share }, of all samples. */
const profile = async operation => {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  await session.post('Profiler.start');
  const endsAt = performance.now() + PROFILED_MS;
  while (performance.now() < endsAt) for (let nth = 0; nth < 1_000; nth += 1) await operation();
  const { nodes } = (await session.post('Profiler.stop')).profile;
  session.disconnect();
  const shares = {};
  const total = nodes.reduce((sum, { hitCount }) => sum + hitCount, 0);
  for (const { callFrame, hitCount } of nodes)
    shares[partOf(callFrame)] = (shares[partOf(callFrame)] ?? 0) + hitCount / total;
  return Object.fromEntries(Object.entries(shares).toSorted(([, a], [, b]) => b - a));
};

const shares = await profile(operations[CALL]);
const percent = share => `${(share * 100).toFixed(1)} %`;
const machine = machineWith(['opossum']);
const text = [
  describe(machine),
  '',
  table([
    ['in one process by turns', 'ns', 'overhead ÷ opossum, lean'],
    ...inOneProcess.map(({ name, ns: spent, overOpossums }) => [name, spent.toFixed(0), overOpossums.toFixed(2)]),
  ]),
  '',
  table([[CALL, 'share'], ...Object.entries(shares).map(([part, share]) => [part, percent(share)])]),
  '',
].join('\n');
publish('profile', { machine, rounds, inOneProcess, profiled: CALL, shares }, { ...values, text });
process.exit();
