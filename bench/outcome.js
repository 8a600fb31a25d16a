// What each bench does with its figures: prints them, or writes them as JSON; docs.js makes docs/performance.md from what is
// written. Goals are { what, value, atMost | atLeast }; with `--check` one that is missed fails the run.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';

/** Of `parseArgs`, for all benches. */
export const OPTIONS = {
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
};

export const wholeNumber = (name, text) => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new RangeError(`--${name}: expected 1, 2, …, got ${text}`);
  return number;
};

const versionOf = file => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')).version;
const installed = name => [name, versionOf(`node_modules/${name}/package.json`)];

/** `peers`: the packages it is measured beside. */
export const machineWith = (peers = []) => ({
  cpu: os.cpus()[0]?.model ?? 'unknown',
  cores: os.cpus().length,
  platform: `${os.platform()} ${os.arch()}`,
  node: process.version,
  undiciOfNode: process.versions.undici ?? null,
  versions: { fairlead: versionOf('../package.json'), ...Object.fromEntries(peers.map(installed)) },
});

/** Of the last minute: above the number of cores others had to wait, and figures are worse than need be. */
export const load = () => Math.round(os.loadavg()[0] * 10) / 10;

export const describe = ({ cpu, cores, platform, node, versions }) =>
  [
    `${cpu}, ${cores} cores, ${platform}, Node ${node}; load ${load()}`,
    Object.entries(versions)
      .map(pair => pair.join(' '))
      .join(', '),
  ].join('\n');

export const isMet = ({ value, atMost = Infinity, atLeast = -Infinity }) => value <= atMost && value >= atLeast;

const short = number => (number !== 0 && Math.abs(number) < 0.1 ? number.toPrecision(2) : number.toFixed(2));

export const goalLine = goal => {
  const wanted = goal.atLeast === undefined ? `<= ${short(goal.atMost)}` : `>= ${short(goal.atLeast)}`;
  return `${isMet(goal) ? 'ok    ' : 'MISSED'} ${short(goal.value).padStart(9)} ${wanted.padEnd(9)}  ${goal.what}`;
};

/** A table of text: the first column to the left, numbers to the right. */
export const table = ([head, ...rows]) => {
  const lines = [head, ...rows].map(row => row.map(cell => String(cell ?? '')));
  const widths = head.map((_, at) => Math.max(...lines.map(row => row[at].length)));
  const line = row =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join('  ');
  return lines.map(row => line(row).trimEnd()).join('\n');
};

/** Figures of one version of Node stand in a folder of their own. */
export const resultFile = (name, node = process.version) =>
  new URL(`results/node${node.slice(1).split('.')[0]}/${name}.json`, import.meta.url);

const rounded = (_key, value) =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;

/** `text`: the tables as they are printed. */
export const publish = (name, result, { json, write, check, text }) => {
  const whole = { bench: name, load: load(), ...result };
  const asJson = JSON.stringify(whole, rounded, 2);
  if (json) console.log(asJson);
  else console.log([text, ...(result.goals ?? []).map(goalLine)].join('\n'));
  if (write) {
    const file = resultFile(name);
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, `${asJson}\n`);
  }
  if (check && result.goals?.some(goal => !isMet(goal))) process.exitCode = 1;
};
