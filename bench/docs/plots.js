// The plots of docs/performance.md, as SVG; undefined where the bench was not run.
import { bars, lines } from '../plot.js';

const isOurs = name => name.startsWith('fairlead');

const http = ({ http: result }) => {
  const figures = result?.figures['raw/100'];
  if (figures === undefined) return undefined;
  const rows = Object.entries(figures).map(([name, { ratio }]) => ({ name, value: ratio, ours: isOurs(name) }));
  const title = 'Requests per second ÷ global fetch (loopback, 100 at once; more is better)';
  return bars({ title, rows: rows.toSorted((a, b) => b.value - a.value), mark: 1 });
};

const hotpath = ({ hotpath: result }) => {
  if (result === undefined) return undefined;
  const rows = Object.entries(result.figures)
    .filter(([name, { overhead }]) => overhead > 0 && !name.includes('Response') && !name.includes('fetch()'))
    .map(([name, { overhead }]) => ({ name, value: overhead, ours: isOurs(name) }));
  const title = 'ns of CPU over a bare async call (powers of ten; less is better)';
  return bars({ title, rows: rows.toSorted((a, b) => a.value - b.value), log: true });
};

const bytes = ({ hotpath: result }) => {
  if (result === undefined) return undefined;
  const rows = Object.entries(result.figures)
    .filter(([name, each]) => each.bytes > 0 && !name.includes('Response') && !name.includes('fetch()'))
    .map(([name, each]) => ({ name, value: each.bytes, ours: isOurs(name) }));
  return bars({ title: 'Bytes per call (less is better)', rows: rows.toSorted((a, b) => a.value - b.value) });
};

const heap = ({ memory: result }) => {
  if (result === undefined) return undefined;
  const { calls, alive } = result.figures.growth;
  const steps = alive.map((_, at) => `${(((at + 1) * calls) / alive.length / 1e6).toFixed(1)} M`);
  const title = 'Heap after garbage collection, by calls made';
  return lines({
    title,
    steps,
    unit: 'MB',
    lines: [{ name: 'alive', ours: true, values: alive.map(b => b / 2 ** 20) }],
  });
};

const balancers = ({ balancers: result }) => {
  if (result === undefined) return undefined;
  const rows = Object.entries(result.figures)
    .filter(([name, ns]) => ns[1_000] !== undefined && !/join|built/.test(name))
    .map(([name, ns]) => ({ name, value: ns[1_000], ours: name.includes('()') }));
  const title = 'ns per pick among 1 000 instances (powers of ten; less is better)';
  return bars({ title, rows: rows.toSorted((a, b) => a.value - b.value), log: true });
};

export const plots = { http, hotpath, bytes, heap, balancers };
