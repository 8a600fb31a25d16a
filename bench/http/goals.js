// What the requests are to reach; a ratio is the median of the rounds' ratios.
import { median } from '../statistics.js';

const FETCH = 'global fetch';
const FAST = 'fairlead(undici)';
const POOL = 'undici.request + Pool';
const CPU = 'CPU time of the client for a request, undici transport';
const RAW = 'raw/100';
const isNode20 = process.versions.node.startsWith('20.');

/** [what, in which field, beside what, at least or at most, in words, of which figure] */
const GOALS = [
  [
    FAST,
    RAW,
    FETCH,
    { atLeast: isNode20 ? 8 : 5 },
    'req/s, undici transport ÷ global fetch, raw servers, concurrency 100',
  ],
  [FAST, 'raw/10', FETCH, { atLeast: 6 }, '… concurrency 10'],
  [FAST, 'http/1', FETCH, { atLeast: 2.2 }, '… plain http servers, concurrency 1'],
  // The servers share the machine: what a client decides is its own CPU time.
  [FAST, RAW, FETCH, { atMost: 1 / 8 }, `${CPU} ÷ global fetch, raw servers, concurrency 100`, 'cpuUs'],
  [FAST, 'raw/10', FETCH, { atMost: 1 / 6 }, '… concurrency 10', 'cpuUs'],
  [FAST, 'http/1', FETCH, { atMost: 1 / 2.2 }, '… plain http servers, concurrency 1', 'cpuUs'],
  [FAST, RAW, POOL, { atMost: 0.9 }, `${CPU} ÷ \`undici.request\` + Pool, concurrency 100`, 'cpuUs'],
  [FAST, RAW, POOL, { atLeast: 1.1 }, 'req/s, undici transport ÷ `undici.request` + Pool, concurrency 100'],
  [FAST, RAW, POOL, { atMost: 1 }, '… its p99', 'p99Ms'],
  ['fairlead(fetch)', RAW, FETCH, { atLeast: 0.97 }, 'req/s, fetch transport ÷ global fetch, concurrency 100'],
  [
    'fairlead(undici), a signal each',
    RAW,
    'global fetch, a signal each',
    { atLeast: 5 },
    "req/s, undici transport, a caller's own signal on each call ÷ global fetch with one",
  ],
  ['fairlead(undici), propagation', RAW, FAST, { atLeast: 0.8 }, 'req/s, undici transport, trace propagation on ÷ off'],
  [
    'fairlead(undici), propagation',
    RAW,
    'fairlead(undici), AsyncLocalStorage in use',
    { atLeast: 0.8 },
    '… ÷ off, in a process that uses AsyncLocalStorage, as every traced one does',
  ],
];

/** `measured`: { field: { contestant: [a round's figures] } }; goals of what was not measured are left out. */
export const goalsOf = measured =>
  GOALS.flatMap(([name, field, beside, bound, what, figure = 'perSecond']) => {
    const [ours, theirs] = [measured[field]?.[name], measured[field]?.[beside]];
    if (ours === undefined || theirs === undefined) return [];
    const value = median(ours.map((figures, round) => figures[figure] / theirs[round][figure]));
    return [{ what, value, ...bound, issue: true }];
  });
