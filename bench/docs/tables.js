// The tables of docs/performance.md. Each is given { bench: result } of Node 20, and of Node 24; undefined where the bench that
// it tells of was not run.
import { isMet } from '../outcome.js';

const markdown = ([head, ...rows]) =>
  [head, head.map((_, at) => (at === 0 ? '---' : '---:')), ...rows]
    .map(row => `| ${row.map(cell => cell ?? '').join(' | ')} |`)
    .join('\n');

const grouped = number => Math.round(number).toLocaleString('en').replaceAll(',', ' ');
const digits = number => {
  if (number === null || number === undefined) return '';
  if (Math.abs(number) >= 100) return grouped(number);
  return String(Number(number.toPrecision(Math.abs(number) < 1 ? 2 : 3)));
};
const bold = name => (name.startsWith('fairlead') ? `**${name}**` : name);

const bound = ({ atLeast, atMost }) => (atLeast === undefined ? `≤ ${digits(atMost)}` : `≥ ${digits(atLeast)}`);
const goalRow = goal => [goal.what, bound(goal), digits(goal.value), isMet(goal) ? 'yes' : '**no**'];
const ofIssue = result => (result?.goals ?? []).filter(({ issue }) => issue);

const goals = ({ http, hotpath, limiters, memory }, { http: later }) => {
  const onNode24 = ofIssue(later)
    .slice(0, 1)
    .map(goal => ({ ...goal, what: `${goal.what}, Node 24` }));
  const [first, ...others] = ofIssue(http);
  const all = [...(first ? [first] : []), ...onNode24, ...others];
  all.push(...[hotpath, limiters, memory].flatMap(ofIssue));
  return all.length === 0 ? undefined : markdown([['', 'goal', 'seen', 'met'], ...all.map(goalRow)]);
};

const machine = results => {
  const all = Object.values(results);
  if (all.length === 0) return undefined;
  const { cpu, cores, node } = all[0].machine;
  const versions = Object.assign({}, ...all.map(result => result.machine.versions));
  const named = Object.entries(versions).map(pair => pair.join(' '));
  const loads = Object.entries(results).map(([name, { load }]) => `${name} ${load}`);
  return `${cpu}, ${cores} cores, Node ${node}; ${named.join(', ')}. Load of the machine at the end of each bench: ${loads.join(', ')}; above ${cores}, others were at work.`;
};

const httpRow = ([name, { perSecond, ratio, cpuUs, p50Ms, p99Ms }]) => [
  bold(name),
  ...[perSecond, ratio, cpuUs, p50Ms, p99Ms].map(digits),
];
const RAW = 'raw/100';
const httpRaw = ({ http }) => {
  if (http?.figures[RAW] === undefined) return undefined;
  const head = ['raw servers, concurrency 100', 'req/s', '÷ global fetch', 'CPU µs', 'p50 ms', 'p99 ms'];
  const rows = Object.entries(http.figures[RAW]).toSorted(([, a], [, b]) => b.perSecond - a.perSecond);
  return markdown([head, ...rows.map(httpRow)]);
};
const httpOthers = ({ http }) => {
  const fields = Object.keys(http?.figures ?? {}).filter(field => field !== RAW);
  if (fields.length === 0) return undefined;
  const names = Object.keys(http.figures[fields[0]]);
  const cell = ({ ratio, cpuUs }) => `${digits(ratio)} (${digits(cpuUs)})`;
  const rows = names.map(name => [bold(name), ...fields.map(field => cell(http.figures[field][name]))]);
  return markdown([['req/s ÷ global fetch (CPU µs)', ...fields], ...rows]);
};

const isPipeline = name => !/^(passes|refused|fails)/.test(name);
const hotpath = ({ hotpath: result }) => {
  if (result === undefined) return undefined;
  const rows = Object.entries(result.figures).filter(([name]) => isPipeline(name));
  const cells = ({ ns, overhead, bytes }) => [ns, overhead, bytes].map(digits);
  return markdown([['', 'ns', 'over bare', 'bytes'], ...rows.map(([name, each]) => [bold(name), ...cells(each)])]);
};

const profile = ({ profile: result }) => {
  if (result === undefined) return undefined;
  const beside = result.inOneProcess.map(({ name, ns, overOpossums }) => [
    bold(name),
    digits(ns),
    digits(overOpossums),
  ]);
  const shares = Object.entries(result.shares).map(([part, share]) => [part, `${(share * 100).toFixed(1)} %`]);
  return [
    markdown([['in one process, by turns', 'ns', 'overhead ÷ opossum, lean'], ...beside]),
    markdown([[`CPU time of ${result.profiled}`, 'share'], ...shares]),
  ].join('\n\n');
};

/** `rows`: [what, a figure's name or nothing for each column] */
const picked = ({ figures }, head, rows) => {
  const ns = name => (name === undefined ? '' : digits(figures[name]?.ns));
  return markdown([head, ...rows.map(([what, ...names]) => [what, ...names.map(ns)])]);
};

const breakers = ({ hotpath: result }) => {
  if (result?.figures['refused: opossum'] === undefined) return undefined;
  const row = (what, as, ...names) => [what, ...names.map(name => name && `${as}: ${name}`)];
  const failing = fill =>
    row(
      `fails, ${grouped(fill)} calls in the window`,
      `fails among ${fill}`,
      ...['client.call()', 'CircuitBreaker.execute()', 'opossum, lean', 'opossum, defaults', undefined],
    );
  return picked(
    result,
    ['', 'fairlead `call()`', '`CircuitBreaker` alone', 'opossum, lean', 'opossum, defaults', 'cockatiel'],
    [
      row(
        'admitted, and it succeeds',
        'passes',
        ...['client.call(), breaker on opossum', 'CircuitBreaker.execute()'],
        ...['opossum, lean', 'opossum, defaults', 'cockatiel'],
      ),
      row('… two-step, `enter` and `leave`', 'passes', undefined, 'CircuitBreaker enter + leave'),
      row('refused', 'refused', 'client.call()', 'CircuitBreaker.execute()', undefined, 'opossum', 'cockatiel'),
      failing(1_000),
      failing(100_000),
    ].map(cells => [...cells, ...Array.from({ length: 6 - cells.length })]),
  );
};

const limiters = ({ limiters: result }) => {
  if (result === undefined) return undefined;
  const rows = result.goals.map(goal => [goal.what, bound(goal), digits(goal.value)]);
  const names = Object.keys(result.figures).map(name => [name, name]);
  return `${picked(result, ['', 'ns'], names)}\n\n${markdown([['ratio', 'goal', 'seen'], ...rows])}`;
};

/** Each with and without tracing(), in the same surroundings. */
const tracing = ({ tracing: result }) => {
  if (result === undefined) return undefined;
  const { figures } = result;
  const without = name => figures[`${name}, no tracing()`];
  const rows = Object.entries(figures)
    .filter(([name]) => without(name) !== undefined)
    .map(([name, { ns }]) => [name, digits(without(name).ns), digits(ns), digits(ns / without(name).ns)]);
  return markdown([['ns of CPU time', 'without `tracing()`', 'with it', 'ratio'], ...rows]);
};

/** Of a bench that measures ratios alone. */
const ratios = name => results => {
  const result = results[name];
  if (result === undefined) return undefined;
  const rows = result.goals.map(goal => [goal.what, bound(goal), digits(goal.value)]);
  return markdown([['ratio', 'goal', 'seen'], ...rows]);
};

const balancers = ({ balancers: result }) => {
  if (result === undefined) return undefined;
  const sizes = [3, 64, 1_000, 10_000];
  const rows = Object.entries(result.figures).map(([name, ns]) => [name, ...sizes.map(size => digits(ns[size]))]);
  return markdown([['ns per pick, instances', ...sizes.map(grouped)], ...rows]);
};

const memory = ({ memory: result }) => {
  if (result === undefined) return undefined;
  const { held, ns, idle, growth } = result.figures;
  const among = Object.entries(ns).map(([size, each]) => [
    `a call among ${grouped(Number(size))} instances, ns`,
    digits(each),
  ]);
  return markdown([
    ['', ''],
    ['an instance in a client, statistics and all, bytes', digits(held.ofClient)],
    ['… and in the registry and the `DiscoveryClient` (zone, version, tags, metadata)', digits(held.ofDiscovery)],
    ['a client, bytes', digits(held.perClient)],
    ...among,
    ['idle, 10 000 instances and 100 clients, % of a CPU', digits(idle.percent)],
    ['… the process without them', digits(idle.processAlone)],
    [`alive after ${grouped(growth.calls / 10)} calls, kB`, digits(growth.alive[0] / 1_024)],
    [`… after ${grouped(growth.calls)}`, digits(growth.alive.at(-1) / 1_024)],
  ]);
};

export const tables = {
  goals,
  machine,
  'http-raw': httpRaw,
  'http-others': httpOthers,
  hotpath,
  profile,
  breakers,
  limiters,
  tracing,
  'tracing-beside': ratios('tracing-beside'),
  explain: ratios('explain'),
  balancers,
  memory,
};
